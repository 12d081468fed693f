"""Puzzles: which frames and windows are cells, in which order, and what they hide."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import cut_cells, textures
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.questions import puzzles
from vie_tf.input.questions.puzzles import ORDERS, Puzzle
from vie_tf.storage.manifest import Manifest

RECIPE = ClipRecipe(16, 1, 112, "dense", question="puzzle")
ORDER = ORDERS.index((2, 0, 3, 1))
WINDOW = tf.constant([10, 20, 224, 224])
NO = tf.constant(False)


def puzzle_of(is_temporal, jitter=0.0, **choices):
    """A puzzle whose parts are all at one place of their cells, 0 for the corner."""
    given = {"order": ORDER, "place": 3, "start": 0.0, "channel": 1, **choices}
    given = {name: tf.constant(one) for name, one in given.items()}
    given.update(is_temporal=tf.constant(is_temporal), jitter=tf.fill([4, 3], jitter))
    return Puzzle(**given)


def test_every_order_of_four_cells_is_a_class():
    assert sorted(ORDERS) == sorted(itertools.permutations(range(4)))
    assert len(ORDERS) == 24


def test_cells_in_time_are_stretches_of_32_frames_in_the_order_given():
    frames = puzzles.cell_frames(RECIPE, 200, puzzle_of(True)).numpy()
    assert frames[:, 0].tolist() == [64, 0, 96, 32]
    assert np.all(np.diff(frames, axis=1) == 1)
    latest = puzzles.cell_frames(RECIPE, 200, puzzle_of(True, 0.999, start=0.999))
    assert latest.numpy()[:, -1].tolist() == [72 + 95, 72 + 31, 72 + 127, 72 + 63]


def test_cells_in_space_are_of_one_stretch():
    frames = puzzles.cell_frames(RECIPE, 200, puzzle_of(False, start=0.5)).numpy()
    assert frames[:, 0].tolist() == [84] * 4  # half of 200 - 32


def test_cells_of_a_short_video_share_frames_but_keep_their_order():
    frames = puzzles.cell_frames(RECIPE, 40, puzzle_of(True, order=0)).numpy()
    assert frames[:, 0].tolist() == [0, 10, 20, 24]
    assert frames.max() == 39
    looped = puzzles.cell_frames(RECIPE, 5, puzzle_of(True, order=0)).numpy()
    assert looped.max() == 4


def test_cells_in_space_are_80_of_112_pixels_in_the_order_given():
    windows = puzzles.cell_windows(WINDOW, puzzle_of(False), NO).numpy()
    assert windows.tolist() == [
        *([122, 20, 80, 80], [10, 20, 80, 80], [122, 132, 80, 80], [10, 132, 80, 80])
    ]
    latest = puzzles.cell_windows(WINDOW, puzzle_of(False, 0.999), NO).numpy()
    assert (latest - windows)[:, :2].tolist() == [[32, 32]] * 4


def test_left_and_right_are_those_of_the_mirrored_clip():
    windows = puzzles.cell_windows(WINDOW, puzzle_of(False), tf.constant(True)).numpy()
    assert windows[:, 1].tolist() == [132, 132, 20, 20]


def test_cells_in_time_are_at_one_place():
    windows = puzzles.cell_windows(WINDOW, puzzle_of(True), NO).numpy()
    assert windows.tolist() == [[122, 132, 80, 80]] * 4


def test_all_choices_are_drawn_evenly():
    drawn = [puzzles.draw(tf.constant([1, number])) for number in range(400)]
    assert np.mean([one.is_temporal for one in drawn]) == pytest.approx(0.5, abs=0.1)
    assert len({int(one.order) for one in drawn}) == 24
    assert {int(one.place) for one in drawn} == {0, 1, 2, 3}
    assert {int(one.channel) for one in drawn} == {0, 1, 2}


def test_borders_do_not_tell_where_cells_belong():
    """Cells that touched would be put together by their borders alone."""

    def solved(jitter):
        rng, right = np.random.default_rng(0), 0
        for number in range(60):
            picture = np.tile(textures(1, rng)[0], (2, 2, 1))[:80, :80][None]
            puzzle = puzzles.draw(tf.constant([7, number]))
            puzzle = puzzle._replace(is_temporal=tf.constant(False))
            windows = puzzles.cell_windows(tf.constant([0, 0, 80, 80]), puzzle, NO)
            windows = windows.numpy()
            if not jitter:  # whole cells
                windows = windows // [40, 40, 1, 1] * [40, 40, 1, 1]
                windows[:, 2:] = 40
            cells = cut_cells(picture, np.zeros((4, 1), int), windows)
            right += best_by_borders(cells[:, 0]) == int(puzzle.order)
        return right / 60

    assert solved(jitter=False) > 0.9
    assert solved(jitter=True) < 0.15  # by chance 0.04


def best_by_borders(cells):
    """The order in which the borders of cells [4, s, s, 3] differ least."""
    cells = cells.astype(float)

    def difference(order):
        at = cells[np.argsort(order)]  # by place
        across = (at[left][:, -1] - at[left + 1][:, 0] for left in (0, 2))
        down = (at[above][-1] - at[above + 2][0] for above in (0, 1))
        return sum((one**2).sum() for one in (*across, *down))

    return int(np.argmin([difference(order) for order in ORDERS]))


@pytest.fixture(name="clips", params=["frames", "differences"])
def fixture_clips(request, tmp_path):
    """Puzzles of generated videos, and the manifest of those."""
    write_data_set(tmp_path, num_frames=40)
    recipe = ClipRecipe(3, 2, 48, "dense", question="puzzle", input=request.param)
    manifest = Manifest.load(str(tmp_path))
    return pipeline.training_clips(
        DataConfig(str(tmp_path)), manifest, recipe, batch_size=4, seed=5
    )


def test_batches_have_cells_and_their_order(clips):
    batch = next(iter(clips))
    num_channels = batch["clips"].shape[-1]
    assert batch["clips"].shape == (4, 4, 3, 34, 34, num_channels)
    assert batch["targets"].shape == (4,)
    at_once = clips.at(int(batch["positions"][1]))
    np.testing.assert_array_equal(at_once["clips"], batch["clips"][1])
    if num_channels == 3:  # lens fringes would tell where a cell was
        channels = batch["clips"].numpy()
        np.testing.assert_array_equal(channels[..., 0], channels[..., 2])
    example = clips.example(1)
    assert len(example.clip) == 12 and example.frames.shape[0] % 12 == 0


def test_cells_are_cut_from_the_frames_of_the_video(tmp_path):
    write_data_set(tmp_path, num_frames=40)
    data = DataConfig(str(tmp_path), color="none", crop="whole_frame")
    recipe = ClipRecipe(3, 2, 48, "dense", question="puzzle")
    clips = pipeline.training_clips(
        data, Manifest.load(str(tmp_path)), recipe, batch_size=1, seed=5
    )
    for position in range(6):
        example, maker = clips.example(position), clips._maker
        sample = clips._sample_at(position)
        puzzle = maker._puzzle(tf.constant(position, tf.int64))
        windows = [window.numpy() for _, window in maker._cells(sample)]
        cells = example.clip.reshape(4, 3, 34, 34, 3)
        frames = example.frames.reshape(4, 3, *example.frames.shape[1:])
        for cell, window, own in zip(cells, windows, frames):
            top, left, height, width = window
            cut = own[:, top : top + height, left : left + width, int(puzzle.channel)]
            wanted = cut.mean(axis=(1, 2))
            np.testing.assert_allclose(cell[..., 0].mean(axis=(1, 2)), wanted, atol=4)
