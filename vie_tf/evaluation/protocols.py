"""Protocols in words: phrases that several tasks share, so that they say the same.

Comes in: what is evaluated.  Goes out: parts of sentences, which `task_files` writes
into results, beside the numbers.
"""

from __future__ import annotations

import textwrap
from typing import Mapping, Sequence

from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage.manifest import TRAIN_SPLIT

_LINE_WIDTH = 88


def of_clips(num_clips: int) -> str:
    """What follows "logits" and the like: of which clips of a video they are.

    Args:
      num_clips: of a video.
    """
    if num_clips == 1:
        return "of one clip"
    return f"averaged over {num_clips} equally spaced clips"


def of_view(run: RestoredRun) -> str:
    """Which clips a training on labels has, where they are not those of all videos.

    Args:
      run: what is evaluated.

    Returns:
      What goes on a sentence about clips, starting with a space; nothing for all.
    """
    data, words = run.data, ""
    if data.subset < 1:
        num_all = len(run.manifest.split(TRAIN_SPLIT))
        words = (
            f" of {len(run.instances.videos):,} of the {num_all:,} training videos"
            f" (subset {data.subset:g}, seed {data.subset_seed})"
        )
    if data.bin_frames:
        words += f" from bins of {data.bin_frames} frames"
    return words


def with_network(run: RestoredRun, protocol: str) -> str:
    """A protocol of a task, and of which network its numbers are.

    Args:
      run: what is evaluated.
      protocol: of the task.
    """
    size, trained_size = run.recipe.crop_size, run.trained_size
    words = f"{protocol}; clips of {size} x {size} pixels"
    if size != trained_size:
        words += f", where the run's were {trained_size} x {trained_size}"
    return f"{words}; {run.streams.describe()}" if run.streams else words


def wrapped(protocol: str) -> str:
    """A protocol in lines of a terminal, below the numbers that it is about."""
    return textwrap.fill(
        protocol,
        _LINE_WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        # Paths are to be copied.
        break_long_words=False,
        break_on_hyphens=False,
    )


def accuracy_table(rows: Mapping[str, Sequence[float]], num_classes: int) -> list[str]:
    """Formats top-1 and top-5 accuracies as lines, and those of chance below them.

    Args:
      rows: top-1 and top-5 as fractions, or top-1 alone, by the name of the row.
      num_classes: C.
    """
    chance = (1 / num_classes, min(5 / num_classes, 1.0))
    return [
        f"  {'':<22}{'top-1':>7}{'top-5':>8}",
        *(
            f"  {name:<22}" + "".join(f"{v:>{7 + k}.1%}" for k, v in enumerate(values))
            for name, values in {**rows, "chance": chance}.items()
        ),
    ]
