"""Statistics of clips: those of generated motion and colors."""

import numpy as np
import pytest
from pretext_fixtures import textures
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.questions.clip_statistics import (
    appearance_statistics,
    choices,
    color_overlap,
    motion_statistics,
    regions,
)
from vie_tf.input.questions.optical_flow import optical_flow
from vie_tf.storage.manifest import Manifest

SIZE = 128  # blocks of 32 pixels


def scene(rng, size=SIZE):
    """A texture of size x size pixels that stands still."""
    return np.tile(textures(1, rng)[0, ..., 0], (3, 3))[:size, :size]


def moving_square(step, corner, num_frames=4, camera=(0, 0), side=20, size=SIZE):
    """[T, size, size] uint8: a square of texture that moves on one that may pan."""
    rng = np.random.default_rng(1)
    behind, square = scene(rng, size), scene(rng)[:side, :side]
    frames = []
    for number in range(num_frames):
        frame = np.roll(behind, np.multiply(camera, number), axis=(0, 1))
        top, left = np.add(corner, np.multiply(step, number))
        frame[top : top + side, left : left + side] = square
        frames.append(frame)
    return np.stack(frames)


# ------------------------------------------------------------------------- regions


def test_regions_are_those_of_the_authors():
    blocks, rings, triangles = regions(112)
    assert blocks[0, 0] == 0 and blocks[27, 28] == 1 and blocks[28, 0] == 4
    assert blocks[111, 111] == 15
    assert np.bincount(rings.ravel()).tolist() == [
        *(28**2, 56**2 - 28**2, 84**2 - 56**2, 112**2 - 84**2)
    ]
    assert (rings[42:70, 42:70] == 0).all() and rings[41, 56] == 1
    # To the left and above of the first quarter; above and to the right of the second.
    assert triangles[40, 5] == 0 and triangles[5, 40] == 1
    assert triangles[5, 70] == 2 and triangles[40, 105] == 3
    assert triangles[70, 5] == 4 and triangles[105, 40] == 5
    assert triangles[105, 70] == 6 and triangles[70, 105] == 7
    assert np.ptp(np.bincount(triangles.ravel())) < 120  # of 1,568, by the diagonals


def test_numbers_have_as_many_values_as_there_are_regions():
    assert choices(16, True)[:14] == [16, 8, 16, 8, 4, 8, 4, 8, 8, 8, 8, 8, 15, 15]
    assert choices(16, True)[14:] == [16, 8, 16, 8, 4, 8, 4, 8, 8, 8, 8, 8, 8]
    assert choices(16, False) == choices(16, True)[:14]


# -------------------------------------------------------------------------- motion


@pytest.mark.parametrize(
    ("corner", "block"), [((6, 36), 2), ((70, 4), 9), ((38, 68), 7)]
)
def test_a_square_that_moves_is_in_its_block(corner, block):
    found = motion_statistics(moving_square((0, 1), corner))
    assert found[0] == block  # of horizontal flow


def test_a_square_in_the_middle_is_in_the_inner_rings():
    found = motion_statistics(moving_square((1, 0), (52, 54)))
    assert found[6] in (1, 2)  # of vertical flow


def test_a_camera_that_pans_does_not_hide_what_moves():
    """Plain flow would be as large everywhere; its boundaries are at the square."""
    still = motion_statistics(moving_square((0, 1), (6, 36)))
    panned = motion_statistics(moving_square((0, 1), (6, 36), camera=(0, -2)))
    assert panned[0] == still[0] == 2


def test_flow_of_a_texture_is_its_step():
    rng = np.random.default_rng(0)
    behind = scene(rng)
    frames = np.stack([np.roll(behind, (2 * t, t), axis=(0, 1)) for t in range(4)])
    flow = optical_flow(frames)[:, 16:-16, 16:-16]
    assert flow.mean(axis=(0, 1, 2)) == pytest.approx([1, 2], abs=0.2)


def test_statistics_are_those_of_a_loop_over_pixels():
    size = 64
    grays = moving_square((1, 2), (8, 20), num_frames=3, size=size)
    flow, found = optical_flow(grays), motion_statistics(grays)
    for component in (0, 1):
        changes = np.zeros((2, size, size))
        for frame in flow[..., component]:
            padded = np.pad(frame, 1, mode="symmetric").astype(float)
            for y in range(size):
                for x in range(size):
                    near = padded[y : y + 3, x : x + 3]
                    changes[0, y, x] += near[:, 2].sum() - near[:, 0].sum()
                    changes[1, y, x] += near[2].sum() - near[0].sum()
        sizes = np.hypot(*changes)
        for number, region in enumerate(regions(size)):
            means = [sizes[region == one].mean() for one in range(region.max() + 1)]
            place = int(np.argmax(means))
            votes = np.zeros(8)
            for y, x in zip(*np.nonzero(region == place)):
                degrees = np.degrees(np.arctan2(changes[1, y, x], changes[0, y, x]))
                part, low = np.modf(degrees % 360 / 45)
                votes[int(low) % 8] += sizes[y, x] * (1 - part)
                votes[(int(low) + 1) % 8] += sizes[y, x] * part
            at = 4 * number + 2 * component
            assert found[at] == place + 1
            assert found[at + 1] == votes.argmax() + 1


def test_the_frame_of_the_fastest_motion_is_found():
    frames = moving_square((0, 1), (20, 10), num_frames=3)
    later = moving_square((0, 3), (20, 13), num_frames=2)
    found = motion_statistics(np.concatenate([frames, later[1:]]))
    assert found[12] == 3  # from the third frame to the fourth


def test_what_does_not_move_has_the_first_of_all_numbers():
    still = np.repeat(scene(np.random.default_rng(0))[None], 4, axis=0)
    assert motion_statistics(still)[[0, 2, 4, 6, 8, 10]].tolist() == [1] * 6


# ---------------------------------------------------------------------- appearance


def test_blocks_whose_colors_change_most_and_least_are_found_with_their_colors():
    frames = np.full((4, SIZE, SIZE, 3), 200, np.uint8)
    for number, frame in enumerate(frames):
        frame[:, ::2] += np.uint8(number)  # half of all pixels
        frame[:32, 32:64] = (200, 10, 10)  # block 2, which does not change
        frame[64:96, 96:] = (10 + number, 60 * number, 255 - number)  # block 12
    found = appearance_statistics(frames)
    assert found[:4].tolist() == [12, 1, 2, 7]  # blue in 3 of 4 frames; red
    assert found[12] == 4  # white


def test_overlap_of_colors_is_that_of_histograms():
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    region = np.repeat([[0, 0, 1, 1]], 4, axis=0)
    frames[1, :2, :2] = 50  # half of region 0 in the second frame
    # 8 and 4 + 4 pixels: 4 in common of 12.
    assert color_overlap(frames, region).tolist() == pytest.approx([4 / 12, 1])
    frames[1, :2, :2, 0] = 0  # of green and blue alone
    assert color_overlap(frames, region)[0] == pytest.approx((1 + 2 / 3) / 3)


def test_colors_are_halves_of_red_green_and_blue():
    order = [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (0, 0, 0), (0, 1, 0)]
    order += [(1, 0, 0), (1, 1, 0)]
    for number, color in enumerate(order, start=1):
        frames = np.full((2, 8, 8, 3), np.multiply(color, 255), np.uint8)
        assert appearance_statistics(frames)[12] == number


# ----------------------------------------------------------------------- the input


@pytest.mark.parametrize(("input", "count"), [("frames", 27), ("differences", 14)])
def test_batches_have_the_statistics_of_their_clips(tmp_path, input, count):
    write_data_set(tmp_path)
    recipe = ClipRecipe(3, 2, 32, "dense", question="statistics", input=input)
    clips = pipeline.training_clips(
        DataConfig(str(tmp_path)),
        Manifest.load(str(tmp_path)),
        recipe,
        batch_size=4,
        seed=0,
    )
    batch = next(iter(clips))
    assert batch["targets"].shape == (4, count)
    clip = batch["clips"][2].numpy()
    if input == "frames":
        wanted = appearance_statistics(clip)
        np.testing.assert_array_equal(batch["targets"][2, 14:], wanted)
    else:
        wanted = motion_statistics(np.ascontiguousarray(clip[..., 0]))
        np.testing.assert_array_equal(batch["targets"][2], wanted)
