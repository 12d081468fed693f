import numpy as np
import pytest
import tensorflow as tf
from frame_fixtures import PILLOWS_COLORS, PILLOWS_HUES, SAMPLED, reference_frame

from vie_tf.input.augmentation import color_jitter, opencv_ops


def reference_clip():
    return tf.constant(reference_frame()[None] / 255.0, tf.float32)


def draw_of(seed):
    draws = np.random.default_rng(seed).random(color_jitter.NUM_DRAWS)
    return color_jitter.draw(tf.constant(draws, tf.float32))


def to_bytes(clip):
    return np.round(np.asarray(clip) * 255).astype(int)


@pytest.mark.parametrize("operation,amount,wanted", PILLOWS_COLORS)
def test_color_operations_equal_pillows_within_rounding(operation, amount, wanted):
    result = to_bytes(getattr(color_jitter, operation)(reference_clip(), amount))[0]
    # Pillow truncates where we round, and rounds its gray image to bytes.
    actual = [result[position] for position in SAMPLED]
    np.testing.assert_allclose(actual, wanted, atol=1)


@pytest.mark.parametrize("turns,wanted", PILLOWS_HUES)
def test_hue_equals_pillows_within_its_quantization(turns, wanted):
    result = to_bytes(color_jitter.adjust_hue(reference_clip(), turns))[0]
    # Pillow keeps hue in 256 steps of a turn: up to 6 / 256 of the color's range.
    actual = [result[position] for position in SAMPLED]
    np.testing.assert_allclose(actual, wanted, atol=6)


def test_gray_has_the_mean_of_pillows_gray():
    result = to_bytes(color_jitter.gray(reference_clip()))
    np.testing.assert_array_equal(result[..., 0], result[..., 2])
    assert result.mean() == pytest.approx(125.4339, abs=0.2)


def test_contrast_turns_about_the_mean_of_each_frame():
    grays = tf.constant([0.2, 0.6])[:, None, None, None]
    dark_and_light = grays * tf.ones([2, 4, 4, 3])
    result = color_jitter.adjust_contrast(dark_and_light, 0.0)
    np.testing.assert_allclose(result, dark_and_light, atol=1e-6)


@pytest.mark.parametrize(
    "apply", [color_jitter.apply_exact, color_jitter.apply_fast], ids=["exact", "fast"]
)
def test_all_frames_of_a_clip_get_the_same_color(apply):
    frame = tf.random.stateless_uniform([8, 8, 3], [0, 0])
    clip = tf.stack([frame] * 5)
    for number in range(20):
        changed = apply(clip, draw_of(number))
        np.testing.assert_array_equal(changed[0], changed[4])


def test_color_noise_differs_from_seed_to_seed_and_not_within_one():
    clip = tf.random.stateless_uniform([1, 8, 8, 3], [0, 0])
    first, again, other = (
        color_jitter.apply_exact(clip, draw_of(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_draws_have_the_papers_ranges():
    draws = [draw_of(number) for number in range(500)]
    for name in ("brightness", "contrast", "saturation"):
        values = [float(getattr(d, name)) for d in draws]
        assert 0.6 <= min(values) < 0.62 and 1.38 < max(values) <= 1.4
    hues = [float(d.hue) for d in draws]
    assert -0.4 <= min(hues) < -0.38 and 0.38 < max(hues) <= 0.4
    assert 0.24 < np.mean([bool(d.is_gray) for d in draws]) < 0.36
    assert len({tuple(d.order.numpy()) for d in draws}) == 24


def twin_of_bytes(clip, draw, gray_first):
    """Gray and jitter of a clip [T, H, W, 3] in 0 .. 1, in NumPy, without hue."""
    luma = np.array([0.299, 0.587, 0.114])

    def to_gray(x):
        return np.repeat((x @ luma)[..., None], 3, axis=-1)

    def contrast(x):
        mean = to_gray(x).mean(axis=(1, 2, 3), keepdims=True)
        return x * float(draw.contrast) + mean * (1 - float(draw.contrast))

    amount = float(draw.saturation)
    operations = [
        lambda x: x * float(draw.brightness),
        contrast,
        lambda x: x * amount + to_gray(x) * (1 - amount),
        lambda x: x,
    ]
    clip = to_gray(clip) if gray_first else clip
    for number in draw.order.numpy():
        clip = np.clip(operations[number](clip), 0, 1)
    return clip if gray_first else to_gray(clip)


@pytest.mark.parametrize("gray_first", [True, False])
@pytest.mark.parametrize("implementation", ["exact", "fast", "opencv"])
@pytest.mark.parametrize("number", range(3))
def test_gray_comes_before_or_after_the_rest(implementation, gray_first, number):
    draw = without_hue(draw_of(number))._replace(
        is_gray=tf.constant(True), gray_first=tf.constant(gray_first)
    )
    clip = reference_clip()
    if implementation == "fast":  # which clips once, at the end
        clip = soft_clip()
    wanted = twin_of_bytes(clip.numpy().astype(np.float64), draw, gray_first)
    if implementation == "opencv":
        frame = tf.cast(tf.round(clip[0] * 255), tf.uint8)
        size = frame.shape[0]
        square = frame[:, :size]
        wanted = twin_of_bytes(square.numpy()[None] / 255, draw, gray_first)
        actual = opencv_ops.transform(
            [square], size, implementation="exact", color=draw
        )
        # Each operation cuts down to a whole number, which the next may scale by 1.4.
        np.testing.assert_allclose(actual, wanted * 255, atol=6)
        return
    apply = getattr(color_jitter, f"apply_{implementation}")
    np.testing.assert_allclose(apply(clip, draw), wanted, atol=1e-5)


def test_gray_before_the_jitter_is_another_frame_than_gray_after_it():
    draw = without_hue(draw_of(0))._replace(is_gray=tf.constant(True))
    before = draw._replace(gray_first=tf.constant(True))
    after = color_jitter.apply_exact(reference_clip(), draw)
    assert np.abs(color_jitter.apply_exact(reference_clip(), before) - after).max() > 0


def test_gray_is_drawn_as_often_as_it_is_asked_for():
    draws = np.random.default_rng(0).random([500, color_jitter.NUM_DRAWS])
    found = [color_jitter.draw(tf.constant(d, tf.float32), 0.2, True) for d in draws]
    assert [bool(f.is_gray) for f in found] == [d[4] < 0.2 for d in draws]
    assert all(bool(f.gray_first) for f in found)


def soft_clip():
    """Colors that no operation drives to black or white."""
    return 0.4 + 0.1 * tf.random.stateless_uniform([2, 6, 6, 3], [4, 4])


def without_hue(draw):
    return draw._replace(hue=tf.constant(0.0))


@pytest.mark.parametrize("number", range(12))
def test_fast_equals_exact_where_nothing_is_cut_off_and_hue_stays(number):
    draw = without_hue(draw_of(number))
    np.testing.assert_allclose(
        color_jitter.apply_fast(soft_clip(), draw),
        color_jitter.apply_exact(soft_clip(), draw),
        atol=1e-5,
    )


def test_the_fast_hue_keeps_gray_and_brightness():
    draw = color_jitter.ColorDraw(
        *(tf.constant(1.0) for _ in range(3)),
        hue=tf.constant(0.3),
        is_gray=tf.constant(False),
        order=tf.range(4),
    )
    gray = 0.5 * tf.ones([1, 2, 2, 3])
    np.testing.assert_allclose(color_jitter.apply_fast(gray, draw), gray, atol=1e-5)
    clip = soft_clip()
    turned = color_jitter.apply_fast(clip, draw)
    assert np.abs(turned - clip).max() > 0.02
    np.testing.assert_allclose(
        color_jitter.gray(turned), color_jitter.gray(clip), atol=1e-5
    )
