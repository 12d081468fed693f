"""Nearest videos, and the picture of them (Figure 2 of the paper)."""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

import cv2
import numpy as np
import tensorflow as tf

from vie_tf import records
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.memory_bank import nearest_rows
from vie_tf.records import VideoEntry

NUM_NEIGHBORS = 3  # as in Figure 2
NUM_QUERIES = 6

_FRAME_HEIGHT = 84
_FRAME_ASPECT = 4 / 3
_FRAMES_PER_STRIP = 3
_STRIP_INTERVAL = 6  # frames, a quarter of a second: motion shows, appearance stays
_GAP = 14
_TEXT_HEIGHT = 22
_MARGIN = 12
_INK = (40, 40, 40)
_RED = (200, 0, 0)
_PAPER = 255
_QUERIES_AT_ONCE = 256


@dataclasses.dataclass(frozen=True)
class Neighbors:
    """The nearest videos of every query.

    Attributes:
      rows: [Q, NUM_NEIGHBORS] positions in the gallery, nearest first.
      similarities: [Q, NUM_NEIGHBORS] cosines.
    """

    rows: np.ndarray
    similarities: np.ndarray


def nearest_videos(
    gallery: np.ndarray, queries: np.ndarray, own_rows: np.ndarray | None
) -> Neighbors:
    """Finds the nearest videos.

    Args:
      gallery: [N, D] float32, unit norm.
      queries: [Q, D] float32, unit norm.
      own_rows: [Q] rows of the gallery that are the queries themselves, None if they
        are not in it.
    """
    excluded = 0 if own_rows is None else 1
    count = min(NUM_NEIGHBORS, len(gallery) - excluded)
    rows, similarities = [], []
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        chunk = slice(start, start + _QUERIES_AT_ONCE)
        found, where = nearest_rows(
            tf.constant(gallery), tf.constant(queries[chunk]), count + excluded
        )
        for position, (values, candidates) in enumerate(
            zip(found.numpy(), where.numpy()), start=start
        ):
            kept = np.ones(len(candidates), bool)
            if own_rows is not None:
                kept = candidates != own_rows[position]
            rows.append(candidates[kept][:count])
            similarities.append(values[kept][:count])
    return Neighbors(np.array(rows), np.array(similarities))


def choose_queries(labels: Sequence[int], count: int = NUM_QUERIES) -> list[int]:
    """Chooses queries for the picture, by turns from every class.

    Chosen by position, not by result: a picture of successes only would mislead.

    Args:
      labels: of all queries.
      count: at most this many.
    """
    turn: dict[int, int] = {}
    turns = []
    for position, label in enumerate(labels):
        turns.append((turn.setdefault(label, 0), label, position))
        turn[label] += 1
    return [position for _, _, position in sorted(turns)[:count]]


def describe(
    run: RestoredRun, neighbors: Neighbors, query: int, predicted: np.ndarray | None
) -> dict[str, Any]:
    """Returns one query and its neighbours in words, for the JSON file."""
    video = run.queries[query]
    content: dict[str, Any] = {"query": video.source}
    if predicted is not None:
        content["label"] = run.manifest.class_names[video.label]
        content["predicted"] = run.manifest.class_names[predicted[query]]
    content["nearest"] = [
        {"video": run.gallery[row].source, "similarity": round(float(similarity), 4)}
        for row, similarity in zip(neighbors.rows[query], neighbors.similarities[query])
    ]
    return content


def draw(
    run: RestoredRun,
    neighbors: Neighbors,
    shown: Sequence[int],
    predicted: np.ndarray | None,
) -> np.ndarray:
    """Draws queries and their nearest videos.

    Args:
      run: whose data holds the frames.
      neighbors: of all queries.
      shown: queries to be drawn, one row each.
      predicted: [Q] labels by kNN, None without labels.  Wrong ones are red.

    Returns:
      [H, W, 3] uint8.
    """
    heads = ["query", *(f"neighbour {n + 1}" for n in range(neighbors.rows.shape[1]))]
    rows = [_beside([_head(text) for text in heads])]
    for query in shown:
        video = run.queries[query]
        lines, color = [_name(run, video)], _INK
        if predicted is not None:
            right = predicted[query] == video.label
            color = _INK if right else _RED
            lines = [
                f"GT: {run.manifest.class_names[video.label]}",
                f"Pred: {run.manifest.class_names[predicted[query]]}",
            ]
        cells = [_cell(run, video, lines, [_INK, color])]
        for row, similarity in zip(
            neighbors.rows[query], neighbors.similarities[query]
        ):
            neighbor = run.gallery[row]
            lines = [_name(run, neighbor), f"similarity {similarity:.2f}"]
            cells.append(_cell(run, neighbor, lines, [_INK, _INK]))
        rows.append(_beside(cells))
    return _framed(np.concatenate(rows))


def _name(run: RestoredRun, video: VideoEntry) -> str:
    if video.label >= 0:
        return run.manifest.class_names[video.label]
    return video.source


def _strip_size() -> tuple[int, int]:
    width = round(_FRAME_HEIGHT * _FRAME_ASPECT)
    return _FRAME_HEIGHT, width * _FRAMES_PER_STRIP


def _head(text: str) -> np.ndarray:
    _, width = _strip_size()
    cell = np.full((_TEXT_HEIGHT, width, 3), _PAPER, np.uint8)
    return _write_line(cell, text, 0, _INK)


def _cell(
    run: RestoredRun,
    video: VideoEntry,
    lines: Sequence[str],
    colors: Sequence[tuple[int, int, int]],
) -> np.ndarray:
    """A strip of three frames from the middle of the video, with text below."""
    height, width = _strip_size()
    middle = video.frames // 2
    offsets = (np.arange(_FRAMES_PER_STRIP) - _FRAMES_PER_STRIP // 2) * _STRIP_INTERVAL
    frames = records.read_frames(run.data_dir, video, list(middle + offsets))
    cell = np.full((height + 2 * _TEXT_HEIGHT + _GAP, width, 3), _PAPER, np.uint8)
    step = width // _FRAMES_PER_STRIP
    for position, frame in enumerate(frames):
        fitted = _fit(frame, height, step - 2)
        cell[:height, position * step : position * step + step - 2] = fitted
    for number, (line, color) in enumerate(zip(lines, colors)):
        cell = _write_line(cell, line, height + number * _TEXT_HEIGHT, color)
    return cell


def _fit(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Shrinks a frame into a box, on a light ground."""
    scale = min(height / frame.shape[0], width / frame.shape[1])
    size = (
        max(round(frame.shape[1] * scale), 1),
        max(round(frame.shape[0] * scale), 1),
    )
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    box = np.full((height, width, 3), 235, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = small
    return box


def _write_line(
    image: np.ndarray, text: str, top: int, color: tuple[int, int, int]
) -> np.ndarray:
    """Writes one line, cut to the width of the image."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    limit = image.shape[1]
    while len(text) > 1 and cv2.getTextSize(text, font, scale, 1)[0][0] > limit:
        text = text[:-2] + "~"
    baseline = (0, top + _TEXT_HEIGHT - 6)
    return cv2.putText(image, text, baseline, font, scale, color, 1, cv2.LINE_AA)


def _beside(cells: Sequence[np.ndarray]) -> np.ndarray:
    gap = np.full((cells[0].shape[0], _GAP, 3), _PAPER, np.uint8)
    wide = np.full((cells[0].shape[0], 2 * _GAP, 3), _PAPER, np.uint8)
    parts = [cells[0], wide]
    for cell in cells[1:]:
        parts.extend([cell, gap])
    return np.concatenate(parts[:-1], axis=1)


def _framed(image: np.ndarray) -> np.ndarray:
    margin = [(_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)]
    return np.pad(image, margin, constant_values=_PAPER)
