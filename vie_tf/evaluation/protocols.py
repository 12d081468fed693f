"""Phrases of protocols that several tasks share, so that they read the same.

A protocol says beside the numbers of a task how they were measured.
"""

from __future__ import annotations

import textwrap
from typing import Mapping, Sequence

from vie_tf.config import DataConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage.manifest import TRAIN_SPLIT

_LINE_WIDTH = 88
_FEW_CLASSES = 10  # with which chance has a top-5 of a half


def wrapped(protocol: str) -> str:
    """Breaks a protocol into indented lines of a terminal's width."""
    return textwrap.fill(
        protocol,
        _LINE_WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,  # paths can be copied
        break_on_hyphens=False,
    )


def of_clips(num_clips: int) -> str:
    """Says what features or probabilities of a video are averaged over."""
    if num_clips == 1:
        return "of one clip"
    return f"averaged over {num_clips} equally spaced clips"


def of_augmentation(data: DataConfig) -> str:
    """Names the augmentation of training clips, for a protocol."""
    crop, color = f"crop {data.crop}", f"color {data.color}"
    if data.crop == "random_resized_crop":
        crop += f" of {data.min_crop_area:.0%} of the frame and more"
    if data.color != "none":
        when = "before" if data.gray_first else "after"
        color += f", gray with probability {data.gray_probability:g} {when} the rest"
    return f"{crop}, {color}"


def of_test_window(data: DataConfig) -> str:
    """Says which part of a frame is tested, where it is not the usual one.

    The words follow "videos" or "clips" in a protocol.
    """
    return " on the whole short side" if data.crop == "multi_scale_crop" else ""


def of_queries(run: RestoredRun) -> str:
    """Says which videos are queries and which are the gallery, for a protocol."""
    words = "validation videos as queries, training videos as gallery"
    if run.leaves_one_out:
        words = "training videos as queries, each left out of the gallery"
    return words + of_test_window(run.test_data)


def of_videos(run: RestoredRun) -> str:
    """Says which training videos a training on labels uses, if not all, starting `of`.

    The words follow "clips" in a protocol.
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
    """Appends size of the clips and streams of the network to a protocol."""
    size, trained_size = run.recipe.crop_size, run.network.trained_size
    words = f"{protocol}; clips of {size} x {size} pixels"
    if size != trained_size:
        words += f", where the run's were {trained_size} x {trained_size}"
    streams = run.network.streams
    return f"{words}; {streams.describe()}" if streams else words


def accuracy_table(rows: Mapping[str, Sequence[float]], num_classes: int) -> list[str]:
    """Formats top-1 and top-5 accuracies in lines, with those of chance below them.

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
        *_few_classes(num_classes),
    ]


def _few_classes(num_classes: int) -> list[str]:
    """Says that a top-5 of few classes says little; no line for many."""
    if num_classes > _FEW_CLASSES:
        return []
    if num_classes <= 5:
        return [f"  Top-5 is always right with {num_classes} classes: read top-1."]
    return [f"  Top-5 leaves out few of {num_classes} classes: read top-1."]


def single_lines(num_single: int) -> list[str]:
    """Says how many queries of a leave-one-out are not scored; no line for none.

    Args:
      num_single: number of queries that are the only video of their class.
    """
    if not num_single:
        return []
    queries = "query is" if num_single == 1 else "queries are"
    return [
        f"  {num_single} more {queries} alone in the class and cannot be right: left"
        " out of these numbers."
    ]
