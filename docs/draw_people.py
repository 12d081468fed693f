"""Draws people who do the same thing in other places, for the README.

python -m docs.draw_people [--output=docs/pictures/people.jpg]

Each row is one action of `data_prep.synthesize --world=people`, at its most telling
moment, by other persons in other scenes.  It needs the extra [world].
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
from typing import Iterator, Sequence

import numpy as np

from data_prep.decode.opencv import cv2
from data_prep.synthesize.people import plan, renderer, stage
from data_prep.synthesize.people.plan import FPS, VideoPlan

# Actions, and the part of the motion capture that shows best what they are.
MOMENTS = {
    **{"cartwheel": 0.45, "kick": 0.5, "spinkick": 0.5, "roll": 0.45},
    "backflip": 0.45,
}
COLUMNS = 7
SIZE = 144, 108  # width and height
GAP = 3  # pixels between pictures
_SEED, _FRAMES = 0, 38


def sheet(columns: int = COLUMNS, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Returns the picture, [H, W, 3] uint8 BGR: a row for each of `MOMENTS`."""
    rows = []
    for action in MOMENTS:
        frames = [_frame(video, size) for video in videos(action, columns)]
        gap = np.full((size[1], GAP, 3), 255, np.uint8)
        row = [part for frame in frames for part in (frame, gap)][:-1]
        rows += [np.concatenate(row, axis=1)]
        rows.append(np.full((GAP, rows[0].shape[1], 3), 255, np.uint8))
    return np.concatenate(rows[:-1])


def videos(action: str, number: int) -> Iterator[VideoPlan]:
    """Yields videos with other scenes, persons and cameras each."""
    chosen: list[VideoPlan] = []
    for candidate in itertools.count():
        video = plan.draw(_SEED, action, candidate, _FRAMES)
        shot = video.shots[0]
        is_plain = (
            not video.passers and abs(shot.aim[0]) < 0.2 and abs(shot.aim[1]) < 0.1
        )
        seen = [(old.shots[0].scene, old.person) for old in chosen]
        is_new = all(shot.scene != s and video.person != p for s, p in seen)
        if is_plain and is_new and shot.camera not in ("drone", "distant"):
            chosen.append(video)
            yield video
            if len(chosen) == number:
                return


def _frame(video: VideoPlan, size: tuple[int, int]) -> np.ndarray:
    """Returns the frame of the first scene that is nearest to the moment."""
    capture = stage.capture(video.action)
    last = video.cut if len(video.shots) > 1 else _FRAMES
    times = video.phase + np.arange(last) / FPS * video.speed
    moment = MOMENTS[video.action] * capture.seconds
    away = np.array([abs(capture.recorded(time) - moment) for time in times])
    frame = int(away.argmin())
    return next(itertools.islice(renderer.render(video, _FRAMES, size), frame, None))


def main(given: Sequence[str] | None = None) -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = pathlib.Path(__file__).parent / "pictures" / "people.jpg"
    parser.add_argument("--output", default=str(default), help="JPEG file")
    output = parser.parse_args(given).output
    cv2.imwrite(output, sheet(), [cv2.IMWRITE_JPEG_QUALITY, 87])


if __name__ == "__main__":
    main()
