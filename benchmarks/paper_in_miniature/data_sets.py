"""The data sets of the study, made by the commands of data_prep.

Comes in: a world to generate.  Goes out, as data sets of VIE-TF: `people`, actions to
learn from; `heldout`, actions that no pre-training sees; `objects`, pictures.
"""

from __future__ import annotations

import csv
import io
import pathlib
from typing import Iterator, Sequence

from benchmarks.paper_in_miniature.scale import Scale
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import is_data_set

PEOPLE, HELDOUT, OBJECTS = NAMES = ("people", "heldout", "objects")
# Every third action is held out.  Every fourth video tests, and every second one of
# actions that are held out, where the few others are learned from.
_HELD_OUT, _TEST, _HELD_OUT_TEST = 3, 4, 2


def folder(output: pathlib.Path, name: str) -> str:
    """Returns the folder of a data set of the study."""
    return str(output / "data" / name)


def commands(
    scale: Scale, output: pathlib.Path, world: str
) -> Iterator[tuple[str, ...]]:
    """Yields what makes the data sets that are missing: modules and their flags.

    The lists of the videos are written between the commands, when the videos are there.

    Args:
      scale: sizes.
      output: folder of the study.
      world: `people`, or `motions` for the textures that need no further package.
    """
    missing = [name for name in NAMES if not is_data_set(folder(output, name))]
    if PEOPLE in missing or HELDOUT in missing:
        videos = output / "videos"
        yield _synthesize(scale, videos, world, scale.num_videos)
        for name, rows in lists(videos).items():
            path = output / f"{name}.csv"
            write_atomically(str(path), _text(rows))
            if name in missing:
                flags = f"--list={path}", "--max_missing_rows=0"
                yield _convert(scale, videos, folder(output, name), *flags)
    if OBJECTS in missing:
        files = output / "objects"
        if world == "people":
            made = _synthesize(scale, files, "objects", scale.num_pictures)
            yield (*made, f"--num_classes={scale.num_objects}")
            media = ["--media=images"]
        else:  # frames of other textures stand for pictures
            yield (*_synthesize(scale, files, world, scale.num_pictures), "--seed=1")
            media = []
        target = folder(output, OBJECTS)
        yield _convert(scale, files, target, "--val_fraction=0.25", *media)


def lists(videos: pathlib.Path) -> dict[str, list[list[str]]]:
    """Splits videos by their folders, for the --list of data_prep.convert.

    Args:
      videos: folder with a sub-folder of videos for each class.

    Returns:
      Rows of `video`, `label` and `split`, by name of the data set.
    """
    classes = sorted(path.name for path in videos.iterdir() if path.is_dir())
    found = {name: [["video", "label", "split"]] for name in (PEOPLE, HELDOUT)}
    for place, label in enumerate(classes):
        is_held_out = place % _HELD_OUT == _HELD_OUT - 1
        every = _HELD_OUT_TEST if is_held_out else _TEST
        for number, path in enumerate(sorted(videos.glob(f"{label}/*.mp4"))):
            split = "val" if number % every == every - 1 else "train"
            row = [f"{label}/{path.name}", label, split]
            found[HELDOUT if is_held_out else PEOPLE].append(row)
    return found


def _synthesize(
    scale: Scale, videos: pathlib.Path, world: str, number: int
) -> tuple[str, ...]:
    flags = [f"--output_dir={videos}", f"--num_videos={number}", f"--size={scale.size}"]
    if world != "objects":
        flags.append(f"--seconds={scale.seconds:g}")
    if world != "motions":
        flags.append(f"--world={world}")
    return ("data_prep.synthesize", *flags)


def _convert(
    scale: Scale, videos: pathlib.Path, data_dir: str, *flags: str
) -> tuple[str, ...]:
    places = f"--videos={videos}", f"--output_dir={data_dir}"
    return ("data_prep.convert", *places, f"--shortest_side={scale.size}", *flags)


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
