"""Videos whose frames look alike, as candidates for doubles.

An embedding is made to see what happens, not the recording: a cropped or brighter copy
may lie far from its original.  Frames of 12 x 12 pixels find those, for all videos at
once: whole frames are compared with windows of other frames, as differences from what
the frames of the collection have in common.

Letters: V videos, F frames of each, P pixels of a frame.
"""

from __future__ import annotations

from typing import Mapping

import numpy as np

from vie_tf.metrics.features import unit_norm

_SIDE = 12
_NUM_FRAMES = 6
# Windows: what they keep of height and width, and their places in each direction.
_WINDOWS = {0.9: 3, 0.8: 5, 0.7: 5}
_VIDEOS_AT_ONCE = 32


def pairs(
    frames: Mapping[int, np.ndarray], num_neighbors: int, with_windows: bool = True
) -> dict[tuple[int, int], float]:
    """Returns for each video those whose frames are most alike.

    Args:
      frames: frames of `spread`, [F, S, S] uint8, by the position of the video; videos
        without frames are left out.
      num_neighbors: number of videos for each.
      with_windows: whether cropped videos are looked for, which takes 60 times as long.

    Returns:
      Likeness by pairs of positions, the smaller one first: the mean over the frames of
      one of the largest cosine to a frame, or window, of the other.
    """
    videos = [video for video, of_video in sorted(frames.items()) if len(of_video)]
    if len(videos) < 2:
        return {}
    chosen = np.stack([spread(frames[video]) for video in videos]).astype(np.float32)
    whole = _pixels(chosen, (0, 0, 1.0))  # [V, F, P]
    likeness = np.full([len(videos), len(videos)], -1.0, np.float32)
    for window in _windows() if with_windows else _windows()[:1]:
        parts = _pixels(chosen, window)
        mean = parts.mean(axis=(0, 1))
        np.maximum(likeness, _likeness(whole - mean, parts - mean), out=likeness)
    likeness = np.maximum(likeness, likeness.T)
    np.fill_diagonal(likeness, -1.0)
    found = {}
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :num_neighbors]
    for one, others in enumerate(nearest.tolist()):
        for other in others:
            if other != one:
                key = min(one, other), max(one, other)
                found[videos[key[0]], videos[key[1]]] = float(likeness[key])
    return found


def spread(frames: np.ndarray) -> np.ndarray:
    """Returns some frames of a video [F, S, S], at equal distances."""
    if not len(frames):
        return frames
    return frames[np.linspace(0, len(frames) - 1, _NUM_FRAMES).astype(int)]


def _likeness(whole: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Compares all frames of all videos, both [V, F, P]; returns [V, V]."""
    count, num_frames, num_pixels = whole.shape
    # Frames before videos, as a maximum over the last axis takes longer than products.
    columns = unit_norm(parts).swapaxes(0, 1).reshape(-1, num_pixels).T
    rows = []
    for start in range(0, count, _VIDEOS_AT_ONCE):
        some = unit_norm(whole[start : start + _VIDEOS_AT_ONCE])
        cosines = some.reshape(-1, num_pixels) @ columns
        cosines = cosines.reshape(-1, num_frames, num_frames, count)
        rows.append(cosines.max(axis=2).mean(axis=1))
    return np.concatenate(rows)


def _windows() -> list[tuple[float, float, float]]:
    """Returns top, left and size of the whole frame and of its windows, from 0 to 1."""
    windows = [(0.0, 0.0, 1.0)]
    for kept, num_places in _WINDOWS.items():
        places = np.linspace(0.0, 1.0 - kept, num_places).tolist()
        windows += [(top, left, kept) for top in places for left in places]
    return windows


def _pixels(frames: np.ndarray, window: tuple[float, float, float]) -> np.ndarray:
    """Cuts a window of frames [V, F, S, S]: [V, F, P], without mean and contrast."""
    top, left, size = window
    rows, columns = (_cells(frames.shape[2], start, size) for start in (top, left))
    # Whole gray levels, as one gray level everywhere would become noise.
    cells = np.rint(rows @ frames @ columns.T)
    pixels = cells.reshape(*frames.shape[:2], _SIDE * _SIDE)
    return unit_norm(pixels - pixels.mean(axis=-1, keepdims=True))


def _cells(num_pixels: int, start: float, size: float) -> np.ndarray:
    """Returns by how much pixels of a line lie in equal cells of a part of it.

    Args:
      num_pixels: pixels of the line, N.
      start: where the part begins, from 0 to 1.
      size: its length, from 0 to 1.

    Returns:
      [cells, N] float32; a product with it is the mean of each cell.
    """
    edges = num_pixels * (start + size * np.linspace(0, 1, _SIDE + 1))[:, None]
    pixels = np.arange(num_pixels)
    ends = np.minimum(pixels + 1, edges[1:])
    overlaps = np.maximum(ends - np.maximum(pixels, edges[:-1]), 0.0)
    return (overlaps / (edges[1:] - edges[:-1])).astype(np.float32)
