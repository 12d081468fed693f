import cv2
import numpy as np
import pytest
import tensorflow as tf
from frame_fixtures import reference_frame

from vie_tf.input.augmentation import augmentations

LARGE = cv2.resize(reference_frame(), (256, 192), interpolation=cv2.INTER_CUBIC)


def jpegs(frame, count=2, quality=95):
    return tf.stack([tf.io.encode_jpeg(frame, quality=quality)] * count)


def test_decoding_a_window_equals_decoding_then_cutting():
    frames = jpegs(reference_frame())
    whole = tf.io.decode_jpeg(frames[0])[10:26, 20:36]
    parts = augmentations.decode_window(frames, tf.constant([10, 20, 16, 16]), 16)
    # The outermost pixels differ: their chroma has no neighbor to be blended with.
    np.testing.assert_array_equal(parts[1][1:-1, 1:-1], whole[1:-1, 1:-1])


@pytest.mark.parametrize("crop_size,wanted", [(100, 150), (75, 75), (40, 75), (37, 37)])
def test_the_decoder_shrinks_large_windows_to_no_less_than_the_crop(crop_size, wanted):
    window = tf.constant([20, 30, 150, 150])
    (part,) = augmentations.decode_window(jpegs(LARGE, 1), window, crop_size)
    assert part.shape == (wanted, wanted, 3)


@pytest.mark.parametrize("window", [[0, 0, 192, 192], [33, 77, 150, 150]])
def test_shrinking_in_the_decoder_looks_like_shrinking_by_area(window):
    top, left, height, width = window
    (part,) = augmentations.decode_window(jpegs(LARGE, 1), tf.constant(window), 36)
    # It begins on a multiple of the ratio, 4, and has whole pixels.
    top, left, side = top // 4 * 4, left // 4 * 4, height // 4 * 4
    cut = LARGE[top : top + side, left : left + side]
    wanted = cv2.resize(cut, part.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(part.numpy().astype(int) - wanted).mean() < 3


def augment(seed, frames=None, **options):
    frames = jpegs(reference_frame(), 3) if frames is None else frames
    return augmentations.augment_for_training(frames, 48, 64, 32, seed, **options)


@pytest.mark.parametrize("portable", [False, True])
def test_augmentation_works_inside_a_data_set_as_outside(portable):
    seed = tf.constant([4, 2])
    inside = tf.data.Dataset.from_tensors(seed).map(
        lambda seed: augment(seed, portable=portable)
    )
    clip = next(iter(inside))
    assert clip.shape == (3, 32, 32, 3)
    assert clip.dtype == tf.uint8
    np.testing.assert_allclose(clip, augment(seed, portable=portable), atol=1)


@pytest.mark.parametrize(
    "crop",
    [
        "random_short_side_crop",
        "multi_scale_crop",
        "random_resized_crop",
        "random_squeezed_crop",
        "whole_frame",
    ],
)
def test_all_frames_of_a_clip_are_augmented_alike_and_clips_are_not(crop):
    first, second = (augment(tf.constant([0, n]), crop=crop) for n in range(2))
    np.testing.assert_array_equal(first[0], first[2])
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize("portable", [False, True])
def test_jitter_moves_each_frame_by_itself_and_by_no_more(portable):
    columns = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 3, [48, 1, 3])
    options = {"color": "none", "frame_jitter": 5, "portable": portable}
    moves = set()
    for number in range(20):
        seed = tf.constant([0, number])
        clip = augment(seed, jpegs(columns, 4), **options).numpy().astype(int)
        assert clip.shape == (4, 32, 32, 3)
        # A window of 42 columns becomes 42 pixels, in which frames move by 10 pixels
        # at most: three gray levels each.
        means = clip.mean(axis=(1, 2, 3))
        moves.add(len(set(np.round(means))))
        assert np.ptp(means) < 32
    assert max(moves) == 4


def test_jitter_gives_each_frame_colors_of_its_own():
    plain = np.full([48, 64, 3], [200, 120, 60], np.uint8)
    clip = augment(tf.constant([0, 1]), jpegs(plain, 4), frame_jitter=1).numpy()
    assert len({tuple(frame[0, 0]) for frame in clip}) == 4
    alike = augment(tf.constant([0, 1]), jpegs(plain, 4)).numpy()
    assert len({tuple(frame[0, 0]) for frame in alike}) == 1


def test_both_frames_of_a_difference_are_jittered_alike():
    frames = jpegs(reference_frame(), 4)  # two frames, each with one like it
    options = {"frame_jitter": 5, "input": "differences"}
    clip = augment(tf.constant([0, 3]), frames, **options).numpy()
    assert clip.shape == (2, 32, 32, 2)
    np.testing.assert_array_equal(clip[..., 0], clip[..., 1])
    assert not np.array_equal(clip[0], clip[1])


def test_half_of_the_clips_are_flipped():
    rising = np.tile(np.arange(64, dtype=np.uint8)[None, :, None], [48, 1, 3])
    frames = jpegs(rising, 1)
    function = tf.function(lambda seed: augment(seed, frames, color="none"))
    clips = [function(tf.constant([n, 0])).numpy() for n in range(200)]
    flipped = [int(clip[0, 0, 0, 0]) > int(clip[0, 0, -1, 0]) for clip in clips]
    assert 0.4 < np.mean(flipped) < 0.6


def test_the_test_transform_is_the_center_without_color():
    clip = augmentations.transform_for_test(jpegs(reference_frame(), 2), 48, 64, 32)
    # 7 / 8 of 48 pixels, in the middle.
    wanted = cv2.resize(reference_frame()[3:45, 11:53], (32, 32))
    assert np.abs(clip[0].numpy().astype(int) - wanted).mean() < 3
