"""Linear probes of a frozen network, from the flags' settings to the result."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import (
    NUM_CLASSES,
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
from toy_networks import use_real_networks

from vie_tf import models
from vie_tf.config import LinearConfig
from vie_tf.evaluation import restored_run
from vie_tf.evaluation.labels import linear, sklearn_linear
from vie_tf.evaluation.labels.linear import LAYERS
from vie_tf.input import pipeline

QUICK = {"batch_size": 9, "learning_rate": 0.05, "num_clips": 2}
QUICK.update(log_steps=5, eval_steps=0)


def settings_of(**settings):
    return LinearConfig(**{**QUICK, "train_steps": 20, **settings})


pytestmark = pytest.mark.usefixtures("toy_networks")


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    write_colors(data_dir)
    return data_dir


@pytest.fixture(name="make_run")
def fixture_make_run(data_dir, tmp_path):
    return run_maker(tmp_path, data_dir, step=7)


# ------------------------------------------------------------------- the trained mode


def test_probes_learn_colors_and_the_network_stays_as_it_is(make_run, capsys):
    run = make_run()
    before = [weight.numpy() for weight in run.model.variables]
    assert len(before) == len(run.model.trainable_variables) + 2  # moving statistics
    result = linear.evaluate_linear(run, settings_of())
    for old, new in zip(before, run.model.variables):
        np.testing.assert_array_equal(old, new.numpy(), err_msg=new.name)
    assert list(result["scores"]) == list(LAYERS)
    assert result["scores"]["conv1"]["top1"] == 1
    assert (result["num_queries"], result["num_train"]) == (6, 9)
    assert (result["num_skipped"], result["mode"]) == (0, "trained")
    assert result["step"] == 7
    with open(f"{run.eval_dir}/linear.json") as file:
        assert json.load(file)["scores"] == result["scores"]
    output = capsys.readouterr().out
    assert "  conv1                  100.0%" in output
    assert "step 20/20  loss " in output


def test_the_result_says_what_is_behind_its_numbers(make_run, data_dir):
    run = make_run()
    settings = settings_of(train_steps=4, lr_boundaries=(1, 3), seed=2)
    result = linear.evaluate_linear(run, settings)
    assert "rate 0.05, divided by 10 after 1 and 3 steps" in result["protocol"]
    assert "seed 2 of clips and their order" in result["protocol"]
    (part,) = result["trained_on"]
    assert (part["name"], part["loss"]) == (data_dir.name, "ir")
    assert part["fingerprint"] == run.manifest.fingerprint() != ""


def test_the_result_is_that_of_the_heads_on_the_mean_of_the_probabilities(make_run):
    """A slow twin: clip by clip, layer by layer, from the checkpoint's numbers."""
    run = make_run()
    result = linear.evaluate_linear(run, settings_of(train_steps=3))
    heads = numbers_of(f"{run.eval_dir}/linear")
    right = dict.fromkeys(LAYERS, 0)
    batches = pipeline.evaluation_clips(
        run.data, run.manifest, "val", run.recipe, num_clips=2
    )
    for batch in batches:
        for clips, row in zip(batch["clips"], batch["rows"].numpy()):
            endpoints = run.model(clips, training=False)
            for layer in LAYERS:
                features = endpoints[layer].numpy().mean(axis=1).reshape(2, -1)
                kernel, bias = (
                    heads[f"model/{kind}/{layer}/.ATTRIBUTES/VARIABLE_VALUE"]
                    for kind in ("kernels", "biases")
                )
                probabilities = tf.nn.softmax(features @ kernel + bias)
                found = probabilities.numpy().mean(axis=0).argmax()
                right[layer] += found == run.queries[row].label
    wanted = {layer: count / 6 for layer, count in right.items()}
    actual = {layer: scores["top1"] for layer, scores in result["scores"].items()}
    assert actual == pytest.approx(wanted)


def test_a_step_is_that_of_its_slow_twin(make_run):
    """One step from zero weights: the gradient of softmax is known."""
    run = make_run()
    linear.evaluate_linear(run, settings_of(train_steps=1, learning_rate=0.5))
    heads = numbers_of(f"{run.eval_dir}/linear")
    clips = pipeline.training_clips(
        run.data, run.manifest, run.recipe, batch_size=9, seed=0
    )
    batch = next(iter(clips))
    endpoints = run.model(batch["clips"], training=False)
    excess = 1 / NUM_CLASSES - np.eye(NUM_CLASSES)[batch["labels"]]  # [B, C]
    for layer in LAYERS:
        features = endpoints[layer].numpy().mean(axis=1).reshape(9, -1)
        wanted = -0.5 * features.T @ excess / 9
        actual = heads[f"model/kernels/{layer}/.ATTRIBUTES/VARIABLE_VALUE"]
        np.testing.assert_allclose(actual, wanted, rtol=1e-3, atol=1e-5)


def test_what_is_told_while_it_trains_goes_to_tensorboard(make_run):
    run = make_run()
    result = linear.evaluate_linear(run, settings_of(eval_steps=10))
    events = events_in(f"{run.eval_dir}/linear")
    assert set(events["linear/conv3_top1"]) == {10, 20}
    assert set(events["linear/conv5_loss"]) == {5, 10, 15, 20}
    for layer in LAYERS:
        last = events[f"linear/{layer}_top1"][20]
        assert last == pytest.approx(result["scores"][layer]["top1"])
    rates = events["linear/learning_rate"]
    assert [rates[step] for step in (5, 15, 20)] == pytest.approx([0.05, 5e-3, 5e-4])


def test_a_training_that_was_stopped_ends_with_the_same_bits(make_run, monkeypatch):
    whole, stopped = make_run("whole"), make_run("stopped")
    linear.evaluate_linear(whole, settings_of(train_steps=12))
    with monkeypatch.context() as patch:
        stop_after(patch, 7)
        with pytest.raises(KeyboardInterrupt):
            linear.evaluate_linear(stopped, settings_of(train_steps=12))
    assert int(numbers_of(f"{stopped.eval_dir}/linear")[STEP]) == 7
    result = linear.evaluate_linear(stopped, settings_of(train_steps=12))
    wanted = numbers_of(f"{whole.eval_dir}/linear")
    actual = numbers_of(f"{stopped.eval_dir}/linear")
    assert actual.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)
    assert result["steps"] == 12


STEP = "step/.ATTRIBUTES/VARIABLE_VALUE"


def test_a_finished_training_is_only_tested_again(make_run, monkeypatch):
    first = linear.evaluate_linear(make_run(), settings_of(train_steps=5))
    stop_after(monkeypatch, 0)
    again = linear.evaluate_linear(make_run(), settings_of(train_steps=5))
    assert again["scores"] == first["scores"]


def test_other_settings_are_refused_until_one_starts_over(make_run):
    linear.evaluate_linear(make_run(), settings_of(train_steps=1))
    changed = settings_of(train_steps=1, learning_rate=0.1)
    with pytest.raises(
        ValueError, match="--learning_rate was 0.05, is now 0.1. Give .* --start_over"
    ):
        linear.evaluate_linear(make_run(), changed)
    with pytest.raises(ValueError, match="--color was 'none', is now 'fast'"):
        linear.evaluate_linear(make_run(color="fast"), settings_of(train_steps=1))
    result = linear.evaluate_linear(make_run(), changed, start_over=True)
    assert (result["settings"]["learning_rate"], result["steps"]) == (0.1, 1)


def test_probes_of_clips_of_another_size_are_not_gone_on_with(make_run):
    run = make_run()
    linear.evaluate_linear(run, settings_of(train_steps=1))
    folder = run.network.directory.model_dir
    larger = restored_run.RestoredRun.load(folder, run.data, crop_size=64)
    with pytest.raises(ValueError, match="network's clip was .*'crop_size': 32"):
        linear.evaluate_linear(larger, settings_of(train_steps=1))


def test_probes_of_another_network_are_not_gone_on_with(make_run):
    run = make_run()
    linear.evaluate_linear(run, settings_of(train_steps=1))
    for weight in run.model.trainable_variables[:1]:
        weight.assign(weight + 1e-3)
    with pytest.raises(ValueError, match="the network's weights was"):
        linear.evaluate_linear(run, settings_of(train_steps=1))


def test_probes_of_the_same_weights_used_otherwise_are_not_gone_on_with(make_run):
    run = make_run()
    linear.evaluate_linear(run, settings_of(train_steps=1))
    model = dataclasses.replace(run.config.model, static_frames="all")
    config = dataclasses.replace(run.config, model=model)
    network = dataclasses.replace(run.network, config=config)
    other = dataclasses.replace(run, network=network)
    with pytest.raises(ValueError, match="--static_frames was 'one', is now 'all'"):
        linear.evaluate_linear(other, settings_of(train_steps=1))


def test_probes_of_other_data_have_a_folder_of_their_own(make_run, tmp_path):
    write_colors(tmp_path / "others", num_train=12)
    run = make_run(data=tmp_path / "others")
    result = linear.evaluate_linear(run, settings_of(train_steps=1))
    assert result["num_train"] == 12
    assert tf.io.gfile.exists(f"{run.eval_dir}/linear-others.json")
    assert tf.io.gfile.exists(f"{run.eval_dir}/linear-others/settings.json")


@pytest.mark.parametrize("is_quick", [True, False])
def test_the_result_of_other_data_of_the_same_name_stays(make_run, tmp_path, is_quick):
    def evaluate(parent, **options):
        run = make_run(data=tmp_path / parent / "records")
        if is_quick:
            return sklearn_linear.evaluate_linear_quick(run, settings_of())
        settings = settings_of(train_steps=1)
        return linear.evaluate_linear(run, settings, **options)

    write_colors(tmp_path / "a" / "records", num_train=10)
    write_colors(tmp_path / "b" / "records", num_train=12)
    assert evaluate("a")["num_train"] == 10
    with pytest.raises(ValueError, match="rename the folder .*b/records', or move the"):
        evaluate("b")
    if not is_quick:
        assert evaluate("b", start_over=True)["num_train"] == 12


def test_a_share_of_the_videos_is_reported_as_one(make_run, capsys):
    run = make_run(subset=0.67, subset_seed=3, bin_frames=10)
    result = linear.evaluate_linear(run, settings_of(train_steps=1))
    assert result["num_train"] == 6
    assert result["data"]["num_train"] == 9
    words = "of 6 of the 9 training videos (subset 0.67, seed 3) from bins of 10 frames"
    assert words in result["protocol"]
    assert "6 test videos, 6 training videos" in capsys.readouterr().out


def test_a_plateau_divides_the_rate(make_run, capsys):
    settings = settings_of(
        lr_schedule="plateau",
        plateau_patience=1,
        plateau_max_drops=1,
        plateau_min_delta=1.0,
        eval_steps=2,
        train_steps=6,
        log_steps=1,
    )
    run = make_run()
    linear.evaluate_linear(run, settings)
    rates = events_in(f"{run.eval_dir}/linear")["linear/learning_rate"]
    # The first validation is a gain over none; the second is not.
    assert rates[4] == pytest.approx(0.05)
    assert rates[5] == pytest.approx(0.005)
    assert "rate divided by 10 (drop 1 of at most 1)" in capsys.readouterr().out


def test_a_loss_that_is_no_number_stops_the_training(make_run):
    with pytest.raises(ValueError, match="loss of step 2 is not a finite number"):
        linear.evaluate_linear(make_run(), settings_of(learning_rate=1e38))


def test_bad_records_are_skipped_and_counted(tmp_path, make_run):
    manifest = write_colors(tmp_path / "broken", per_shard=3)
    shard = next(v.shard for v in manifest.videos if v.split == "val")
    path = tmp_path / "broken" / shard
    path.write_bytes(path.read_bytes()[:2000])
    run = make_run(data=tmp_path / "broken", on_bad_record="skip")
    result = linear.evaluate_linear(run, settings_of(train_steps=1))
    assert result["num_skipped"] > 0
    assert result["num_queries"] + result["num_skipped"] == 6


def test_a_real_network_is_probed_and_stays_as_it_is(data_dir, tmp_path, monkeypatch):
    use_real_networks(monkeypatch.setitem)
    write_run(tmp_path, data_dir)
    run = restored(tmp_path, data_dir)
    before = run.model.get_weights()
    result = linear.evaluate_linear(run, settings_of(train_steps=1))
    for old, new in zip(before, run.model.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert list(result["scores"]) == list(LAYERS)


@pytest.mark.parametrize(
    ("name", "conv3", "conv5"),
    [("two_stream_s", 200_704, 7 * 7 * 1024), ("two_stream_sf", 225_792, 7 * 7 * 1152)],
)
def test_probes_of_two_streams_have_as_many_features_as_the_authors(
    name, conv3, conv5, monkeypatch
):
    use_real_networks(monkeypatch.setitem)
    network, recipe = models.build(name), models.clip_recipe(name)
    probes = linear.ProbedNetwork(network, recipe, num_classes=2)
    counts = {layer: kernel.shape[0] for layer, kernel in probes.kernels.items()}
    assert (counts["conv3"], counts["conv5"]) == (conv3, conv5)


def test_the_rate_is_the_authors():
    assert LinearConfig().learning_rate == 0.01


def test_conv5_is_averaged_over_space_where_it_is_asked_for(make_run):
    run = make_run()
    result = linear.evaluate_linear(run, settings_of(train_steps=1, pool_conv5=True))
    heads = numbers_of(f"{run.eval_dir}/linear")
    shapes = {
        layer: heads[f"model/kernels/{layer}/.ATTRIBUTES/VARIABLE_VALUE"].shape
        for layer in LAYERS
    }
    # The toy network has 4 x 4 positions of 24 and 30 channels.
    assert (shapes["conv4"][0], shapes["conv5"][0]) == (4 * 4 * 24, 30)
    assert result["settings"]["pool_conv5"]
    assert "conv5 over space, too" in result["protocol"]
    with pytest.raises(ValueError, match="--pool_conv5 was True, is now False"):
        linear.evaluate_linear(run, settings_of(train_steps=1))


def test_probes_of_an_earlier_version_go_on_with_what_it_did_not_have(make_run):
    run = make_run()
    linear.evaluate_linear(run, settings_of(train_steps=1))
    path = pathlib.Path(run.eval_dir, "linear", "settings.json")
    known = json.loads(path.read_text())
    del known["--pool_conv5"], known["the network's --input"]
    del known["the network's clip"]["question"]
    path.write_text(json.dumps(known))
    assert linear.evaluate_linear(run, settings_of(train_steps=2))["steps"] == 2


# ----------------------------------------------------------------------- pictures


def test_images_are_shown_as_static_videos(tmp_path, make_run):
    write_colors(tmp_path / "images", num_frames=1)
    with pytest.raises(ValueError, match="one frame each .*--static_video"):
        linear.evaluate_linear(make_run(data=tmp_path / "images"), settings_of())
    run = make_run(data=tmp_path / "images", static_video=True)
    result = linear.evaluate_linear(run, settings_of())
    assert result["scores"]["conv1"]["top1"] == 1
    assert result["settings"]["static_video"]


def test_a_network_of_single_frames_takes_images_as_they_are(tmp_path):
    write_colors(tmp_path / "images", num_frames=1)
    write_run(tmp_path / "run", tmp_path / "images", model=SINGLE)
    run = restored(tmp_path / "run", tmp_path / "images")
    result = linear.evaluate_linear(run, settings_of())
    assert result["scores"]["conv1"]["top1"] == 1


# ----------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"num_classes": 0}, "--task=linear needs videos of at least two classes"),
        ({"num_classes": 1}, "at least two classes.*class_0"),
        ({"num_val": 0}, "no split val: convert .* --val_fraction=0.2, or .* --quick"),
        ({"num_train": 0}, "needs videos of the split train"),
    ],
)
def test_data_that_do_not_suit_are_refused(tmp_path, make_run, data, message):
    write_data_set(tmp_path / "bad", **data)
    run = make_run(data=tmp_path / "bad")
    with pytest.raises(ValueError, match=message):
        linear.evaluate_linear(run, settings_of())
    assert not tf.io.gfile.exists(f"{run.eval_dir}/linear-bad")


def test_a_plateau_without_validations_is_refused(make_run):
    settings = settings_of(lr_schedule="plateau", eval_steps=0)
    with pytest.raises(ValueError, match="--eval_steps=0 makes none on the way"):
        linear.evaluate_linear(make_run(), settings)


# ----------------------------------------------------------------- the quick look


def test_the_quick_look_is_named_as_what_it_is(make_run, capsys):
    run = make_run()
    result = sklearn_linear.evaluate_linear_quick(run, settings_of())
    assert result["scores"]["conv1"]["top1"] == 1
    assert (result["task"], result["mode"]) == ("linear_quick", "cached")
    assert result["settings"]["folds"] is None
    assert "not the paper's protocol" in result["protocol"]
    assert tf.io.gfile.exists(f"{run.eval_dir}/linear_quick.json")
    assert "linear probes (cached)" in capsys.readouterr().out


def test_the_quick_look_cross_validates_where_there_is_one_split(tmp_path, make_run):
    write_colors(tmp_path / "one", num_train=12, num_val=0)
    result = sklearn_linear.evaluate_linear_quick(
        make_run(data=tmp_path / "one"), settings_of()
    )
    assert result["scores"]["conv1"]["top1"] == 1
    assert (result["num_queries"], result["settings"]["folds"]) == (12, 4)
    assert "stratified 4-fold cross-validation" in result["protocol"]
    assert "seed 0 of the folds" in result["protocol"]


def test_the_quick_look_takes_every_nth_video_where_the_memory_holds_no_more(
    make_run, tmp_path, monkeypatch, capsys
):
    write_colors(tmp_path / "many", num_train=12, num_val=5)
    run = make_run(data=tmp_path / "many")
    clip = tf.zeros([1, 2, 32, 32, 3], tf.uint8)
    num_features = sum(f.shape[1] for f in sklearn_linear._layers(run, clip).values())
    all_bytes = 4 * 12 * QUICK["num_clips"] * num_features
    monkeypatch.setattr(sklearn_linear, "_MAX_BYTES", all_bytes / 1.9)
    result = sklearn_linear.evaluate_linear_quick(run, settings_of())
    assert result["settings"]["one_in"] == {"train": 2, "val": 1}
    assert (result["num_train"], result["num_queries"]) == (6, 5)
    assert (result["num_skipped"], result["scores"]["conv1"]["top1"]) == (0, 1)
    assert "of the split train one video in 2 alone" in result["protocol"]
    assert "train fit into the memory for 1 in 2 videos" in capsys.readouterr().out
