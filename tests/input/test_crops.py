import functools

import numpy as np
import pytest
import tensorflow as tf

from vie_tf.input.augmentation import crops


def windows(recipe, height=320, width=426, num_draws=500):
    """[num_draws, 4]: top, left, height, width."""
    draw = tf.function(recipe)
    size = tf.constant(height), tf.constant(width)
    draws = np.random.default_rng(0).random([num_draws, crops.NUM_DRAWS])
    return np.array([draw(*size, tf.constant(d, tf.float32)) for d in draws])


def test_a_random_resize_is_the_crop_of_a_frame_resized_to_256_up_to_320():
    tops, lefts, heights, widths = windows(crops.random_short_side_crop).T
    np.testing.assert_array_equal(heights, widths)
    # 224 of 320 pixels, and 224 / 256 of 320.
    assert (heights.min(), heights.max()) == (224, 280)
    assert tops.min() == 0
    assert np.max(tops + heights) == 320
    assert np.max(lefts + widths) > 420


def test_the_test_window_is_seven_eighths_of_the_shortest_side_in_the_middle():
    window = crops.center(tf.constant(320), tf.constant(426))
    np.testing.assert_array_equal(window, [20, 73, 280, 280])


@pytest.mark.parametrize(
    ("height", "width", "wanted"),
    [(320, 426, [0, 53, 320, 320]), (426, 320, [53, 0, 320, 320])],
)
def test_after_multi_scale_crops_the_whole_short_side_is_tested(height, width, wanted):
    whole = crops.TEST_WINDOWS["multi_scale_crop"]
    window = whole(tf.constant(height), tf.constant(width))
    np.testing.assert_array_equal(window, wanted)


def test_a_crop_of_the_whole_frame_has_most_of_both_sides():
    tops, lefts, heights, widths = windows(crops.whole_frame).T
    assert (heights.min(), heights.max()) == (224, 320)  # 70% of 320
    assert (widths.min(), widths.max()) == (298, 426)
    assert np.corrcoef(heights, widths)[0, 1] < 0.2
    assert tops.min() == lefts.min() == 0
    assert (np.max(tops + heights), np.max(lefts + widths)) == (320, 426)


def test_after_crops_of_the_whole_frame_all_of_it_is_tested():
    window = crops.TEST_WINDOWS["whole_frame"](tf.constant(320), tf.constant(426))
    np.testing.assert_array_equal(window, [0, 0, 320, 426])


def test_a_squeezed_crop_is_that_of_112_of_136_pixels_of_each_side():
    tops, lefts, heights, widths = windows(crops.random_squeezed_crop).T
    # 320 * 112 / 136 = 263.5 and 426 * 112 / 136 = 350.8
    assert set(heights) == {264} and set(widths) == {351}
    assert (tops.min(), tops.max(), lefts.min(), lefts.max()) == (0, 56, 0, 75)
    center = crops.TEST_WINDOWS["random_squeezed_crop"]
    window = center(tf.constant(320), tf.constant(426))
    np.testing.assert_array_equal(window, [28, 37, 264, 351])


def test_every_crop_has_a_test_window():
    assert crops.TEST_WINDOWS.keys() == crops.CROPS.keys()


# Left, top, right and bottom of center, top left, top right, bottom left and bottom
# right, as the authors' loader has them.
@pytest.mark.parametrize(
    "scale,boxes",
    [
        (
            0,
            [
                [53, 0, 373, 320],
                [0, 0, 320, 320],
                [106, 0, 426, 320],
                [0, 0, 320, 320],
                [106, 0, 426, 320],
            ],
        ),
        (
            1,
            [
                [79, 26, 347, 294],
                [0, 0, 269, 269],
                [157, 0, 426, 269],
                [0, 51, 269, 320],
                [157, 51, 426, 320],
            ],
        ),
        (
            2,
            [
                [100, 47, 326, 273],
                [0, 0, 226, 226],
                [200, 0, 426, 226],
                [0, 94, 226, 320],
                [200, 94, 426, 320],
            ],
        ),
        (
            3,
            [
                [118, 65, 308, 255],
                [0, 0, 190, 190],
                [236, 0, 426, 190],
                [0, 130, 190, 320],
                [236, 130, 426, 320],
            ],
        ),
        (
            4,
            [
                [133, 80, 293, 240],
                [0, 0, 160, 160],
                [266, 0, 426, 160],
                [0, 160, 160, 320],
                [266, 160, 426, 320],
            ],
        ),
    ],
)
def test_multi_scale_windows_are_the_authors(scale, boxes):
    for place, (left, top, right, bottom) in enumerate(boxes):
        window = crops.multi_scale_window(
            tf.constant(320),
            tf.constant(426),
            tf.constant(crops.SCALES[scale]),
            tf.constant(place),
        )
        np.testing.assert_array_equal(window, [top, left, bottom - top, right - left])


def test_multi_scale_draws_every_scale_in_every_place():
    drawn = windows(crops.multi_scale_crop)
    # The whole height has two places fewer; an odd center is a pixel smaller.
    assert len({tuple(window) for window in drawn}) == 3 + 4 * 5
    assert set(drawn[:, 2]) == {320, 269, 268, 226, 190, 160}


def test_the_least_area_is_20_percent_where_it_is_asked_for():
    """The authors' recipe for ImageNet: areas of 20 to 100%, aspects of 3:4 to 4:3."""
    recipe = functools.partial(crops.random_resized_crop, min_area=0.2)
    tops, lefts, heights, widths = windows(recipe, 500, 500).T
    areas, aspects = heights * widths / 500**2, widths / heights
    assert 0.195 < areas.min() < 0.23 and 0.85 < areas.max() <= 1.0
    assert 0.74 < aspects.min() < 0.78 and 1.28 < aspects.max() < 1.35
    assert np.max(tops + heights) <= 500 and np.max(lefts + widths) <= 500


def test_an_area_is_that_of_its_draw():
    draws = np.full(crops.NUM_DRAWS, 0.5, np.float32)
    draws[0] = 0.25  # a quarter of the way from 20% to 100%: 40%
    window = crops.random_resized_crop(
        tf.constant(1000), tf.constant(1000), tf.constant(draws), min_area=0.2
    )
    side = round(1000 * 0.4**0.5)
    np.testing.assert_array_equal(window[2:], [side, side])


def test_random_areas_have_the_asked_sizes_and_shapes():
    tops, lefts, heights, widths = windows(crops.random_resized_crop).T
    shares = heights * widths / (320 * 426)
    assert 0.07 < shares.min() < 0.12
    assert 0.8 < shares.max() <= 1.0
    aspects = widths / heights
    assert 0.74 < aspects.min() < 0.8
    assert 1.27 < aspects.max() < 1.35
    assert np.max(tops + heights) <= 320
    assert np.max(lefts + widths) <= 426
    # As many wide ones as tall ones, for small windows that always fit.
    small = shares < 0.4
    assert 0.4 < np.mean(aspects[small] > 1) < 0.6


def test_a_shape_that_never_fits_becomes_the_largest_window_in_the_center():
    for window in windows(crops.random_resized_crop, 20, 1000, 20):
        top, left, height, width = window
        assert (top, height) == (0, 20) or height < 20
        assert width <= 27
        if height == 20:
            assert (left, width) == ((1000 - 27) // 2, 27)


@pytest.mark.parametrize("recipe", crops.CROPS.values())
@pytest.mark.parametrize("height,width", [(1, 1), (2, 500), (33, 32)])
def test_windows_lie_inside_of_tiny_frames(recipe, height, width):
    for top, left, window_height, window_width in windows(recipe, height, width, 50):
        assert 0 <= top <= height - window_height
        assert 0 <= left <= width - window_width
        assert min(window_height, window_width) >= 1


@pytest.mark.parametrize("recipe", crops.CROPS.values())
def test_windows_differ_from_draw_to_draw(recipe):
    assert len(np.unique(windows(recipe, num_draws=50), axis=0)) > 5
