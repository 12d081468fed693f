import cv2
import numpy as np
import pytest
import tensorflow as tf
from frame_fixtures import (
    PILLOWS_COLORS,
    PILLOWS_HUES,
    PILLOWS_RESIZED,
    SAMPLED,
    reference_frame,
)

from vie_tf.input.augmentation import augmentations, color_jitter, opencv_ops


def sampled(clip):
    return [clip[0][position].astype(int) for position in SAMPLED]


@pytest.mark.parametrize("operation,amount,wanted", PILLOWS_COLORS)
def test_color_operations_equal_pillows(operation, amount, wanted):
    result = getattr(opencv_ops, operation)(reference_frame()[None], amount)
    # Saturation is mixed from a gray that Pillow rounds first.
    atol = 1 if operation == "adjust_saturation" else 0
    np.testing.assert_allclose(sampled(result), wanted, atol=atol)


@pytest.mark.parametrize("turns,wanted", PILLOWS_HUES)
def test_hue_equals_pillows_within_its_quantization(turns, wanted):
    result = opencv_ops.adjust_hue(reference_frame()[None], turns)
    # Both keep 256 steps of a turn, but round differently.
    np.testing.assert_allclose(sampled(result), wanted, atol=3)


def test_gray_equals_pillows_within_rounding():
    result = opencv_ops.gray(reference_frame()[None])
    wanted = [[192] * 3, [194] * 3, [63] * 3, [156] * 3]
    np.testing.assert_allclose(sampled(result), wanted, atol=1)


def test_resizing_equals_pillows_but_for_its_antialiasing():
    # 48 x 64 to 32 x 42.  Pillow blurs as it shrinks by 1.5, OpenCV does not: on these
    # waves of some pixels' length it makes up to 9 levels of difference.
    result = cv2.resize(reference_frame(), (42, 32), interpolation=cv2.INTER_LINEAR)
    actual = [result[position].astype(int) for position in SAMPLED[:3]]
    np.testing.assert_allclose(actual, PILLOWS_RESIZED, atol=9)


def draw_of(seed):
    draws = np.random.default_rng(seed).random(color_jitter.NUM_DRAWS)
    return color_jitter.draw(tf.constant(draws, tf.float32))


def transformed(portable, implementation, number, flip=True):
    rng = np.random.default_rng(number)
    # Two frames of soft colors, larger than the crop.
    frames = [cv2.GaussianBlur(reference_frame(), (0, 0), 1 + n) for n in range(2)]
    frames = [np.roll(frame, rng.integers(40), axis=1) for frame in frames]
    return augmentations.transform(
        [tf.constant(frame) for frame in frames],
        32,
        implementation=implementation,
        color=draw_of(number),
        flip=tf.constant(flip),
        portable=portable,
    ).numpy()


@pytest.mark.parametrize("implementation,atol", [("none", 1), ("fast", 2)])
@pytest.mark.parametrize("number", range(8))
def test_opencv_and_tensorflow_agree_within_rounding(implementation, atol, number):
    quick, portable = (
        transformed(is_portable, implementation, number).astype(int)
        for is_portable in (False, True)
    )
    np.testing.assert_allclose(quick, portable, atol=atol)


@pytest.mark.parametrize("number", range(12))
def test_the_exact_forms_agree_within_rounding_and_the_steps_of_hue(number):
    quick, portable = (
        transformed(is_portable, "exact", number).astype(int)
        for is_portable in (False, True)
    )
    # Bytes between operations, and 256 steps of hue: some levels, enlarged by contrast.
    assert np.abs(quick - portable).mean() < 2.5
    assert np.abs(quick - portable).max() <= 16


def test_a_flip_mirrors_all_frames():
    plain, mirrored = (transformed(False, "none", 0, flip) for flip in (False, True))
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    assert np.any(mirrored != plain)


@pytest.mark.parametrize("implementation", ["exact", "fast"])
def test_all_frames_of_a_clip_get_the_same_color(implementation):
    frame = tf.constant(reference_frame())
    for number in range(10):
        clip = opencv_ops.transform(
            [frame] * 3,
            24,
            implementation=implementation,
            color=draw_of(number),
            flip=tf.constant(number % 2 == 0),
        )
        np.testing.assert_array_equal(clip[0], clip[2])
