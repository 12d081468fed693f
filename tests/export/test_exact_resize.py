import cv2
import numpy as np
import pytest
import tensorflow as tf

from vie_tf.export.exact_resize import resize


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        *((40, 40, 40), (64, 64, 32), (37, 53, 32), (53, 37, 98), (128, 171, 112)),
        *((1, 1, 5), (1, 300, 64), (300, 2, 33), (7, 254, 52), (223, 223, 224)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_are_those_of_opencv(height, width, size, channels):
    draw = np.random.default_rng(height * width)
    frames = draw.integers(0, 256, (2, height, width, channels), np.uint8)
    expected = [cv2.resize(frame, (size, size)) for frame in frames]
    expected = np.reshape(expected, [2, size, size, channels])
    np.testing.assert_array_equal(resize(tf.constant(frames), size), expected)


def test_sizes_need_not_be_known_before_the_call():
    spec = tf.TensorSpec([None, None, None, 3], tf.uint8)
    resized = tf.function(lambda frames: resize(frames, 8), input_signature=[spec])
    frames = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), np.uint8)
    assert resized(frames).shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(resized(frames), resize(tf.constant(frames), 8))
