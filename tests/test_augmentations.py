import numpy as np
import pytest
import tensorflow as tf

from vie_tf import augmentations


def reference_frame():
    """The frame that the reference values of Pillow were computed on."""
    y, x = np.mgrid[0:48, 0:64]
    channels = [
        127 + 120 * np.sin(x / 7 + y / 11),
        127 + 110 * np.cos(x / 5 - y / 9),
        127 + 100 * np.sin((x + 2 * y) / 13),
    ]
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)


def to_bytes(clip):
    return np.round(np.asarray(clip) * 255).astype(int)


SAMPLED = [(0, 0), (5, 9), (17, 30), (31, 40)]  # row, column


# What Pillow's ImageEnhance gives at these positions (authors' loader).
@pytest.mark.parametrize(
    "operation,amount,wanted",
    [
        (
            augmentations.adjust_brightness,
            0.7,
            [[88, 165, 88], [171, 113, 158], [51, 44, 20], [154, 76, 158]],
        ),
        (
            augmentations.adjust_brightness,
            1.4,
            [[177, 255, 177], [255, 226, 255], [103, 89, 40], [255, 152, 255]],
        ),
        (
            augmentations.adjust_contrast,
            0.6,
            [[126, 192, 126], [197, 147, 185], [94, 88, 67], [182, 115, 185]],
        ),
        (
            augmentations.adjust_contrast,
            1.4,
            [[127, 255, 127], [255, 176, 255], [53, 39, 0], [255, 102, 255]],
        ),
        (
            augmentations.adjust_saturation,
            0.6,
            [[153, 219, 153], [224, 174, 213], [69, 63, 42], [194, 127, 198]],
        ),
        (
            augmentations.adjust_saturation,
            1.4,
            [[101, 255, 101], [255, 149, 238], [78, 64, 15], [245, 90, 254]],
        ),
    ],
)
def test_color_operations_equal_pillows_within_rounding(operation, amount, wanted):
    clip = tf.constant(reference_frame()[None] / 255.0, tf.float32)
    result = to_bytes(operation(clip, amount))[0]
    # Pillow truncates where we round, and rounds its gray image to bytes.
    actual = [result[position] for position in SAMPLED]
    np.testing.assert_allclose(actual, wanted, atol=1)


@pytest.mark.parametrize(
    "turns,wanted",
    [
        (0.25, [[127, 184, 237], [245, 219, 162], [29, 74, 41], [226, 156, 109]]),
        (-0.4, [[237, 127, 169], [162, 245, 230], [47, 29, 74], [109, 226, 172]]),
    ],
)
def test_hue_equals_pillows_within_its_quantisation(turns, wanted):
    clip = tf.constant(reference_frame()[None] / 255.0, tf.float32)
    result = to_bytes(augmentations.adjust_hue(clip, turns))[0]
    # Pillow keeps hue in 256 steps of a turn: up to 6 / 256 of the colour's range.
    actual = [result[position] for position in SAMPLED]
    np.testing.assert_allclose(actual, wanted, atol=6)


def test_gray_has_the_mean_of_pillows_gray():
    clip = tf.constant(reference_frame()[None] / 255.0, tf.float32)
    result = to_bytes(augmentations.gray(clip))
    np.testing.assert_array_equal(result[..., 0], result[..., 2])
    assert result.mean() == pytest.approx(125.4339, abs=0.2)


def test_contrast_turns_about_the_mean_of_each_frame():
    grays = tf.constant([0.2, 0.6])[:, None, None, None]
    dark_and_light = grays * tf.ones([2, 4, 4, 3])
    result = augmentations.adjust_contrast(dark_and_light, 0.0)
    np.testing.assert_allclose(result, dark_and_light, atol=1e-6)


def test_all_frames_of_a_clip_get_the_same_color_and_flip():
    frame = tf.random.stateless_uniform([8, 8, 3], [0, 0])
    clip = tf.stack([frame] * 5)
    for number in range(20):
        seed = tf.constant([3, number])
        changed = augmentations.random_color(clip, seed)
        changed = augmentations.random_flip(changed, seed)
        np.testing.assert_array_equal(changed[0], changed[4])


def test_color_noise_differs_from_seed_to_seed_and_not_within_one():
    clip = tf.random.stateless_uniform([1, 8, 8, 3], [0, 0])
    first = augmentations.random_color(clip, tf.constant([0, 1]))
    np.testing.assert_array_equal(
        first, augmentations.random_color(clip, tf.constant([0, 1]))
    )
    assert not np.allclose(first, augmentations.random_color(clip, tf.constant([0, 2])))


def test_three_clips_in_ten_become_gray():
    clip = tf.random.stateless_uniform([1, 2, 2, 3], [0, 0])
    color = tf.function(augmentations.random_color)
    results = [color(clip, tf.constant([number, 5])) for number in range(300)]
    is_gray = [bool(np.ptp(result.numpy(), axis=-1).max() < 1e-6) for result in results]
    assert 0.22 < np.mean(is_gray) < 0.38


def test_half_of_the_clips_are_flipped():
    clip = tf.constant([0.0, 1.0])[None, None, :, None] * tf.ones([1, 1, 2, 3])
    flipped = [
        bool(augmentations.random_flip(clip, tf.constant([number, 0]))[0, 0, 0, 0])
        for number in range(300)
    ]
    assert 0.4 < np.mean(flipped) < 0.6


def test_the_window_is_the_crop_of_a_frame_resized_to_256_up_to_320():
    windows = np.array(
        [
            augmentations.random_window(
                tf.constant(320), tf.constant(426), tf.constant([0, number])
            )
            for number in range(500)
        ]
    )
    tops, lefts, heights, widths = windows.T
    np.testing.assert_array_equal(heights, widths)
    # 224 of 320 pixels, and 224 / 256 of 320.
    assert (heights.min(), heights.max()) == (224, 280)
    assert tops.min() == 0
    assert np.max(tops + heights) == 320
    assert np.max(lefts + widths) > 420


def test_the_test_window_is_seven_eighths_of_the_shortest_side_in_the_middle():
    window = augmentations.center_window(tf.constant(320), tf.constant(426))
    np.testing.assert_array_equal(window, [20, 73, 280, 280])


@pytest.mark.parametrize("height,width", [(1, 1), (2, 500), (33, 32)])
def test_windows_lie_inside_of_tiny_frames(height, width):
    for number in range(50):
        top, left, side, _ = augmentations.random_window(
            tf.constant(height), tf.constant(width), tf.constant([1, number])
        ).numpy()
        assert 0 <= top <= height - side
        assert 0 <= left <= width - side
        assert side >= 1


def test_decoding_a_window_equals_decoding_then_cutting():
    jpeg = tf.io.encode_jpeg(reference_frame(), quality=95)
    window = tf.constant([10, 20, 16, 16])
    whole = tf.io.decode_jpeg(jpeg)[10:26, 20:36]
    part = augmentations.decode_window(tf.stack([jpeg, jpeg]), window, 16, 2)
    # The outermost pixels differ: their chroma has no neighbour to be blended with.
    np.testing.assert_array_equal(part[1, 1:-1, 1:-1], whole[1:-1, 1:-1])


def test_augmentation_works_inside_a_data_set_as_outside():
    frames = tf.stack([tf.io.encode_jpeg(reference_frame())] * 3)

    def augment(seed):
        return augmentations.augment_for_training(frames, 48, 64, 32, 3, seed)

    seed = tf.constant([4, 2])
    inside = next(iter(tf.data.Dataset.from_tensors(seed).map(augment)))
    assert inside.shape == (3, 32, 32, 3)
    assert inside.dtype == tf.uint8
    np.testing.assert_allclose(inside, augment(seed), atol=1)
