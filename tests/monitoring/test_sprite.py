import numpy as np
import pytest
import tensorflow as tf

from vie_tf.monitoring import sprite


def jpeg_of(level, height=40, width=60):
    """A gray frame whose middle square has another color on the left of it."""
    frame = np.full((height, width, 3), level, np.uint8)
    frame[:, : (width - height) // 2] = 255 - level
    return tf.io.encode_jpeg(frame, quality=100).numpy()


@pytest.mark.parametrize(
    ("num_points", "wanted"),
    [(1, 64), (10_000, 64), (16_384, 64), (16_385, 63), (100_000, 25)],
)
def test_tiles_shrink_so_that_the_sprite_stays_within_8192_pixels(num_points, wanted):
    side = sprite.tile_side(num_points)
    assert side == wanted
    assert side * np.ceil(np.sqrt(num_points)) <= 8192


def test_tiles_stand_in_rows_and_show_the_middle_square():
    drawn = sprite.draw(5, lambda point: jpeg_of(20 * point))
    assert drawn.pixels.shape == (2 * 64, 3 * 64, 3)
    for point in range(5):
        top, left = 64 * (point // 3), 64 * (point % 3)
        tile = drawn.pixels[top : top + 64, left : left + 64]
        np.testing.assert_allclose(tile[:, 16:], 20 * point, atol=2)
    assert not drawn.pixels[64:, 128:].any()  # nothing is there
    assert drawn.faults == {}


def test_what_cannot_be_read_is_gray_and_said():
    def read(point):
        if point == 1:
            raise OSError("the shard ends before its frames")
        return jpeg_of(0) if point else b"\xff\xd8 no JPEG"

    drawn = sprite.draw(3, read)
    tiles = [drawn.pixels[:64, :64], drawn.pixels[:64, 64:], drawn.pixels[64:, :64]]
    assert [np.all(tile == 128) for tile in tiles] == [True, True, False]
    assert list(drawn.faults) == [0, 1]
    assert drawn.faults[1] == "the shard ends before its frames"
    assert "\n" not in drawn.faults[0]
