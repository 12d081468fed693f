"""The authors' recipe for one clip with Pillow, frame by frame.

Open, resize the shortest side, crop, color jitter, flip: what a loader of PyTorch does
in each of its workers.  The draw is given, so that results can be compared.
"""

from __future__ import annotations

import dataclasses
import io
from typing import Sequence

import numpy as np
from PIL import Image, ImageEnhance


@dataclasses.dataclass(frozen=True)
class Draw:
    """The random choices for one clip.

    Attributes:
      shortest: side that frames are resized to, in pixels.
      top: of the crop, as a share of the room that there is.
      left: likewise.
      factors: of brightness, contrast and saturation, and turns of hue.
      order: of these four.
      is_gray: whether the clip becomes gray.
      flip: whether it is mirrored.
    """

    shortest: int
    top: float
    left: float
    factors: tuple[float, float, float, float]
    order: tuple[int, int, int, int]
    is_gray: bool
    flip: bool

    @classmethod
    def random(cls, rng: np.random.Generator, crop_size: int) -> Draw:
        """Draws as in section 4 of the paper."""
        low, high = crop_size * 8 // 7, crop_size * 10 // 7
        factors = [*rng.uniform(0.6, 1.4, 3), rng.uniform(-0.4, 0.4)]
        return cls(
            shortest=int(rng.integers(low, high + 1)),
            top=rng.random(),
            left=rng.random(),
            factors=tuple(factors),
            order=tuple(rng.permutation(4)),
            is_gray=rng.random() < 0.3,
            flip=rng.random() < 0.5,
        )


def load_clip(frames: Sequence[bytes], crop_size: int, draw: Draw) -> np.ndarray:
    """Makes a clip of JPEG frames [T].

    Returns:
      [T, S, S, 3] uint8.
    """
    return np.stack([_load_frame(frame, crop_size, draw) for frame in frames])


def _load_frame(jpeg: bytes, size: int, draw: Draw) -> np.ndarray:
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    scale = draw.shortest / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    top, left = int(draw.top * (height - size)), int(draw.left * (width - size))
    image = image.crop((left, top, left + size, top + size))
    image = recolor(image, draw)
    if draw.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(image)


def recolor(image: Image.Image, draw: Draw) -> Image.Image:
    """Jitters the colors of an RGB image."""
    enhancers = ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color
    for number in draw.order:
        if number < 3:
            image = enhancers[number](image).enhance(draw.factors[number])
        else:
            image = _turn_hue(image, draw.factors[3])
    return image.convert("L").convert("RGB") if draw.is_gray else image


def _turn_hue(image: Image.Image, turns: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    levels = np.asarray(hue) + np.uint8(int(turns * 255) % 256)  # bytes wrap around
    turned = Image.fromarray(levels, "L")
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
