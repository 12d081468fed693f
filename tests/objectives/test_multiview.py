"""Contrastive multiview coding: its loss, its rows, and what each view sees."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import SIZE, textures, tiny_run
from run_fixtures import run_config

from vie_tf.models.clip_input import prepare, scaled_lab
from vie_tf.models.from_config import clip_recipe
from vie_tf.objectives import losses
from vie_tf.objectives.multiview import MultiviewCoding, views
from vie_tf.storage.errors import UserError
from vie_tf.training.step import make_train_step

LAB = {"name": "alexnet", "num_filters": 8, "input": "lab", "embedding_dim": 32}
NUM_VIDEOS, NUM_NEGATIVES = 16, 6
STEP = tf.constant(3, tf.int64)


def lab_run(**train):
    return tiny_run("cmc", NUM_VIDEOS, model=LAB, **train)


def colored_textures(rng):
    """[B, 1, SIZE, SIZE, 3] uint8: textures, each of one color."""
    light = textures(NUM_VIDEOS, rng)[:, None, :SIZE, :SIZE] / 255.0
    hues = np.arange(NUM_VIDEOS) * 180 // NUM_VIDEOS
    hsv = np.stack([hues, 0 * hues + 200, 0 * hues + 255], axis=1).astype(np.uint8)
    colors = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    return (light * colors[:, None, None, None]).astype(np.uint8)


# ------------------------------------------------------------------ light and color


def test_light_and_colors_are_those_of_opencv():
    clips = np.random.default_rng(0).integers(0, 256, (2, 1, 8, 8, 3), np.uint8)
    frames = clips.reshape(-1, 8, 3).astype(np.float32) / 255
    lab = cv2.cvtColor(frames, cv2.COLOR_RGB2LAB).reshape(clips.shape)
    low = np.array([0, -86.183, -107.857])
    high = np.array([100, 98.233, 94.478])
    wanted = (lab - (low + high) / 2) / ((high - low) / 2)
    np.testing.assert_allclose(scaled_lab(tf.constant(clips)), wanted, atol=0.01)
    assert np.abs(wanted).max() < 1.01


def test_black_and_white_have_no_color():
    grays = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 1, 1, 256, 3)
    light = prepare(tf.constant(grays), "light", tf.float32)[0, 0, 0, :, 0]
    assert float(light[0]) == pytest.approx(-1, abs=1e-4)
    assert float(light[255]) == pytest.approx(1, abs=1e-4)
    color = prepare(tf.constant(grays), "color", tf.float32)
    assert np.ptp(color, axis=3).max() < 1e-3


def test_a_stream_of_light_sees_no_color_and_one_of_color_no_light():
    """A view that saw the other one would match it without knowing what it is."""
    _, state = lab_run()
    gray = np.random.default_rng(0).integers(60, 190, (2, 1, SIZE, SIZE, 1), np.uint8)
    dark, bright = (
        np.repeat(gray.astype(int) + shift, 3, -1).astype(np.uint8)
        for shift in (-40, 40)
    )
    of_dark, of_bright = (state.model(clips)["embedding"] for clips in (dark, bright))
    np.testing.assert_allclose(of_dark[:, 16:], of_bright[:, 16:], atol=1e-3)
    assert np.abs(of_dark[:, :16] - of_bright[:, :16]).max() > 1e-3


# ------------------------------------------------------------------------- the loss


def test_a_view_is_compared_with_the_rows_of_the_other():
    _, state = lab_run()
    objective, rng = state.objective, np.random.default_rng(0)
    negatives = rng.integers(0, NUM_VIDEOS, (2, NUM_NEGATIVES))
    objective.negatives = lambda step: tf.constant(negatives)
    parts = rng.normal(size=(2, 2, 16))  # of two videos and two views
    parts /= np.linalg.norm(parts, axis=-1, keepdims=True)
    embeddings = parts.reshape(2, 32) / np.sqrt(2)
    rows, bank = [5, 9], objective.bank.rows.numpy().reshape(-1, 2, 16) * np.sqrt(2)
    endpoints = {"embedding": tf.constant(embeddings, tf.float32)}
    batch = {"rows": tf.constant(rows)}
    loss, _ = objective.loss(endpoints, batch, STEP)
    density = NUM_NEGATIVES / NUM_VIDEOS
    partition = losses.IMAGENET_NORMALIZER * NUM_VIDEOS
    for video in range(2):
        wanted = 0.0
        for view in range(2):
            other = bank[:, 1 - view] @ parts[video, view]
            chances = np.exp(other / 0.07) / partition
            own = chances[rows[video]]
            wanted -= np.log(own / (own + density))
            noise = chances[negatives[video]]
            wanted -= np.log(density / (noise + density)).sum()
        assert float(loss[video]) == pytest.approx(wanted, rel=1e-3)


def test_the_rows_of_each_view_are_those_of_a_bank_of_its_own():
    _, state = lab_run()
    objective, rng = state.objective, np.random.default_rng(1)
    views = rng.normal(size=(2, 2, 16))
    views /= np.linalg.norm(views, axis=-1, keepdims=True)
    embeddings = tf.constant(views.reshape(2, 32) / np.sqrt(2), tf.float32)
    rows = tf.constant([3, 4])
    old = objective.bank.rows.numpy()[3:5].reshape(2, 2, 16) * np.sqrt(2)
    found = objective.updates({"embedding": embeddings}, {"rows": rows})["new_rows"]
    wanted = 0.5 * old + 0.5 * views
    wanted /= np.linalg.norm(wanted, axis=-1, keepdims=True)
    np.testing.assert_allclose(found, wanted.reshape(2, 32) / np.sqrt(2), atol=1e-5)


def test_the_color_of_a_video_is_found_by_its_light():
    config, state = lab_run(batch_size=NUM_VIDEOS, learning_rate=0.02)
    clips = tf.constant(colored_textures(np.random.default_rng(0)))
    step = make_train_step(
        *(state, state.objective, tf.distribute.get_strategy(), config.train), 1e-4
    )
    batch = {"clips": clips, "rows": tf.range(NUM_VIDEOS)}

    def found():
        embeddings = state.model(clips, training=True)["embedding"].numpy()
        nearest = (embeddings[:, :16] @ embeddings[:, 16:].T).argmax(axis=1)
        return np.mean(nearest == np.arange(NUM_VIDEOS))

    assert found() < 0.2
    for _ in range(150):
        step(batch)
    assert found() > 0.3  # by chance 0.06


@pytest.mark.parametrize("model", [{"name": "slow"}, {"name": "single"}])
def test_one_view_is_refused(model):
    config = run_config("data", model=model, loss={"name": "cmc"})
    with pytest.raises(UserError, match="--input=lab .* --input=both") as error:
        MultiviewCoding.complete_config(config)
    assert "\n" not in str(error.value)
    for input in ("lab", "both", "later"):
        paired = run_config("data", model={**model, "input": input})
        assert MultiviewCoding.complete_config(paired).model.has_head


# ------------------------------------------------------------ a frame and a later one

LATER = {**LAB, "input": "later"}


def test_a_frame_and_a_later_one_are_one_clip():
    config, state = tiny_run("cmc", NUM_VIDEOS, model=LATER)
    recipe = clip_recipe(config.model)
    assert (recipe.num_frames, recipe.frame_interval, recipe.input) == (2, 10, "frames")
    assert state.model.num_frames == 2
    several = run_config("data", model={**LATER, "name": "slow", "num_frames": None})
    assert clip_recipe(several.model).num_frames == 8  # two of 4 frames


def test_each_stream_sees_its_half_of_the_clip():
    _, state = tiny_run("cmc", NUM_VIDEOS, model=LATER)
    clips = np.random.default_rng(0).integers(0, 256, (2, 2, SIZE, SIZE, 3), np.uint8)
    changed = clips.copy()
    changed[:, 1] = 255 - changed[:, 1]
    before, after = (views(state.model(one)["embedding"]) for one in (clips, changed))
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[1] - after[1]).max() > 1e-3


def test_half_a_frame_is_refused():
    model = {**LATER, "name": "alexnet_stacked", "num_frames": 3}
    with pytest.raises(UserError, match="--num_frames is even, not 3"):
        tiny_run("cmc", NUM_VIDEOS, model=model)
