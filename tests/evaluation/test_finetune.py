"""Fine-tuning of a whole network on labels, from the flags' settings to the result."""

import json

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import (
    SINGLE,
    numbers_of,
    restored,
    run_maker,
    stop_after,
    write_colors,
    write_run,
)
from record_fixtures import write_data_set
from run_contents import events_in

from vie_tf.config import FinetuneConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.labels import finetune as finetune_task
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.input.fixed_clips import consecutive_clips
from vie_tf.runs.run_directory import RunDirectory

QUICK = {"batch_size": 9, "learning_rate": 0.05, "num_clips": 1}
QUICK.update(log_steps=1, eval_steps=0, lr_schedule="boundaries")


def settings_of(**settings):
    return FinetuneConfig(**{**QUICK, "train_steps": 3, **settings})


def finetune(run, **settings):
    return finetune_task.evaluate_finetune([run], settings_of(**settings))


pytestmark = pytest.mark.usefixtures("toy_networks")


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    write_colors(data_dir)
    return data_dir


@pytest.fixture(name="make_run")
def fixture_make_run(data_dir, tmp_path):
    return run_maker(tmp_path, data_dir)


# -------------------------------------------------------------------- one training


def test_thirty_steps_lower_the_loss_and_move_all_weights(make_run, capsys):
    run = make_run()
    before = run.model.get_weights()
    result = finetune(run, train_steps=30, eval_steps=10)
    folder = f"{run.eval_dir}/finetune"
    losses = events_in(folder)["finetune/loss"]
    assert losses[30] < losses[1] - 0.3
    assert result["splits"][0]["top1"] == result["mean"]["top1"] == 1
    assert (result["std"]["top1"], result["start"]) == (None, "checkpoint")
    tuned = RestoredRun.load(folder, run.data).model
    for old, new in zip(before[:-2], tuned.get_weights()):  # all but the old head
        assert np.any(old != new)
    for old, now in zip(before, run.model.get_weights()):
        np.testing.assert_array_equal(old, now)  # the run itself stays as it is
    with open(f"{run.eval_dir}/finetune.json") as file:
        assert json.load(file)["mean"] == result["mean"]
    assert f"The fine-tuned network: --model_dir={folder}" in capsys.readouterr().out


def test_the_weights_are_those_of_the_checkpoint_until_the_first_step(make_run):
    run = make_run()
    state = finetune_task._make_state(run, settings_of())
    for old, new in zip(
        run.model.backbone.get_weights(), state.model.backbone.get_weights()
    ):
        np.testing.assert_array_equal(old, new)
    assert state.model.head.dense.kernel.shape[1] == 3
    scratch = settings_of(from_scratch=True, seed=5)
    untrained = finetune_task._make_state(run, scratch)
    assert np.any(
        untrained.model.backbone.dense.kernel != run.model.backbone.dense.kernel
    )


def test_a_network_from_scratch_has_files_of_its_own(make_run):
    run = make_run()
    result = finetune(run, train_steps=1, from_scratch=True, seed=5)
    assert result["start"] == "scratch"
    assert (result["step"], result["checkpoint"], result["seed"]) == (0, None, None)
    assert (result["loss"], result["trained_on"][0]["name"]) == ("none", "")
    assert "seed 5 of clips, their order and all weights" in result["protocol"]
    assert tf.io.gfile.exists(f"{run.eval_dir}/finetune_scratch.json")
    assert not tf.io.gfile.exists(f"{run.eval_dir}/finetune.json")


def test_a_network_from_scratch_needs_settings_and_no_checkpoint(make_run):
    run = make_run()
    tf.io.gfile.rmtree(f"{run.network.directory.model_dir}/checkpoints")
    with pytest.raises(ValueError, match="There is no checkpoint"):
        make_run()
    untrained = RestoredRun.load(
        run.network.directory.model_dir, run.data, checkpoint="untrained"
    )
    result = finetune(untrained, train_steps=1, from_scratch=True)
    assert (result["checkpoint"], result["step"]) == (None, 0)


def test_two_streams_from_scratch_need_no_checkpoints(data_dir, tmp_path):
    write_run(tmp_path / "single", data_dir, model=SINGLE, step=3)
    write_run(tmp_path / "slow", data_dir, step=3)
    folders = [str(tmp_path / name) for name in ("single", "slow")]
    for folder in folders:
        tf.io.gfile.rmtree(f"{folder}/checkpoints")
    network = restored_network.load_streams(
        *folders, "one", str(tmp_path / "streams"), "untrained"
    )
    assert (network.step, network.streams.single_step) == (0, 0)


def test_the_other_column_of_table_2_has_files_of_its_own(make_run):
    run = make_run(crop="multi_scale_crop")
    result = finetune(run, train_steps=1)
    assert "crop multi_scale_crop" in result["protocol"]
    assert "validation videos on the whole short side" in result["protocol"]
    assert tf.io.gfile.exists(f"{run.eval_dir}/finetune_multi_scale.json")


def test_a_share_of_the_videos_is_reported_as_one(make_run):
    result = finetune(make_run(subset=0.67), train_steps=1)
    assert result["splits"][0]["num_train"] == 6
    assert "6 of the 9 training videos (subset 0.67, seed 0), b" in result["protocol"]


def test_logits_are_averaged_over_all_consecutive_clips(make_run):
    run = make_run()
    result = finetune(run, train_steps=2)
    tuned = RestoredRun.load(f"{run.eval_dir}/finetune", run.data).model
    right, num_clips = 0, len(consecutive_clips(run.recipe, 20))
    sums = np.zeros([6, 3])
    counts = np.zeros(6)
    batches = pipeline.evaluation_clips(
        run.data, run.manifest, "val", run.recipe, num_clips=None
    )
    for batch in batches:
        for clip, row in zip(batch["clips"], batch["rows"].numpy()):
            sums[row] += tuned(clip, training=False)["logits"][0]
            counts[row] += 1
    labels = [video.label for video in run.queries]
    right = np.mean(sums.argmax(axis=1) == labels)
    assert counts.tolist() == [num_clips] * 6 == [5] * 6
    assert result["splits"][0]["top1"] == pytest.approx(right)
    assert (
        "all consecutive clips of a video, one for each 4 frames"
        in (result["protocol"])
    )


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_training_that_was_stopped_ends_with_the_same_bits(
    make_run, monkeypatch, dropout
):
    settings = {"train_steps": 8, "dropout": dropout, "eval_steps": 2}
    settings.update(lr_schedule="plateau", plateau_patience=1, plateau_min_delta=1.0)
    whole, stopped = make_run("whole"), make_run("stopped")
    finetune(whole, **settings)
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            finetune(stopped, **settings)
    finetune(stopped, **settings)
    wanted = numbers_of(f"{whole.eval_dir}/finetune")
    actual = numbers_of(f"{stopped.eval_dir}/finetune")
    assert actual.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)
    assert int(actual["num_drops/.ATTRIBUTES/VARIABLE_VALUE"]) == 2


def test_dropout_leaves_out_pooled_features_by_the_seed(make_run):
    state = finetune_task._make_state(make_run(), settings_of(dropout=0.5))
    clips = tf.random.stateless_uniform([2, 2, 32, 32, 3], [0, 1], 0, 256, tf.int32)
    clips = tf.cast(clips, tf.uint8)
    endpoints = state.model(clips, training=True)
    one, same, other = (
        state.objective.logits(endpoints, tf.constant(step, tf.int64))["softmax"]
        for step in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)
    pooled = endpoints["pooled"].numpy()
    kernel, bias = state.model.head.dense.get_weights()
    kept = tf.nn.experimental.stateless_dropout(
        tf.ones_like(pooled), 0.5, tf.constant([0, 1], tf.int64)
    ).numpy()
    assert set(np.unique(kept)) == {0.0, 2.0}
    np.testing.assert_allclose(one, pooled * kept @ kernel + bias, atol=1e-5)


# ---------------------------------------------------------------- what it ends with


def test_the_fine_tuned_network_is_a_run_like_any_other(make_run):
    run = make_run()
    finetune(run, train_steps=2)
    folder = f"{run.eval_dir}/finetune"
    tuned = RestoredRun.load(folder, run.data, checkpoint="best")
    assert tuned.config.loss.name == "supervised"
    assert tuned.config.model.num_classes == 3
    assert tuned.is_training_data
    assert RunDirectory(folder).checkpoints.best_metadata()["step"] == tuned.step == 2


def test_a_network_that_is_fine_tuned_at_another_size_keeps_it(make_run):
    run = make_run()
    larger = RestoredRun.load(run.network.directory.model_dir, run.data, crop_size=64)
    result = finetune(larger, train_steps=1)
    tuned = RestoredRun.load(result["splits"][0]["folder"], run.data)
    assert (run.recipe.crop_size, tuned.recipe.crop_size) == (32, 64)
    assert "clips of 64 x 64 pixels, where" in result["protocol"]


def test_several_splits_have_a_mean_and_a_deviation(make_run, tmp_path, capsys):
    runs = []
    for number in (1, 2):
        write_colors(tmp_path / f"split_{number}", num_train=9 + number)
        runs.append(make_run(data=tmp_path / f"split_{number}"))
    result = finetune_task.evaluate_finetune(runs, settings_of())
    assert [split["data"] for split in result["splits"]] == ["split_1", "split_2"]
    top1 = [split["top1"] for split in result["splits"]]
    assert result["mean"]["top1"] == pytest.approx(sum(top1) / 2)
    assert result["std"]["top1"] == pytest.approx(abs(top1[0] - top1[1]) / 2**0.5)
    for number in (1, 2):
        assert RunDirectory(f"{runs[0].eval_dir}/finetune-split_{number}").latest()
    assert tf.io.gfile.exists(f"{runs[0].eval_dir}/finetune-split_1.json")
    assert "  mean  " in capsys.readouterr().out


def test_the_mean_of_splits_is_not_overwritten_by_one_of_them(make_run, tmp_path):
    runs = []
    for number in (1, 2):
        write_colors(tmp_path / f"split_{number}", num_train=9 + number)
        runs.append(make_run(data=tmp_path / f"split_{number}"))
    settings = settings_of(train_steps=1)
    finetune(runs[0], train_steps=1)
    both = finetune_task.evaluate_finetune(runs, settings)  # has the split in it
    for start_over in (False, True):
        with pytest.raises(
            ValueError, match="splits split_1, split_2, which that of split_1 would"
        ):
            finetune_task.evaluate_finetune(runs[:1], settings, start_over=start_over)
    assert finetune_task.evaluate_finetune(runs, settings)["mean"] == both["mean"]


def test_two_streams_are_fine_tuned_as_one_network(data_dir, tmp_path):
    write_run(tmp_path / "single", data_dir, model=SINGLE)
    write_run(tmp_path / "slow", data_dir, step=5)
    data = restored(tmp_path / "slow", data_dir).data
    folders = [str(tmp_path / name) for name in ("single", "slow")]
    network = restored_network.load_streams(*folders, "one", str(tmp_path / "streams"))
    run = RestoredRun.from_network(network, data)
    result = finetune(run, train_steps=1, dropout=0.5, test_clips="spaced")
    assert result["model"] == "two_stream_s"
    assert [part["loss"] for part in result["trained_on"]] == ["none", "ir"]
    assert result["loss"] == "none and ir"
    tuned = RestoredRun.load(result["splits"][0]["folder"], data).model
    clips = tf.zeros([1, 2, 32, 32, 3], tf.uint8)
    endpoints = tuned(clips)
    np.testing.assert_allclose(
        tuned.classify(endpoints["pooled"]), endpoints["logits"], atol=1e-5
    )


# ------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"num_classes": 0}, "--task=finetune needs videos of at least two classes"),
        ({"num_val": 0}, "no split val: convert the videos again with --val_fraction"),
        ({"num_frames": 1}, "one frame each .* Add --static_video"),
    ],
)
def test_data_that_do_not_suit_are_refused(tmp_path, make_run, data, message):
    write_data_set(tmp_path / "bad", **data)
    with pytest.raises(ValueError, match=message):
        finetune(make_run(data=tmp_path / "bad"))


def test_splits_of_other_classes_are_refused(make_run, data_dir, tmp_path):
    write_colors(tmp_path / "four", num_train=12, num_classes=4)
    runs = [make_run(), make_run(data=tmp_path / "four")]
    with pytest.raises(ValueError, match="have 3 and 4, of which 1 are in one of them"):
        finetune_task.evaluate_finetune(runs, settings_of())


def test_splits_of_the_same_name_are_refused(make_run):
    with pytest.raises(ValueError, match="folders of the same name .data"):
        finetune_task.evaluate_finetune([make_run(), make_run()], settings_of())


def test_dropout_needs_a_head_of_one_layer(data_dir, tmp_path):
    model = {"name": "trn", "trn_head": "relation", "num_frames": 2}
    write_run(tmp_path, data_dir, model=model)
    with pytest.raises(ValueError, match="not for --trn_head=relation"):
        finetune(restored(tmp_path, data_dir), dropout=0.5)
