"""The picture of queries and their nearest videos (Figure 2 of the paper)."""

from __future__ import annotations

from typing import Sequence

from vie_tf.evaluation.neighbors.retrieved import Retrieved, middle_frames
from vie_tf.storage.canvas import DARK, GRAY, GREEN, RED, Canvas, fitted

# All sizes are in pixels.
FRAME_HEIGHT, FRAME_WIDTH = 84, 112
NUM_FRAMES = 3  # side by side
_FRAMES_PER_SECOND = 4  # motion shows, and appearance stays
CELL_WIDTH = NUM_FRAMES * FRAME_WIDTH
GAP, MARGIN, LINE_HEIGHT = 14, 12, 22
ROW_HEIGHT = FRAME_HEIGHT + 2 * LINE_HEIGHT + GAP


def draw(retrieved: Retrieved, shown: Sequence[int]) -> Canvas:
    """Draws queries on the left and their nearest videos to the right.

    Args:
      retrieved: neighbors of all queries.
      shown: positions of the queries in the picture, one row each.
    """
    rows = [retrieved.cells(query) for query in shown]
    reader = retrieved.open_frames(shown)
    canvas = Canvas(
        2 * MARGIN + 2 * LINE_HEIGHT + len(rows) * ROW_HEIGHT,
        left_of(len(rows[0])) - GAP + MARGIN,
    )
    canvas.write(retrieved.legend(), MARGIN, MARGIN, GRAY)
    for column in range(len(rows[0])):
        head = f"neighbor {column}" if column else "query"
        canvas.write(head, left_of(column), MARGIN + LINE_HEIGHT)
    for row, cells in enumerate(rows):
        top = MARGIN + 2 * LINE_HEIGHT + row * ROW_HEIGHT
        for column, cell in enumerate(cells):
            left = left_of(column)
            indices, _ = middle_frames(cell.video, NUM_FRAMES, _FRAMES_PER_SECOND)
            for number, frame in enumerate(reader.read_images(cell.video, indices)):
                place = left + number * FRAME_WIDTH
                canvas.paste(frame, place, top, FRAME_WIDTH - 2, FRAME_HEIGHT)
            for number, line in enumerate(cell.lines):
                color = {None: DARK, True: GREEN, False: RED}[line.is_right]
                below = top + FRAME_HEIGHT + number * LINE_HEIGHT
                canvas.write(fitted(line.marked, CELL_WIDTH), left, below, color)
    return canvas


def left_of(column: int) -> int:
    """Returns where a column begins; the query is set apart by a wider gap."""
    return MARGIN + column * (CELL_WIDTH + GAP) + (GAP if column else 0)
