"""Supervised networks and untrained ones: the rows that the tables compare with."""

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_fixtures import new_state, run_config, with_settings

from vie_tf import models
from vie_tf.config import DataConfig, KnnTaskConfig
from vie_tf.evaluation.neighbors import knn_task
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input.instances import Instances
from vie_tf.models.from_config import build_model
from vie_tf.objectives import losses
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest
from vie_tf.training import step as train_step
from vie_tf.training import train as training
from vie_tf.training.setup import complete_settings

NUM_CLASSES = 3
SUPERVISED = {"name": "supervised"}


def write_colors(data_dir):
    """Nine training and six validation videos of one color per class."""
    sizes = (9, 6, NUM_CLASSES)
    labels = {
        video.id: video.label for video in write_data_set(data_dir, *sizes).videos
    }

    def solid_frames(video_id, num_frames):
        frame = np.zeros([36, 48, 3], np.uint8)
        frame[:, :, labels[video_id]] = 200
        return [tf.io.encode_jpeg(frame).numpy()] * num_frames

    write_data_set(data_dir, *sizes, make_frames=solid_frames)


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    write_data_set(data_dir, num_train=9, num_val=6, num_classes=NUM_CLASSES)
    return data_dir


# ------------------------------------------------------------------ the network


@pytest.mark.parametrize("name", models.MODELS)
def test_every_family_has_a_supervised_twin(name):
    model = models.build(name, num_filters=4, num_classes=NUM_CLASSES)
    # Not black ones: of them, all channels of a network of four can be negative.
    size = [2, model.num_frames, 32, 32, 3]
    clips = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    endpoints = model(clips)
    assert endpoints["logits"].shape == (2, NUM_CLASSES)
    np.testing.assert_allclose(tf.norm(endpoints["embedding"], axis=1), 1, rtol=1e-5)
    num_features = endpoints["embedding"].shape[1]
    if name == "two_stream_sf":
        num_features -= 8  # the fast pathway, which the classifier does not see
    assert endpoints["pooled"].shape == (2, num_features)
    assert all(f"conv{number}" in endpoints for number in range(1, 6))


def test_logits_of_a_frame_network_are_the_mean_of_its_frames():
    model = models.build("input_single_slow", num_filters=4, num_classes=NUM_CLASSES)
    frames = np.random.default_rng(0).integers(0, 256, [1, 4, 32, 32, 3], np.uint8)
    alone = models.build("single", num_filters=4, num_classes=NUM_CLASSES)
    alone.set_weights(model.get_weights())
    of_frames = alone(frames[0][:, np.newaxis])["logits"]  # each frame a clip
    np.testing.assert_allclose(
        model(frames)["logits"][0], np.mean(of_frames, axis=0), atol=1e-5
    )


def test_relation_modules_put_out_logits():
    model = models.build(
        "trn", num_filters=4, num_classes=NUM_CLASSES, trn_head="relation"
    )
    logits = model(tf.zeros([2, 4, 32, 32, 3], tf.uint8))["logits"]
    assert logits.shape == (2, NUM_CLASSES)


# --------------------------------------------------------------------- the loss


def test_the_loss_equals_its_slow_twin():
    logits = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    labels = [4, 0, 2, 2]
    wanted = [
        -np.log(np.exp(row[label]) / np.sum(np.exp(row)))
        for row, label in zip(logits, labels)
    ]
    actual = losses.softmax_loss(tf.constant(logits), tf.constant(labels))
    np.testing.assert_allclose(actual, wanted, rtol=1e-5)


def test_a_step_moves_all_weights_and_knows_its_accuracy(data_dir, toy_runs):
    config = run_config(data_dir, loss=SUPERVISED)
    manifest = Manifest.load(str(data_dir))
    instances = Instances.from_config(config.data, manifest)
    config = complete_settings(config, manifest, instances)
    state = new_state(config, manifest)
    assert state.bank is None
    before = [weight.numpy() for weight in state.model.trainable_variables]
    step = train_step.make_train_step(
        *(state, state.objective, tf.distribute.get_strategy(), config.train),
        weight_decay=1e-4,
    )
    clips = tf.zeros([4, 2, 32, 32, 3], tf.uint8)
    labels = tf.constant([0, 0, 1, 1], tf.int64)
    scalars = step({"clips": clips, "rows": tf.range(4), "labels": labels})
    # Clips that are all alike get one class, which is right for two or for none.
    assert float(scalars["accuracy"]) in (0.0, 0.5)
    assert all(
        np.any(old != new) for old, new in zip(before, state.model.trainable_variables)
    )


# -------------------------------------------------------------------- whole runs


def test_labels_are_learned_and_validated(tmp_path, capsys):
    write_colors(tmp_path / "data")
    config = run_config(
        tmp_path / "data",
        tmp_path / "run",
        loss=SUPERVISED,
        model={"batch_norm_momentum": 0.5, "num_filters": 8},
        train_steps=40,
        batch_size=9,
        learning_rate=0.05,
        log_steps=40,
    )
    training.train(with_settings(config, "data", color="none"))
    output = capsys.readouterr().out
    assert "softmax loss" in output
    assert "accuracy 1.00" in output
    assert "step 40  softmax top-1 100.0%" in output


def test_a_supervised_run_goes_on_and_is_evaluated(
    data_dir, tmp_path, capsys, toy_runs
):
    for train_steps in (1, 2):
        training.train(
            run_config(data_dir, tmp_path, loss=SUPERVISED, train_steps=train_steps)
        )
    assert "Going on from" in capsys.readouterr().out
    run = RestoredRun.load(str(tmp_path), DataConfig(str(data_dir)))
    assert run.config.model.num_classes == NUM_CLASSES
    assert run.step == 2
    result = knn_task.evaluate(run, KnnTaskConfig(num_clips=2))
    assert 0 <= result["top1"] <= 1
    with pytest.raises(UserError, match="--gallery=features"):
        knn_task.evaluate(run, KnnTaskConfig(num_clips=2, gallery="bank"))


def test_without_validation_videos_there_is_no_validation(tmp_path, capsys, toy_runs):
    write_data_set(tmp_path / "data", num_val=0)
    training.train(
        run_config(tmp_path / "data", tmp_path / "run", loss=SUPERVISED, train_steps=1)
    )
    assert "top-1" not in capsys.readouterr().out


def test_videos_without_labels_are_refused_at_once(tmp_path):
    write_data_set(tmp_path / "data", num_classes=0)
    config = run_config(tmp_path / "data", tmp_path / "run", loss=SUPERVISED)
    with pytest.raises(ValueError, match="at least two classes.*14 videos without"):
        training.train(config)
    assert not (tmp_path / "run").exists()


def test_runs_with_and_without_a_bank_do_not_start_from_each_other(
    data_dir, tmp_path, toy_runs
):
    training.train(run_config(data_dir, tmp_path / "ir", train_steps=1))
    settings = {"init_from": str(tmp_path / "ir"), "loss": SUPERVISED}
    with pytest.raises(ValueError, match="memory bank: --loss=supervised"):
        training.train(run_config(data_dir, tmp_path / "run", **settings))


# ----------------------------------------------------------- the untrained network


def test_a_run_of_no_steps_is_the_untrained_network(
    data_dir, tmp_path, capsys, toy_runs
):
    training.train(run_config(data_dir, tmp_path, train_steps=0, seed=5))
    assert "Wrote the untrained network" in capsys.readouterr().out
    config, _ = RunDirectory(str(tmp_path)).load_config()
    untrained = build_model(config.model, seed=5)
    run = RestoredRun.load(str(tmp_path), DataConfig(str(data_dir)))
    assert run.step == 0
    for actual, wanted in zip(run.model.get_weights(), untrained.get_weights()):
        np.testing.assert_array_equal(actual, wanted)
