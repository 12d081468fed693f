import numpy as np
import pytest

from data_prep.decode.opencv import cv2
from data_prep.decode.whole_pictures import WholePictures


class Capture:
    """A file of one-colored pictures, 40 milliseconds apart."""

    def __init__(self, colors):
        self._colors, self._place = colors, -1

    def grab(self):
        self._place += 1
        return self._place < len(self._colors)

    def retrieve(self):
        color = self._colors[self._place]
        return color is not None, np.full([2, 2, 3], color or 0, np.uint8)

    def get(self, property_id):
        return 40.0 * self._place if property_id == cv2.CAP_PROP_POS_MSEC else 25.0


def read(colors):
    """Stamps and colors of the pictures that come out."""
    pictures, found = WholePictures(Capture(colors)), []
    assert pictures.get(cv2.CAP_PROP_FPS) == 25.0
    while pictures.grab():
        converted, pixels = pictures.retrieve(None)
        stamp = pictures.get(cv2.CAP_PROP_POS_MSEC)
        found.append((stamp, pixels[0, 0, 0] if converted else None))
    return found


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 2], [1, 2]),
        ([1, 1, 2], [1, 1, 2]),
        ([1], [1]),
        ([], []),
        ([1, None], [1, None]),
    ],
)
def test_a_copy_at_the_end_is_left_out(colors, expected):
    assert read(colors) == [(40.0 * n, color) for n, color in enumerate(expected)]
