"""Motion and appearance statistics as an objective: its loss, and what is learned."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import SIZE, learn, noise_clips, textures, tiny_run
from run_fixtures import run_config, with_settings

from vie_tf.input.questions.clip_statistics import (
    appearance_statistics,
    choices,
    motion_statistics,
)
from vie_tf.objectives.pretexts.statistics import Statistics
from vie_tf.storage.errors import UserError

STACKED = {"name": "alexnet_stacked", "num_filters": 16}
STEP = tf.constant(0, tf.int64)


def with_statistics(clips):
    """A batch of clips [B, T, S, S, 3] with their targets."""
    targets = [
        np.concatenate([motion_statistics(clip[..., 0]), appearance_statistics(clip)])
        for clip in np.ascontiguousarray(clips)
    ]
    return {"clips": clips, "targets": np.stack(targets)}


def moving_patches(count, num_frames, rng):
    """Squares of texture that move on gray, each in one of four corners."""
    clips = np.full((count, num_frames, SIZE, SIZE, 3), 90, np.uint8)
    for clip, texture in zip(clips, textures(count, rng)):
        top, left = rng.integers(0, 2, 2) * 16 + 2
        for number, frame in enumerate(clip):
            at = left + number
            frame[top : top + 11, at : at + 8] = texture[:11, :8] // 2 + 120
    return with_statistics(clips)


def test_the_loss_is_the_squared_error_with_colors_at_a_tenth():
    _, state = tiny_run("statistics", model=STACKED)
    rng = np.random.default_rng(0)
    pooled, targets = (rng.normal(size=(3, n)).astype("f") for n in (64, 27))
    given = {"targets": tf.constant(targets)}
    loss, parts = state.objective.loss({"pooled": tf.constant(pooled)}, given, STEP)
    kernel, bias = state.objective.head.get_weights()
    errors = (pooled @ kernel + bias - targets) ** 2
    motion, colors = errors[:, :14].mean(axis=1), errors[:, 14:].mean(axis=1)
    np.testing.assert_allclose(loss, motion + 0.1 * colors, rtol=1e-4)
    np.testing.assert_allclose(parts["motion_error"], motion, rtol=1e-4)
    np.testing.assert_allclose(parts["appearance_error"], colors, rtol=1e-4)


def test_the_head_begins_at_the_mean_of_even_numbers():
    _, state = tiny_run("statistics", model=STACKED)
    _, bias = state.objective.head.get_weights()
    assert bias.tolist() == [(count + 1) / 2 for count in choices(4, True)]


def test_of_differences_the_numbers_of_motion_are_learned_alone():
    _, state = tiny_run("statistics", model={**STACKED, "input": "differences"})
    assert state.objective.head.get_weights()[1].shape == (14,)


def test_where_things_move_is_learned():
    config, state = tiny_run("statistics", model=STACKED, learning_rate=0.01)
    errors = learn(config, state, moving_patches, 80)
    made = moving_patches(200, 4, np.random.default_rng(9))["targets"]
    by_chance = made.var(axis=0)  # of one who says the mean of all clips
    assert errors["motion_error"][-10:].mean() < 0.6 * by_chance[:14].mean()
    assert errors["appearance_error"][-10:].mean() < 0.8 * by_chance[14:].mean()


def test_noise_does_not_tell_its_statistics():
    """Clips of a batch would tell them by their order."""

    def noise(count, num_frames, rng):
        return with_statistics(noise_clips(count, num_frames, rng))

    config, state = tiny_run("statistics", model=STACKED, learning_rate=0.01)
    errors = learn(config, state, noise, 25)["motion_error"]
    targets = noise(100, 4, np.random.default_rng(9))["targets"]
    assert errors[-10:].mean() > 0.9 * targets[:, :14].var(axis=0).mean()


def test_a_data_service_is_refused():
    config = run_config("data", loss={"name": "statistics"})
    config = with_settings(config, "data", data_service="grpc://here:1")
    with pytest.raises(UserError, match="leave --data_service out"):
        Statistics.complete_config(config)


def test_a_static_video_is_refused():
    config = run_config("data", loss={"name": "statistics"})
    still = dataclasses.replace(config.data, static_video=True)
    with pytest.raises(UserError, match="--static_video .* leave it out"):
        Statistics.complete_config(dataclasses.replace(config, data=still))
