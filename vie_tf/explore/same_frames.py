"""Whether two videos show the same frames: re-encoded, cropped, brighter or cut.

An embedding says that the same thing happens in two videos.  This says that it is the
same recording.  Another take in the same room has the same walls, so it is what moves
that decides: the frames of both are aligned, and their differences from what stands
still are compared, pixel by pixel and moment by moment.  Where nothing moves, the
pictures themselves decide.

Letters: S side of a frame, A aligned frames, P phases.
"""

from __future__ import annotations

import cv2
import numpy as np

from vie_tf.drawing.frame_series import FrameSeries
from vie_tf.explore.frame_alignment import Alignment, alignments

_MOST_COMPARED = 48  # frames, those in which most moves
# Two videos are sampled at other moments; in steps between two frames.
_PHASES = (0.0, -0.5, 0.5, -1.0, 1.0)
_NOISE = 2.5  # gray levels, of codecs
_LEAST_MOVING = 0.004  # of the pixels, or nothing moves
# Gray levels beyond which pictures are cut off when they are made brighter or darker.
_DARKEST, _BRIGHTEST = 6.0, 240.0
_LEAST_COMPARED = 0.15  # of a frame
_GAINS = (0.3, 3.0)
_BLOCK = 8  # side of the squares in which pictures are compared
_LEAST_CONTRAST = 6.0  # gray levels; in fog and darkness everything is alike
_QUANTILE = 0.8  # of the frames; a few may be wrong at a cut
NO_MATCH = 9.99
SAME = 0.14  # largest difference of a copy (python -m benchmarks.doubles)
# How much of `SAME` a local difference of pictures is, in their standard deviations.
_BESIDE_MOTION, _WITHOUT_MOTION = 0.14, 0.385


def difference(one: FrameSeries, other: FrameSeries) -> float:
    """Returns how much two videos differ.

    Returns:
      The fraction of what moves in them that moves otherwise, 0 to 1, where their
      pictures agree; more where these do not; 9.99 where the videos cannot be aligned.
    """
    if not len(one.moments) or not len(other.moments):
        return NO_MATCH
    least = NO_MATCH
    for alignment in alignments(one, other):
        least = min(least, difference_at(alignment))
        if least <= SAME:
            break
    return least


def difference_at(alignment: Alignment) -> float:
    """Compares two videos as they lie upon each other; see `difference`."""
    motion, local = measure(alignment)
    if local >= NO_MATCH:
        return NO_MATCH
    if motion is None:
        return min(NO_MATCH, _WITHOUT_MOTION * local)
    return min(NO_MATCH, max(motion, _BESIDE_MOTION * local))


def measure(alignment: Alignment) -> tuple[float | None, float]:
    """Measures by how much two aligned videos differ.

    Returns:
      The fraction of what moves that moves otherwise, None if nothing moves; and the
      mean difference in the block of a frame that differs most, in standard deviations
      of the frame, in the frames that agree less than most others.
    """
    long, short = alignment.long[alignment.numbers], alignment.short
    # A pixel at the edge of what is seen is a mixture.
    inside = cv2.erode(alignment.inside.astype(np.uint8), np.ones([3, 3], np.uint8)) > 0
    still, other_still = np.median(long, axis=0), np.median(short, axis=0)
    busy = _busiest(long - still, short - other_still, inside)
    long, short = long[busy], short[busy]
    seen = inside & ~_cut_off(still[None], other_still[None])
    seen = seen & ~_cut_off(long, short)  # [A, S, S]
    if seen.mean() < _LEAST_COMPARED * inside.mean():
        return None, NO_MATCH
    gain, offset = _brightness(long[seen], short[seen])
    if not _GAINS[0] < gain < _GAINS[1]:
        return None, NO_MATCH
    noise = _NOISE * max(1.0, gain)  # which was made brighter with the picture
    moved = gain * (short - other_still)
    moves = np.maximum(np.abs(long - still), np.abs(moved))
    moves[~seen | (moves < noise)] = 0.0
    rests = []
    for phase in _PHASES:
        then = _at_phase(alignment.long, alignment.numbers[busy], phase)
        rest = np.abs(then - still - moved) - noise / 2
        rest[moves == 0] = 0.0
        rests.append(np.maximum(rest, 0.0).sum(axis=(1, 2)))
    phases = np.argmin(rests, axis=0)
    total = float(moves.sum())
    motion = float(np.min(rests, axis=0).sum()) / max(total, 1e-6)
    then = _at_phase(alignment.long, alignment.numbers[busy], np.array(_PHASES)[phases])
    local = _local_difference(then, gain * short + offset, seen)
    is_moving = (moves > 0).mean() >= _LEAST_MOVING * inside.mean()
    return (motion if is_moving else None), local


def _busiest(one: np.ndarray, other: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns positions of the frames [A, S, S] in which most moves, rising."""
    activity = (np.abs(one) + np.abs(other))[:, inside].sum(axis=1)
    # Where nothing moves, an empty room is a copy of itself.
    busiest = np.argsort(-activity, kind="stable")[: max(1, len(activity) // 2)]
    some = np.linspace(0, len(busiest) - 1, _MOST_COMPARED).astype(int)
    return np.unique(busiest[some])


def _cut_off(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns pixels [A, S, S] that are black or white in one of two videos."""
    found = (np.minimum(one, other) < _DARKEST) | (np.maximum(one, other) > _BRIGHTEST)
    # As far as frames are smoothed, a pixel is a mixture of its neighbors.
    near = np.ones([9, 9], np.uint8)
    return np.stack([cv2.dilate(frame, near) for frame in found.astype(np.uint8)]) > 0


def _brightness(target: np.ndarray, source: np.ndarray) -> tuple[float, float]:
    """Returns gain and offset that make `source` most like `target`."""
    centered = source - source.mean()
    spread = float((centered**2).mean())
    if spread < 1e-6:
        return 1.0, float(target.mean() - source.mean())
    gain = float((centered * (target - target.mean())).mean()) / spread
    return gain, float(target.mean() - gain * source.mean())


def _at_phase(
    frames: np.ndarray, numbers: np.ndarray, phase: float | np.ndarray
) -> np.ndarray:
    """Returns frames at moments between those of a video, in steps, [A, S, S]."""
    phases = np.broadcast_to(phase, numbers.shape)
    beside = np.clip(numbers + np.sign(phases).astype(int), 0, len(frames) - 1)
    weights = np.abs(phases)[:, None, None].astype(np.float32)
    return (1 - weights) * frames[numbers] + weights * frames[beside]


def _local_difference(one: np.ndarray, other: np.ndarray, seen: np.ndarray) -> float:
    """Returns the mean difference of the block that differs most, in most frames."""
    found = []
    rest = np.where(seen, np.abs(one - other), 0.0)
    for number, frame in enumerate(rest):
        contrast = float(one[number][seen[number]].std()) if seen[number].any() else 0.0
        largest = float(cv2.blur(frame, (_BLOCK, _BLOCK)).max())
        found.append(largest / max(contrast, _LEAST_CONTRAST))
    return float(np.quantile(found, _QUANTILE))
