"""The motions that are the classes of generated videos.

A motion is an affine map of the picture about the center of the frame, for each time.
Every class is its own mirror image (it has both horizontal directions, or none),
because training flips clips.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Callable

import numpy as np

# All per frame.  Fast enough to be visible in 8 frames at half their size, slow enough
# for a picture to overlap with the one 16 frames later.
_SHIFT_PIXELS = (0.8, 2.5)
_TURN_DEGREES = (2.0, 5.0)
ZOOM_LOG = (0.02, 0.04)
# At the fastest moment of an oscillation.
_SHIFT_PEAK_PIXELS = (1.5, 3.0)
_TURN_PEAK_DEGREES = (3.0, 6.0)
_ZOOM_PEAK_LOG = (0.03, 0.06)
_PERIOD_FRAMES = (8.0, 14.0)


@dataclasses.dataclass(frozen=True)
class Draw:
    """Random numbers of a video.

    Attributes:
      direction: -1 or 1.
      strength: position in the range of the motion's speed, 0 to 1.
      period: period of an oscillation, in frames.
      phase: phase of an oscillation, in radians.
      pixel: size of a pixel, relative to frames with a shortest side of 96.
    """

    direction: int
    strength: float
    period: float
    phase: float
    pixel: float

    @classmethod
    def random(cls, rng: np.random.Generator, pixel: float) -> Draw:
        """Draws all random numbers."""
        return cls(
            direction=int(rng.choice((-1, 1))),
            strength=float(rng.uniform()),
            period=float(rng.uniform(*_PERIOD_FRAMES)),
            phase=float(rng.uniform(0, 2 * math.pi)),
            pixel=pixel,
        )

    def between(self, limits: tuple[float, float]) -> float:
        """Returns the value at the position `strength` of a range."""
        return limits[0] + self.strength * (limits[1] - limits[0])

    def shift(self) -> float:
        """Returns the speed of a shift in pixels per frame."""
        return self.between(_SHIFT_PIXELS) * self.pixel

    def swing(self, peak: float, frame: float, quarter: float = 0.0) -> float:
        """Returns a sine over time whose steepest slope is `peak` per frame."""
        angle = 2 * math.pi * (frame / self.period + quarter / 4) + self.phase
        return peak * self.period / (2 * math.pi) * math.sin(angle)

    def shift_swing(self, frame: float, quarter: float = 0.0) -> float:
        """Returns the position of an oscillating shift in pixels."""
        return self.swing(self.between(_SHIFT_PEAK_PIXELS) * self.pixel, frame, quarter)


def _shift(right: float, down: float) -> np.ndarray:
    return np.array([[1.0, 0.0, right], [0.0, 1.0, down]])


def _turn(degrees: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])


def _zoom(log_scale: float) -> np.ndarray:
    scale = math.exp(log_scale)
    return np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])


# A motion maps (draw, frame number) to a [2, 3] affine map of the picture, about the
# center of the frame, x to the right and y down, in pixels.  A data set of C classes
# has the first C of them.
MOTIONS: dict[str, Callable[[Draw, float], np.ndarray]] = {
    "pan": lambda draw, frame: _shift(draw.direction * draw.shift() * frame, 0.0),
    "rise": lambda draw, frame: _shift(0.0, -draw.shift() * frame),
    "fall": lambda draw, frame: _shift(0.0, draw.shift() * frame),
    "zoom_in": lambda draw, frame: _zoom(draw.between(ZOOM_LOG) * frame),
    "zoom_out": lambda draw, frame: _zoom(-draw.between(ZOOM_LOG) * frame),
    "rotate": lambda draw, frame: _turn(
        draw.direction * draw.between(_TURN_DEGREES) * frame
    ),
    "shake": lambda draw, frame: _shift(draw.shift_swing(frame), 0.0),
    "bob": lambda draw, frame: _shift(0.0, draw.shift_swing(frame)),
    "swing": lambda draw, frame: _turn(
        draw.swing(draw.between(_TURN_PEAK_DEGREES), frame)
    ),
    "pulse": lambda draw, frame: _zoom(draw.swing(draw.between(_ZOOM_PEAK_LOG), frame)),
    "orbit": lambda draw, frame: _shift(
        draw.direction * draw.shift_swing(frame), draw.shift_swing(frame, quarter=1.0)
    ),
    "still": lambda draw, frame: _shift(0.0, 0.0),
}
