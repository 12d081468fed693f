"""The picture of queries and their nearest videos (Figure 2 of the paper)."""

from __future__ import annotations

from typing import Sequence

from vie_tf.drawing.canvas import DARK, GRAY, GREEN, RED, Canvas, fitted
from vie_tf.evaluation.neighbors.retrieved import Cell, Retrieved, middle_frames
from vie_tf.storage.frame_reader import FrameReader

# All sizes are in pixels.
FRAME_HEIGHT, FRAME_WIDTH = 66, 88
NUM_FRAMES = 3  # side by side
_FRAMES_PER_SECOND = 4  # motion shows, and appearance stays
CELL_WIDTH = NUM_FRAMES * FRAME_WIDTH
BAR_HEIGHT = 5  # below the frames, in the color of right or wrong
GAP, MARGIN, LINE_HEIGHT = 14, 12, 22
_NUM_LINES = 3
ROW_HEIGHT = FRAME_HEIGHT + BAR_HEIGHT + _NUM_LINES * LINE_HEIGHT + GAP
NEIGHBORS_IN_ROW = 5


def draw(retrieved: Retrieved, shown: Sequence[int], headline: str = "") -> Canvas:
    """Draws queries on the left and their nearest videos to the right, five in a row.

    Args:
      retrieved: neighbors of all queries.
      shown: positions of the queries in the picture.
      headline: what was measured, for the line on top.
    """
    queries = [retrieved.cells(query) for query in shown]
    reader = retrieved.open_frames(shown)
    num_neighbors = len(queries[0]) - 1
    rows_of_query = max(1, -(-num_neighbors // NEIGHBORS_IN_ROW))
    columns = min(num_neighbors, NEIGHBORS_IN_ROW) + 1
    height = top_of(len(queries) * rows_of_query) + MARGIN
    canvas = Canvas(height, left_of(columns) - GAP + MARGIN)
    canvas.write(headline or "query and neighbors", MARGIN, MARGIN)
    canvas.write(retrieved.legend(), MARGIN, MARGIN + LINE_HEIGHT, GRAY)
    for number, cells in enumerate(queries):
        for place, cell in enumerate(cells):
            row, column = divmod(max(place - 1, 0), NEIGHBORS_IN_ROW)
            left = left_of(column + 1 if place else 0)
            top = top_of(number * rows_of_query + row)
            _draw_cell(canvas, reader, cell, left, top)
    return canvas


def _draw_cell(
    canvas: Canvas, reader: FrameReader, cell: Cell, left: int, top: int
) -> None:
    indices, _ = middle_frames(cell.video, NUM_FRAMES, _FRAMES_PER_SECOND)
    for number, frame in enumerate(reader.read_images(cell.video, indices)):
        place = left + number * FRAME_WIDTH
        canvas.paste(frame, place, top, FRAME_WIDTH - 2, FRAME_HEIGHT)
    color = GREEN if cell.is_right else RED
    below = top + FRAME_HEIGHT + BAR_HEIGHT
    if cell.is_right is not None:
        width = CELL_WIDTH - 2
        canvas.fill(left, below - BAR_HEIGHT + 1, width, BAR_HEIGHT - 1, color)
    for number, line in enumerate(cell.lines):
        of_line = DARK if line.is_right is None else color
        at = below + number * LINE_HEIGHT
        canvas.write(fitted(line.marked, CELL_WIDTH), left, at, of_line)


def left_of(column: int) -> int:
    """Returns where a column begins; the query is set apart by a wider gap."""
    return MARGIN + column * (CELL_WIDTH + GAP) + (2 * GAP if column else 0)


def top_of(row: int) -> int:
    """Returns where a row begins, below headline and legend."""
    return MARGIN + 2 * LINE_HEIGHT + GAP // 2 + row * ROW_HEIGHT
