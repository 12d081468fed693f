"""Aligns the frames of two videos in time and, if one is cropped, in the picture.

The shift in time is the one at which all frames together agree best.  Windows of
several sizes of one video are looked for in the other, coarsely, and the best one is
registered exactly: scale and place in both directions, with gain and offset of
brightness, by Gauss-Newton steps on some aligned frames.

Letters: F frames of a video, S side of a frame, A aligned frames.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator

import cv2
import numpy as np

from vie_tf.drawing.frame_series import PER_SECOND, SIDE, STRETCH_SECS, FrameSeries

# Where windows are looked for, at half the size.
_COARSE_SIDE = 24
_COARSE_WINDOWS = (24, 22, 20, 18, 16, 14)
_PROBES = (0.25, 0.75)  # places in the shorter video that are looked for
_MOST_COARSE = 48  # frames among which they are looked for
_LEAST_SCORE = 0.7  # correlation of a window with its place
_LEAST_OVERLAP = 0.8  # of the shorter video
_LEAST_FRAMES = int(0.75 * STRETCH_SECS * PER_SECOND)  # where only parts are read
_LEAST_INSIDE = 0.15  # of a frame
_REGISTERED = 8  # frames
_STEPS = {2.0: 6, 0.0: 6}  # by the smoothing in pixels: from far, and then exactly
_SCALES = (0.5, 2.0)  # a window of less than half of a picture is something else


@dataclasses.dataclass(frozen=True)
class Alignment:
    """Two videos whose frames lie upon each other.

    Attributes:
      long: frames of the longer video, [F, S, S] float32.
      numbers: positions in it of the aligned frames, [A].
      short_numbers: positions of the same in the shorter video, [A].
      short: frames of the shorter video, moved to their places, [A, S, S] float32.
      inside: pixels that these reach, [S, S] bool.
    """

    long: np.ndarray
    numbers: np.ndarray
    short_numbers: np.ndarray
    short: np.ndarray
    inside: np.ndarray


def alignments(one: FrameSeries, other: FrameSeries) -> Iterator[Alignment]:
    """Yields the ways in which two videos may lie upon each other, simplest first."""
    longer, shorter = sorted((one, other), key=lambda s: len(s.moments), reverse=True)
    pair = _Pair(longer, shorter)
    whole = pair.aligned(np.eye(2, 3, dtype=np.float32))
    if whole is not None:
        yield whole
    for is_short_cropped in (True, False):  # Either may be the cropped one.
        warp = _window(pair.long, pair.short, is_short_cropped)
        coarse = None if warp is None else pair.aligned(warp)
        if warp is None or coarse is None:
            continue
        warp = pair.registered(coarse, warp)
        exact = None if warp is None else pair.aligned(warp)
        if exact is not None:
            yield exact


class _Pair:
    """Frames of two videos, and their moments."""

    def __init__(self, longer: FrameSeries, shorter: FrameSeries) -> None:
        self.long = longer.pixels().astype(np.float32)
        self.short = shorter.pixels().astype(np.float32)
        self._moments = longer.moments, shorter.moments
        least = int(_LEAST_OVERLAP * len(self.short))
        if any(m[-1] - m[0] >= len(m) for m in self._moments):
            least = min(least, _LEAST_FRAMES)
        self._least = max(1, least)

    def aligned(self, warp: np.ndarray) -> Alignment | None:
        """Aligns both in time, as a map [2, 3] from places of the longer one says."""
        moved, inside = _warped(self.short, warp)
        if inside.mean() < _LEAST_INSIDE:
            return None
        shift = self._shift(moved, inside)
        if shift is None:
            return None
        long_moments, short_moments = self._moments
        places = np.searchsorted(long_moments, short_moments + shift)
        places = np.minimum(places, len(long_moments) - 1)
        is_there = long_moments[places] == short_moments + shift
        chosen = np.flatnonzero(is_there)
        return Alignment(self.long, places[chosen], chosen, moved[chosen], inside)

    def _shift(self, moved: np.ndarray, inside: np.ndarray) -> int | None:
        """Returns the place of the short video in the long one, by all their frames."""
        chosen = cv2.erode(inside.astype(np.uint8), np.ones([3, 3], np.uint8)) > 0
        if not chosen.any():
            return None
        # Brightness does not count.
        long, short = (_normalized(v[:, chosen]) for v in (self.long, moved))
        shifts = self._moments[0][:, None] - self._moments[1]  # [F of long, F of short]
        lowest = int(shifts.min())
        ranks = (shifts - lowest).ravel()
        counts = np.bincount(ranks)
        sums = np.bincount(ranks, (long @ short.T).ravel())
        possible = np.flatnonzero(counts >= self._least)
        if not len(possible):
            return None
        means = sums[possible] / counts[possible]
        return lowest + int(possible[np.argmax(means)])

    def registered(self, coarse: Alignment, warp: np.ndarray) -> np.ndarray | None:
        """Makes a map exact by some aligned frames; None if it leads elsewhere."""
        some = np.linspace(0, len(coarse.numbers) - 1, _REGISTERED).astype(int)
        some = np.unique(some)
        target = self.long[coarse.numbers[some]]
        source = self.short[coarse.short_numbers[some]]
        # scale and place, horizontally and vertically
        start = np.array([warp[0, 0], warp[0, 2], warp[1, 1], warp[1, 2]], np.float64)
        place: np.ndarray | None = start
        for smoothing, steps in _STEPS.items():
            if place is not None:
                smooth = _smoothed(target, smoothing), _smoothed(source, smoothing)
                place = _gauss_newton(*smooth, place, steps)
        return None if place is None else _map_of(place)


def _map_of(place: np.ndarray) -> np.ndarray:
    rows = [[place[0], 0.0, place[1]], [0.0, place[2], place[3]]]
    return np.array(rows, np.float32)


def _gauss_newton(
    target: np.ndarray, source: np.ndarray, place: np.ndarray, steps: int
) -> np.ndarray | None:
    """Improves scale and place of a map from `target` to `source`, both [A, S, S]."""
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    slopes = [np.gradient(source, axis=axis) for axis in (2, 1)]
    for _ in range(steps):
        warp = _map_of(place)
        moved, inside = _warped(source, warp)
        if inside.mean() < _LEAST_INSIDE:
            return None
        right, below = (_warped(slope, warp)[0] for slope in slopes)
        columns = [moved, np.ones_like(moved), right * across, right]
        columns += [below * down, below]
        rows = np.stack([one[:, inside].ravel() for one in columns], axis=1)
        rows = rows.astype(np.float64)
        products = rows.T @ rows + 1e-3 * np.eye(len(columns))
        found = np.linalg.solve(products, rows.T @ target[:, inside].ravel())
        if found[0] < 1e-2:  # of the contrast: nothing to hold on to
            return None
        place = place + found[2:] / found[0]
        if not all(_SCALES[0] <= scale <= _SCALES[1] for scale in place[::2]):
            return None
    return place


def _window(
    long: np.ndarray, short: np.ndarray, is_short_cropped: bool
) -> np.ndarray | None:
    """Looks for windows of one video in the other.

    Returns:
      [2, 3] float32, maps places of the longer video to those of the shorter one; None
      where nothing is like the window, or nothing more than the whole picture.
    """
    numbers = sorted({int(place * (len(short) - 1)) for place in _PROBES})
    probes = [_resized(short[number], _COARSE_SIDE) for number in numbers]
    spread = np.unique(np.linspace(0, len(long) - 1, _MOST_COARSE).astype(int))
    others = [_resized(frame, _COARSE_SIDE) for frame in long[spread]]
    inner, outer = (probes, others) if is_short_cropped else (others, probes)
    best, found = _LEAST_SCORE, (0, 0, 0)
    for side in _COARSE_WINDOWS:
        for window in [_resized(frame, side) for frame in inner]:
            for frame in outer:
                scores = cv2.matchTemplate(frame, window, cv2.TM_CCOEFF_NORMED)
                _, score, _, (left, top) = cv2.minMaxLoc(scores)
                if best < score <= 1.001:  # beyond it, of frames without contrast
                    best, found = score, (side, left, top)
    if found[0] in (0, _COARSE_SIDE):
        return None
    scale = _COARSE_SIDE / found[0]
    left, top = (place * SIDE / _COARSE_SIDE for place in found[1:])
    to_inner = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    # Places are middles of pixels.
    to_inner[:, 2] += (scale - 1) / 2
    warp = to_inner if is_short_cropped else cv2.invertAffineTransform(to_inner)
    return np.asarray(warp, np.float32)


def _normalized(pixels: np.ndarray) -> np.ndarray:
    """Removes mean and scale of each frame [F, pixels]."""
    rows = pixels - pixels.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return np.asarray(rows)


def _warped(frames: np.ndarray, warp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moves frames [F, S, S], and says which pixels [S, S] they reach."""
    if np.array_equal(warp, np.eye(2, 3)):
        return frames, np.ones([SIDE, SIDE], bool)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (SIDE, SIDE)
    moved = [cv2.warpAffine(frame, warp, size, flags=way) for frame in frames]
    ones = np.ones([SIDE, SIDE], np.float32)
    return np.stack(moved), cv2.warpAffine(ones, warp, size, flags=way) > 0.999


def _smoothed(frames: np.ndarray, pixels: float) -> np.ndarray:
    if not pixels:
        return frames
    return np.stack([cv2.GaussianBlur(frame, (0, 0), pixels) for frame in frames])


def _resized(frame: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
