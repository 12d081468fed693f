"""Two-stream networks of two runs, and single-frame networks on others' clips."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_fixtures import DIM, new_state, run_config

from vie_tf.config import DataConfig, KnnTaskConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.neighbors import knn_task
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.models.from_config import build_model
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest
from vie_tf.training import train as training

pytestmark = pytest.mark.usefixtures("toy_networks")

SINGLE = {"name": "single", "num_frames": 1, "frame_interval": 1}
KNN = KnnTaskConfig(ks=(3,), num_clips=2)


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    write_data_set(data_dir)
    return str(data_dir)


@pytest.fixture(name="runs", scope="module")
def fixture_runs(tmp_path_factory, data_dir):
    """Runs of `single` and of `slow` with two frames, of one step each."""
    folder = tmp_path_factory.mktemp("runs")
    settings = {"train_steps": 1, "learning_rate": 0.1}
    training.train(run_config(data_dir, folder / "slow", **settings))
    training.train(run_config(data_dir, folder / "single", model=SINGLE, **settings))
    return folder


def restored(folder, which="latest"):
    config, _ = RunDirectory(str(folder)).load_config()
    model = build_model(config.model, seed=99)
    RunDirectory(str(folder)).checkpoint(which).restore_model(model)
    return model


def streams_of(runs, data_dir, model_dir, static_frames="one", **settings):
    network = restored_network.load_streams(
        str(runs / "single"),
        str(runs / "slow"),
        static_frames,
        str(model_dir),
        **settings,
    )
    return RestoredRun.from_network(network, DataConfig(data_dir))


def test_the_embedding_is_that_of_both_runs_side_by_side(runs, data_dir, tmp_path):
    run = streams_of(runs, data_dir, tmp_path)
    clips = np.random.default_rng(0).integers(0, 256, [3, 2, 32, 32, 3], np.uint8)
    static = restored(runs / "single")(clips[:, 1:2])["embedding"]
    dynamic = restored(runs / "slow")(clips)["embedding"]
    wanted = np.concatenate([static, dynamic], axis=1) / 2**0.5
    np.testing.assert_allclose(run.model(clips)["embedding"], wanted, atol=1e-5)
    assert run.config.model.name == "two_stream_s"
    assert run.config.model.embedding_dim == 2 * DIM


def test_the_static_stream_may_average_all_frames(runs, data_dir, tmp_path):
    run = streams_of(runs, data_dir, tmp_path, "all")
    clips = np.random.default_rng(0).integers(0, 256, [3, 2, 32, 32, 3], np.uint8)
    single = restored(runs / "single")
    frames = [single(clips[:, n : n + 1])["embedding"] for n in (0, 1)]
    static = tf.math.l2_normalize(np.mean(frames, axis=0), axis=1)
    np.testing.assert_allclose(
        run.model(clips)["embedding"][:, :DIM], static / 2**0.5, atol=1e-5
    )


def test_two_runs_are_evaluated_as_one_network(runs, data_dir, tmp_path):
    run = streams_of(runs, data_dir, tmp_path / "streams")
    result = knn_task.evaluate(run, KNN)
    assert result["model"] == "two_stream_s"
    assert (tmp_path / "streams" / "eval" / "knn.json").exists()
    with pytest.raises(ValueError, match="no memory bank"):
        knn_task.evaluate(run, dataclasses.replace(KNN, gallery="bank"))


def test_results_say_which_runs_the_network_was_put_together_of(
    runs, data_dir, tmp_path, capsys
):
    run = streams_of(runs, data_dir, tmp_path / "streams", "all")
    result = knn_task.evaluate(run, KNN)
    single, slow = str(runs / "single"), str(runs / "slow")
    assert result["streams"] == {
        **{"single_from": single, "single_step": 1, "single_loss": "ir"},
        **{"dynamic_from": slow, "dynamic_step": 1, "dynamic_loss": "ir"},
        "static_frames": "all",
    }
    words = f"two streams, {single} (IR, step 1) on all frames of a clip and {slow} (IR"
    assert words in result["protocol"]
    assert words in " ".join(capsys.readouterr().out.split())


def test_the_best_checkpoint_is_that_of_each_run(runs, data_dir, tmp_path):
    for name, step in (("single", 7), ("slow", 8)):
        shutil.copytree(runs / name, tmp_path / name)
        directory = RunDirectory(str(tmp_path / name))
        config, _ = directory.load_config()
        state = new_state(config, Manifest.load(data_dir))
        state.step.assign(step)
        directory.checkpoints.save_best(state, "knn/top1", 2.0)
    best = streams_of(tmp_path, data_dir, tmp_path / "best", checkpoint="best").network
    assert (best.streams.single_step, best.streams.dynamic_step) == (7, 8)
    assert (best.step, best.checkpoint) == (8, "best")
    newest = streams_of(tmp_path, data_dir, tmp_path / "newest").network
    assert (newest.streams.single_step, newest.streams.dynamic_step) == (1, 1)
    wanted = restored(tmp_path / "single", "best").head.dense.kernel
    np.testing.assert_array_equal(best.model.static_stream.head.dense.kernel, wanted)


def test_two_streams_take_clips_of_another_size(runs, data_dir, tmp_path):
    run = streams_of(runs, data_dir, tmp_path / "streams", crop_size=40)
    assert run.recipe.crop_size == 40
    protocol = knn_task.evaluate(run, KNN)["protocol"]
    assert "clips of 40 x 40 pixels, where the run's were 32 x 32; two s" in protocol


def test_results_do_not_go_into_a_run_of_its_own(runs, data_dir):
    with pytest.raises(ValueError, match="is the folder of a run"):
        streams_of(runs, data_dir, runs / "slow")


def test_two_runs_are_trained_on_as_one_network(runs, data_dir, tmp_path, capsys):
    settings = {
        "single_from": str(runs / "single"),
        "dynamic_from": str(runs / "slow"),
        "learning_rate": 0.0,
    }
    training.train(
        run_config(
            data_dir,
            tmp_path,
            model={"name": "two_stream_s", "embedding_dim": 2 * DIM},
            **settings,
        )
    )
    assert "Starting from the networks of" in capsys.readouterr().out
    run = RestoredRun.load(str(tmp_path), DataConfig(data_dir))
    assert run.step == 2
    kernel = run.model.static_stream.head.dense.kernel
    np.testing.assert_array_equal(kernel, restored(runs / "single").head.dense.kernel)


def test_streams_may_be_trained_together_from_scratch(data_dir, tmp_path):
    training.train(run_config(data_dir, tmp_path, model={"name": "two_stream_s"}))
    run = RestoredRun.load(str(tmp_path), DataConfig(data_dir))
    assert (run.step, run.config.model.embedding_dim) == (2, DIM)


@pytest.mark.parametrize(
    ("single", "dynamic", "message"),
    [
        ("slow", "slow", "--single_from=.*slow .*--model=single"),
        ("single", "single", "--dynamic_from=.*--model=slow or slowfast"),
        ("single", "nowhere", "nowhere' does not hold a run"),
    ],
)
def test_runs_that_are_no_streams_are_refused(
    runs, data_dir, tmp_path, single, dynamic, message
):
    with pytest.raises(ValueError, match=message):
        restored_network.load_streams(
            str(runs / single), str(runs / dynamic), "one", str(tmp_path)
        )


def test_streams_of_other_widths_are_refused(runs, data_dir, tmp_path):
    wide = {**SINGLE, "num_filters": 8}
    training.train(run_config(data_dir, tmp_path / "w", model=wide, train_steps=0))
    with pytest.raises(ValueError, match="--num_filters, but .* 8 .* has 4"):
        restored_network.load_streams(
            str(tmp_path / "w"), str(runs / "slow"), "one", str(tmp_path)
        )


def test_settings_that_are_not_those_of_the_runs_are_refused(runs, data_dir, tmp_path):
    config = run_config(
        data_dir,
        tmp_path,
        model={"name": "two_stream_sf"},
        single_from=str(runs / "single"),
        dynamic_from=str(runs / "slow"),
    )
    with pytest.raises(UserError, match="--model=two_stream_sf.*=two_stream_s\\."):
        training.train(config)


def test_one_stream_alone_is_refused(runs, data_dir, tmp_path):
    config = run_config(data_dir, tmp_path, single_from=str(runs / "single"))
    with pytest.raises(ValueError, match="are given together"):
        training.train(config)


# ------------------------------------------------------------------- Input-Single


def test_a_frame_network_is_evaluated_on_the_clips_of_another(runs, data_dir):
    run = RestoredRun.load(str(runs / "single"), DataConfig(data_dir), clips_of="slow")
    assert (run.recipe.num_frames, run.recipe.frame_interval) == (4, 16)
    clips = np.random.default_rng(0).integers(0, 256, [3, 4, 32, 32, 3], np.uint8)
    single = restored(runs / "single")
    frames = [single(clips[:, n : n + 1])["embedding"] for n in range(4)]
    wanted = tf.math.l2_normalize(np.mean(frames, axis=0), axis=1)
    np.testing.assert_allclose(run.model(clips)["embedding"], wanted, atol=1e-5)
    knn_task.evaluate(run, KNN)
    assert (runs / "single" / "eval" / "input_single_slow" / "knn.json").exists()


def test_only_frame_networks_take_the_clips_of_another(runs, data_dir):
    with pytest.raises(ValueError, match="--clips_of=trn is for runs of --model=singl"):
        RestoredRun.load(str(runs / "slow"), DataConfig(data_dir), clips_of="trn")


def test_frames_of_one_run_and_differences_of_another_are_an_input_of_both(
    runs, data_dir, tmp_path
):
    moving = run_config(data_dir, tmp_path / "slow", model={"input": "differences"})
    training.train(moving)
    (tmp_path / "single").symlink_to(runs / "single")
    run = streams_of(tmp_path, data_dir, tmp_path / "streams")
    assert run.recipe.input == "both"
    clips = np.random.default_rng(0).integers(0, 256, [3, 2, 32, 32, 5], np.uint8)
    static = restored(runs / "single")(clips[:, 1:2, ..., :3])["embedding"]
    dynamic = restored(tmp_path / "slow")(clips[..., 3:])["embedding"]
    wanted = np.concatenate([static, dynamic], axis=1) / 2**0.5
    np.testing.assert_allclose(run.model(clips)["embedding"], wanted, atol=1e-5)
    knn_task.evaluate(run, KNN)


def test_a_static_stream_of_differences_is_refused(runs, data_dir, tmp_path):
    still = {**SINGLE, "input": "differences"}
    training.train(run_config(data_dir, tmp_path / "single", model=still))
    (tmp_path / "slow").symlink_to(runs / "slow")
    with pytest.raises(UserError, match="--input=differences.*--input=frames"):
        streams_of(tmp_path, data_dir, tmp_path / "streams")
