"""Whether two videos show the same frames: re-encoded, cropped, brighter or cut.

An embedding says that the same thing happens in two videos.  This says that it is the
same recording.  The shift in time is the one at which all frames together agree best;
if they do not, windows of several sizes are looked for, and the best one is registered
exactly.  What is left of each aligned frame after the best gain and offset of
brightness is then compared block by block: in another take of the same room the person
differs, if nothing else does.

Letters: F frames of a video, S side of a frame.
"""

from __future__ import annotations

import cv2
import numpy as np

from vie_tf.drawing.thumbnails import FrameRequest

# All frames are squeezed into squares, so that a video that was squeezed is the same.
_SIDE = 48
REQUEST = FrameRequest(per_second=10.0, most=240, height=72, width=96)
# Where windows are looked for, at half the size.
_COARSE_SIDE = 24
_COARSE_WINDOWS = tuple(range(24, 13, -1))
_PROBES = (0.2, 0.5, 0.8)  # places in the shorter video that are looked for
_EVERY = 3  # frames of the longer video among which they are looked for
_LEAST_OVERLAP = 0.8  # of the shorter video
_CLOSE_FRAMES = (-1, 0, 1)  # two videos are sampled at other moments
_PHASE = 0.25  # of the change over two steps
_BLOCK = 8  # side of the squares in which frames are compared
_FRAMES_COMPARED = 40
# Of the differences of all frames; a few may be wrong at a cut.
_QUANTILE = 0.8
# Gray levels beyond which pictures are cut off when they are made brighter or darker.
_DARKEST, _BRIGHTEST = 6.0, 240.0
_LEAST_COMPARED = 0.15  # of a frame
_LEAST_CONTRAST = 6.0  # gray levels; in fog and darkness everything is alike
NO_MATCH = 9.99
SAME = 0.36  # largest difference of a copy (python -m benchmarks.doubles)


def prepare(frames: np.ndarray) -> np.ndarray:
    """Makes frames [F, H, W, 3] uint8 RGB comparable: [F, S, S] uint8 gray."""
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    small = [_resized(one, _SIDE) for one in gray]
    # Details depend on the size that a frame had before.
    soft = [cv2.GaussianBlur(one, (0, 0), 0.8) for one in small]
    return np.asarray(soft, np.uint8).reshape(-1, _SIDE, _SIDE)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Returns how much two videos differ where they differ most.

    Args:
      one: [F, S, S] uint8 of `prepare`.
      other: the same of another video.

    Returns:
      The mean difference in the block of a frame that differs most, divided by the
      standard deviation of the frame, in the frames that agree less than most others;
      9.99 where the videos cannot be aligned.
    """
    if not len(one) or not len(other):
        return NO_MATCH
    long, short = sorted((one, other), key=len, reverse=True)
    long, short = long.astype(np.float32), short.astype(np.float32)
    identity = np.eye(2, 3, dtype=np.float32)
    found = _difference_at(long, short, identity)
    if found <= SAME:
        return found
    # Either may be the cropped one.
    windows = _window(long, short, True), _window(long, short, False)
    return min(
        found,
        _difference_at(long, short, windows[0]),
        _difference_at(long, short, windows[1]),
    )


def _difference_at(long: np.ndarray, short: np.ndarray, warp: np.ndarray) -> float:
    """Compares two videos, whose places are related by a map, at the best shift.

    Args:
      long: frames of the longer video.
      short: frames of the shorter one.
      warp: [2, 3], maps places of the longer video to those of the shorter one.
    """
    moved, inside = _warped(short, warp)
    shift = _shift(long, moved, inside)
    if not np.array_equal(warp, np.eye(2, 3)):
        warp = _registered(long, short, shift, warp)
        moved, inside = _warped(short, warp)
        shift = _shift(long, moved, inside)
    if inside.mean() < _LEAST_COMPARED:
        return NO_MATCH
    first, end = max(0, -shift), min(len(short), len(long) - shift)
    numbers = np.arange(first, end)
    activity = _activity(long)[numbers + shift] + _activity(short)[numbers]
    # Where nothing moves, an empty room is a copy of itself.
    busiest = np.argsort(-activity, kind="stable")[: max(1, len(numbers) // 2)]
    some = np.linspace(0, len(busiest) - 1, _FRAMES_COMPARED).astype(int)
    numbers = np.unique(numbers[busiest[some]])
    differences = []
    for number in numbers:
        near = [number + shift + step for step in _CLOSE_FRAMES]
        near = [place for place in near if 0 <= place < len(long)]
        change = np.ptp(long[near], axis=0)  # [S, S], between moments of sampling
        differences.append(
            min(_frame_difference(long[n], moved[number], inside, change) for n in near)
        )
    return float(np.quantile(differences, _QUANTILE))


def _activity(frames: np.ndarray) -> np.ndarray:
    """Returns how much each frame [F, S, S] differs from the still background, [F]."""
    rest = np.abs(frames - np.median(frames, axis=0))
    return np.array([cv2.blur(one, (_BLOCK, _BLOCK)).max() for one in rest])


def _shift(long: np.ndarray, short: np.ndarray, inside: np.ndarray) -> int:
    """Returns the place of the short video in the long one, by all their frames."""
    chosen = cv2.erode(inside.astype(np.uint8), np.ones([3, 3], np.uint8)) > 0
    if not chosen.any():
        return 0
    # Brightness does not count.
    rows = [_normalized(v[:, chosen]) for v in (long, short)]
    agreement = rows[0] @ rows[1].T  # [F of long, F of short]
    most = len(short)
    least = max(1, int(_LEAST_OVERLAP * most))
    shifts = range(least - most, len(long) - least + 1)
    means = [float(np.diagonal(agreement, -shift).mean()) for shift in shifts]
    return shifts[int(np.argmax(means))]


def _normalized(pixels: np.ndarray) -> np.ndarray:
    """Removes mean and scale of each frame [F, pixels]."""
    rows = pixels - pixels.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return np.asarray(rows)


def _window(long: np.ndarray, short: np.ndarray, is_short_cropped: bool) -> np.ndarray:
    """Looks for windows of one video in the other.

    Returns:
      [2, 3] float32, maps places of the longer video to those of the shorter one.
    """
    numbers = sorted({int(place * (len(short) - 1)) for place in _PROBES})
    probes = [_resized(short[number], _COARSE_SIDE) for number in numbers]
    others = [_resized(frame, _COARSE_SIDE) for frame in long[::_EVERY]]
    inner, outer = (probes, others) if is_short_cropped else (others, probes)
    best, found = -1.0, (_COARSE_SIDE, 0, 0)
    for side in _COARSE_WINDOWS:
        for window in [_resized(frame, side) for frame in inner]:
            for frame in outer:
                scores = cv2.matchTemplate(frame, window, cv2.TM_CCOEFF_NORMED)
                _, score, _, (left, top) = cv2.minMaxLoc(scores)
                if score > best:
                    best, found = score, (side, left, top)
    scale = _COARSE_SIDE / found[0]
    left, top = (place * _SIDE / _COARSE_SIDE for place in found[1:])
    to_inner = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    warp = to_inner if is_short_cropped else cv2.invertAffineTransform(to_inner)
    return np.asarray(warp, np.float32)


def _registered(
    long: np.ndarray, short: np.ndarray, shift: int, warp: np.ndarray
) -> np.ndarray:
    """Makes a map exact by the mean of some aligned frames."""
    first, end = max(0, -shift), min(len(short), len(long) - shift)
    numbers = np.unique(np.linspace(first, end - 1, 8).astype(int))
    target, source = long[numbers + shift].mean(axis=0), short[numbers].mean(axis=0)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    exact = warp.copy()
    try:
        for smoothing in (7, 1):  # pixels; from far, and then exactly
            _, exact = cv2.findTransformECC(
                target, source, exact, cv2.MOTION_AFFINE, stop, None, smoothing
            )
    except cv2.error:  # It does not converge on what is no copy.
        return warp
    return np.asarray(exact, np.float32)


def _warped(frames: np.ndarray, warp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moves frames [F, S, S], and says which pixels [S, S] they reach."""
    if np.array_equal(warp, np.eye(2, 3)):
        return frames, np.ones([_SIDE, _SIDE], bool)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (_SIDE, _SIDE)
    moved = [cv2.warpAffine(frame, warp, size, flags=way) for frame in frames]
    ones = np.ones([_SIDE, _SIDE], np.float32)
    return np.stack(moved), cv2.warpAffine(ones, warp, size, flags=way) > 0.999


def _frame_difference(
    one: np.ndarray, other: np.ndarray, inside: np.ndarray, change: np.ndarray
) -> float:
    """Returns the mean difference of the block that differs most.

    The brightness of `other` is first fitted to that of `one`.  Pixels that are cut off
    at black or white in one of them are not compared, and what a pixel changes in half
    the time between two frames is no difference.
    """
    cut_off = np.minimum(one, other) < _DARKEST
    cut_off |= np.maximum(one, other) > _BRIGHTEST
    # A pixel beside one of these is a mixture of both.
    cut_off = cv2.dilate(cut_off.astype(np.uint8), np.ones([3, 3], np.uint8)) > 0
    seen = inside & ~cut_off
    if seen.mean() < _LEAST_COMPARED * inside.mean():
        return NO_MATCH
    target, source = one[seen], other[seen]
    spread, contrast = float(source.std()), float(target.std())
    if min(spread, contrast) < 1e-3:
        return 0.0 if max(spread, contrast) < 1e-3 else NO_MATCH
    centered = source - source.mean()
    gain = float((centered * (target - target.mean())).mean()) / spread**2
    if not 0.3 < gain < 3.0:
        return NO_MATCH
    rest = np.zeros_like(one)
    rest[seen] = np.abs(target - target.mean() - gain * centered)
    rest = np.maximum(rest - _PHASE * change, 0.0)
    largest = float(cv2.blur(rest, (_BLOCK, _BLOCK)).max())
    return largest / max(contrast, _LEAST_CONTRAST)


def _resized(frame: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
