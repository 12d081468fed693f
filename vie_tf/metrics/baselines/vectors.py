"""Baselines: embeddings of videos that have learned nothing.

Comes in: gray frames of a video.  Goes out: one vector, so that what a network has
learned can be compared with what pixels and motion give without learning.

    pixels             gray thumbnails of five frames
    difference_pixels  thumbnails of |frame t + 2 - frame t| at five moments
    motion_map         the mean of these over the whole video: where something moves
    flow_histogram     directions of the optical flow in a grid of cells

The mean of each vector is removed and its norm is 1, so that dot products are cosines
which neither brightness nor the amount of motion decides.

Letters: F frames of a video, T frames that are read, N videos, D dimension.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator

import cv2
import numpy as np

from vie_tf.metrics.features import unit_norm

THUMBNAIL = 16  # height and width of what is compared
NUM_MOMENTS = 5
# In frames: at 25 per second, a limb moves by about a pixel of a small frame.
STEP = 2
# Differences are taken of frames of this size, which hides noise and compression.
_DIFFERENCE_SIZE = 2 * THUMBNAIL
_FLOW_SIZE = 64
_FLOW_CELLS, _FLOW_DIRECTIONS = 4, 8
# Pairs of frames of a video that are read: all of ten seconds, a sample of more.
MAX_PAIRS = 250
_MAX_FLOW_PAIRS = 32  # optical flow takes some milliseconds

GrayFrames = Callable[[np.ndarray], Iterator[np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Baseline:
    """An embedding that has learned nothing.

    Attributes:
      vector_of: maps a reader of gray frames, the first frame and the number of frames
        to a vector [D]; the reader yields [H, W] uint8 for rising frame indices.
      size: D.
      meaning: what is compared, in words.
    """

    vector_of: Callable[[GrayFrames, int, int], np.ndarray]
    size: int
    meaning: str


def pixels(read: GrayFrames, first: int, count: int) -> np.ndarray:
    """Gray thumbnails of five equally spaced frames, [1280]."""
    moments = first + equally_spaced(count, NUM_MOMENTS)
    return np.concatenate([_resized(f, THUMBNAIL).ravel() for f in read(moments)])


def difference_pixels(read: GrayFrames, first: int, count: int) -> np.ndarray:
    """Thumbnails of |frame t + 2 - frame t| at five moments, [1280]."""
    step = min(STEP, count - 1)
    starts = first + equally_spaced(count - step, NUM_MOMENTS)
    return np.concatenate(
        [_resized(d, THUMBNAIL).ravel() for d in _differences(read, starts, step)]
    )


def motion_map(read: GrayFrames, first: int, count: int) -> np.ndarray:
    """Mean of |frame t + 2 - frame t| over the whole video, a thumbnail [256].

    Of long videos, 250 equally spaced pairs are taken.
    """
    step = min(STEP, count - 1)
    starts = first + sampled(count - step, MAX_PAIRS)
    total = np.zeros([_DIFFERENCE_SIZE, _DIFFERENCE_SIZE])
    for difference in _differences(read, starts, step):
        total += difference
    return _resized(total / len(starts), THUMBNAIL).ravel()


def flow_histogram(read: GrayFrames, first: int, count: int) -> np.ndarray:
    """Optical flow by direction in a grid of cells, [4 * 4 * 8].

    A pixel adds the length of its flow to one of eight directions of its cell
    (Farneback's method in OpenCV), and pairs of frames are averaged.
    """
    step = min(1, count - 1)
    starts = first + sampled(count - step, _MAX_FLOW_PAIRS)
    histogram = np.zeros(_FLOW_CELLS**2 * _FLOW_DIRECTIONS)
    for before, after in _pairs(read, starts, step, _FLOW_SIZE):
        flow = cv2.calcOpticalFlowFarneback(
            before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0
        )  # [S, S, 2], in pixels to the right and down
        histogram += _directions(flow)
    return histogram / len(starts)


BASELINES = {
    "pixels": Baseline(
        pixels, NUM_MOMENTS * THUMBNAIL**2, "gray thumbnails of five frames"
    ),
    "difference_pixels": Baseline(
        difference_pixels,
        NUM_MOMENTS * THUMBNAIL**2,
        "thumbnails of the difference of two frames at five moments",
    ),
    "motion_map": Baseline(
        motion_map, THUMBNAIL**2, "mean difference of frames over the whole video"
    ),
    "flow_histogram": Baseline(
        flow_histogram,
        _FLOW_CELLS**2 * _FLOW_DIRECTIONS,
        "directions of the optical flow in a grid of cells",
    ),
}

MOVING = tuple(name for name in BASELINES if name != "pixels")


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Removes the mean of each vector [..., D] and scales it to unit norm, float32."""
    centered = vectors - vectors.mean(axis=-1, keepdims=True)
    return unit_norm(centered).astype(np.float32)


def equally_spaced(count: int, number: int) -> np.ndarray:
    """Returns `number` positions within 0 .. count - 1, away from both ends, [number].

    Positions repeat where `count` is small.
    """
    return np.linspace(0, count - 1, number + 2)[1:-1].astype(int)


def sampled(count: int, most: int) -> np.ndarray:
    """Returns all positions 0 .. count - 1, or `most` equally spaced ones."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(int)


def _resized(frame: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)


def _differences(
    read: GrayFrames, starts: np.ndarray, step: int
) -> Iterator[np.ndarray]:
    """Yields |frame t + step - frame t| for every t of `starts`, [32, 32] float64."""
    for before, after in _pairs(read, starts, step, _DIFFERENCE_SIZE):
        yield np.abs(after.astype(float) - before)


def _pairs(
    read: GrayFrames, starts: np.ndarray, step: int, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the frames t and t + step for every t of rising `starts`, made small."""
    wanted = np.unique(np.concatenate([starts, starts + step]))
    frames = zip(wanted.tolist(), read(wanted))
    small: dict[int, np.ndarray] = {}
    for start in starts.tolist():
        while start + step not in small:
            number, frame = next(frames)
            small[number] = _resized(frame, size)
        for number in [number for number in small if number < start]:
            del small[number]
        yield small[start], small[start + step]


def _directions(flow: np.ndarray) -> np.ndarray:
    """Sums the lengths of a flow [S, S, 2] by cell and direction, [cells * 8]."""
    size = len(flow)
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    turns = angle / (2 * np.pi) * _FLOW_DIRECTIONS
    direction = np.round(turns).astype(int) % _FLOW_DIRECTIONS  # [S, S]
    cell = np.arange(size) * _FLOW_CELLS // size
    cell = cell[:, None] * _FLOW_CELLS + cell  # [S, S]
    place = cell * _FLOW_DIRECTIONS + direction
    num_places = _FLOW_CELLS**2 * _FLOW_DIRECTIONS
    return np.bincount(place.ravel(), length.ravel(), num_places)
