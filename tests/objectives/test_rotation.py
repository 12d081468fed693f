"""Rotation: what is turned, what is learned, and that nothing else tells."""

import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import SIZE, learn, moving_textures, noise_clips, tiny_run

from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.objectives.pretexts.rotation import Rotation, rotations

# A network of clips whose graph is made in a second.
STACKED = {"name": "alexnet_stacked", "num_filters": 16}
NUM_FEATURES = 64
RECIPE = ClipRecipe(4, 4, SIZE, "dense")


def test_clips_are_turned_as_numpy_turns_them():
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 6, 6, 3), np.uint8)
    for number, turned in enumerate(rotations(tf.constant(clips))):
        np.testing.assert_array_equal(turned, np.rot90(clips, number, axes=(2, 3)))


def test_a_batch_begins_with_the_clips_as_they_are():
    _, state = tiny_run("rotation", model=STACKED)
    clips = noise_clips(2, 4, np.random.default_rng(0))
    batch = {"clips": tf.constant(clips), "rows": tf.constant([4, 5])}
    prepared = state.objective.prepare(batch, tf.constant(0, tf.int64))
    assert prepared["clips"].shape == (8, *clips[0].shape)
    assert state.objective.network_shape(2, RECIPE) == prepared["clips"].shape
    np.testing.assert_array_equal(prepared["clips"][:2], clips)
    np.testing.assert_array_equal(prepared["rows"], [4, 5])


def test_the_loss_of_a_video_is_the_mean_of_its_four_rotations():
    _, state = tiny_run("rotation", model=STACKED)
    pooled = np.random.default_rng(1).normal(size=(12, NUM_FEATURES)).astype("f")
    step = tf.constant(0, tf.int64)
    loss, parts = state.objective.loss({"pooled": tf.constant(pooled)}, {}, step)
    first, second = (layer.get_weights() for layer in state.objective.head.layers)
    logits = (pooled @ first[0] + first[1]) @ second[0] + second[1]  # no ReLU between
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for video in range(3):
        rows = [video, 3 + video, 6 + video, 9 + video]
        own = [-np.log(chances[row, turn]) for turn, row in enumerate(rows)]
        right = [logits[row].argmax() == turn for turn, row in enumerate(rows)]
        assert float(loss[video]) == pytest.approx(np.mean(own), rel=1e-4)
        assert float(parts["accuracy"][video]) == pytest.approx(np.mean(right))


def test_the_head_has_64_units_and_learns_and_decays_with_the_network():
    _, state = tiny_run("rotation", model=STACKED)
    variables = state.objective.trained_variables()
    shapes = [tuple(one.shape) for one in variables]
    assert shapes == [(NUM_FEATURES, 64), (64,), (64, 4), (4,)]
    count = len(state.model.trainable_variables) + 4
    assert len(state.optimizer.accumulators) == count
    assert state.objective.checkpoint().keys() == {"head"}


def test_the_embedding_is_the_pooled_features_at_unit_norm():
    _, state = tiny_run("rotation", model=STACKED)
    endpoints = state.model(noise_clips(2, 4, np.random.default_rng(0)))
    norms = np.linalg.norm(endpoints["pooled"], axis=1, keepdims=True)
    expected = endpoints["pooled"] / norms
    np.testing.assert_allclose(endpoints["embedding"], expected, rtol=1e-4)
    assert not any("dense" in one.name for one in state.model.trainable_variables)


def test_where_textures_move_is_learned():
    config, state = tiny_run("rotation", model=STACKED)
    before = [one.numpy() for one in state.objective.trained_variables()]
    accuracy = learn(config, state, moving_textures, 40)["accuracy"]
    assert accuracy[0] < 0.5
    assert accuracy[-10:].mean() > 0.8  # by chance 0.25
    for old, new in zip(before, state.objective.trained_variables()):
        assert np.any(old != new)


def test_noise_is_turned_without_a_trace():
    """Borders, order in the batch and interpolation would tell rotations apart."""
    config, state = tiny_run("rotation", model=STACKED)
    accuracy = learn(config, state, noise_clips, 40)["accuracy"]
    assert accuracy[-20:].mean() == pytest.approx(0.25, abs=0.05)  # of 1,280 clips


def test_every_family_of_one_stream_can_learn_it():
    assert Rotation.kinds == ("frames", "clips")
