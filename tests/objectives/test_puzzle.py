"""Puzzles as an objective: its loss, its shapes, what is learned, and what is not."""

import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import bright_corner_puzzles, learn, noise_puzzles, tiny_run
from run_fixtures import run_config, with_settings

from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.models.from_config import clip_recipe
from vie_tf.objectives.pretexts.puzzle import Puzzle
from vie_tf.storage.errors import UserError
from vie_tf.training import estimate

STACKED = {"name": "alexnet_stacked", "num_filters": 16, "crop_size": 48}
NUM_FEATURES = 64
STEP = tf.constant(0, tf.int64)


def test_the_network_is_given_the_cells_of_all_clips():
    config, state = tiny_run("puzzle", model=STACKED)
    made = noise_puzzles(2, 4, np.random.default_rng(0))
    batch = {name: tf.constant(one) for name, one in made.items()}
    prepared = state.objective.prepare(batch, STEP)["clips"]
    wanted = state.objective.network_shape(2, clip_recipe(config.model))
    assert prepared.shape == wanted == (8, 4, 34, 34, 3)
    np.testing.assert_array_equal(prepared[:2], made["clips"][:, 0])
    np.testing.assert_array_equal(prepared[7], made["clips"][1, 3])


def test_costs_are_those_of_four_cells():
    config, state = tiny_run("puzzle", model=STACKED)
    recipe = clip_recipe(config.model)
    strategy = tf.distribute.get_strategy()
    cells = estimate.of_step(
        state.model, state.objective.network_shape(16, recipe), strategy
    )
    clips = estimate.of_step(state.model, (16, *recipe.shape), strategy)
    assert cells.num_bytes > clips.num_bytes  # 4 * 34 * 34 pixels, not 48 * 48


def test_puzzles_are_asked_for_in_training_alone():
    recipe = ClipRecipe(4, 4, 48, "dense")
    assert recipe.question == ""
    assert Puzzle.training_recipe(recipe).question == "puzzle"


def test_the_loss_is_that_of_the_features_of_all_cells_side_by_side():
    _, state = tiny_run("puzzle", model=STACKED)
    pooled = np.random.default_rng(1).normal(size=(12, NUM_FEATURES)).astype("f")
    targets = np.array([3, 0, 23])
    loss, parts = state.objective.loss(
        {"pooled": tf.constant(pooled)}, {"targets": tf.constant(targets)}, STEP
    )
    first, second = (layer.get_weights() for layer in state.objective.head.layers)
    assert first[0].shape == (4 * NUM_FEATURES, 512) and second[0].shape == (512, 24)
    for video in range(3):
        cells = pooled[video::3].ravel()
        hidden = np.maximum(cells @ first[0] + first[1], 0)
        logits = hidden @ second[0] + second[1]
        own = np.log(np.exp(logits).sum()) - logits[targets[video]]
        assert float(loss[video]) == pytest.approx(own, rel=1e-4)
        assert float(parts["accuracy"][video]) == (logits.argmax() == targets[video])


def test_where_cells_belong_is_learned():
    config, state = tiny_run("puzzle", model=STACKED)
    accuracy = learn(config, state, bright_corner_puzzles, 80)["accuracy"]
    assert accuracy[0] < 0.3
    assert accuracy[-20:].mean() > 0.5  # by chance 0.042


def test_cells_of_noise_belong_nowhere():
    """The order in the batch would tell where they do."""
    config, state = tiny_run("puzzle", model=STACKED)
    accuracy = learn(config, state, noise_puzzles, 30)["accuracy"]
    assert accuracy[-25:].mean() == pytest.approx(1 / 24, abs=0.03)  # of 400 clips


def test_cells_that_are_too_small_are_refused_with_a_size_that_is_not():
    model = {"name": "slow", "crop_size": 40}
    with pytest.raises(UserError, match="28 x 28.*--crop_size=45 or more"):
        Puzzle.complete_config(run_config("data", model=model, loss={"name": "puzzle"}))


def test_a_static_video_is_refused():
    config = run_config("data", model={"crop_size": 48}, loss={"name": "puzzle"})
    with pytest.raises(UserError, match="--static_video .* leave it out"):
        Puzzle.complete_config(with_settings(config, "data", static_video=True))
