"""Presets: what `train.py` takes for flags that were not given.

  paper          the defaults of all settings, which are the paper's: nothing is changed
  small          for ten to some thousand videos and some minutes on two cores, made for
                 their number and length
  3drotnet, opn  the authors' trainings of two other methods of table 2
  stpuzzle, moap the trainings of two more, as far as they are published

Flags that are given win, wherever they stand in the command.  A run keeps the values
that it began with in its config.json (`Preset`), also where videos were appended or a
later version has other values.  docs/small_collections.md has what the values of
`small` give.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from vie_tf.config.setting import Role, setting

_FRAMES_OF_CLIP = 19


class Collection(NamedTuple):
    """Training videos of a run, for which values are chosen.

    Attributes:
      num_videos: number of videos, at least 1.
      num_frames: frames of the video in the middle, when sorted by length.
      fps: frames per second.
    """

    num_videos: int
    num_frames: int
    fps: float = 25.0

    def describe(self) -> str:
        """Names number and length: `90 videos of 10 s`."""
        return f"{self.num_videos} videos of {self.num_frames / self.fps:.2g} s"


class Choice(NamedTuple):
    """Values by the names of their flags, and the reason for them in words."""

    values: dict[str, Any]
    reason: str


def small(videos: Collection, given: Mapping[str, Any]) -> list[Choice]:
    """Chooses values for a small collection.

    Args:
      videos: training videos of the run.
      given: flags that were given, by name, which other values may follow from.
    """
    count = videos.num_videos
    model = given.get("model", "3dresnet")
    choices = [
        Choice(
            {"model": "3dresnet", "num_filters": 16, "crop_size": 48},
            "a network that learns in minutes; the paper's have 64 filters, 112 pixels",
        )
    ]
    has_motion = videos.num_frames > 1 and not given.get("static_video")
    if has_motion and model != "single":  # which is a network of appearance
        kind = "both" if model.startswith("two_stream") else "differences"
        reason = "what moves; a few videos are told apart by their scenes else"
        choices.append(Choice({"input": kind}, reason))
    choices.append(
        Choice({"crop": "whole_frame"}, "wherever something happens, the crop has it")
    )
    if model == "3dresnet":
        choices += _small_clips(videos)
    batch_size = given.get("batch_size", min(32, count // 8 * 8) or count)
    # The untrained network, of 0 steps, may be trained later.
    train_steps = given.get("train_steps") or steps_for(count)
    if given.get("loss") == "la":
        reason = "three quarters of the steps, then LA"
        choices.append(Choice({"ir_steps": train_steps * 3 // 4}, reason))
    epochs = train_steps * batch_size / count
    return [
        *choices,
        Choice({"batch_size": batch_size}, f"at most 32 of {count} videos"),
        Choice({"train_steps": train_steps}, f"{epochs:.0f} epochs"),
        Choice(
            {"learning_rate": 0.01, "lr_warmup_steps": 60, "ir_normalizer": "batch"},
            "for a memory bank that an epoch of a few steps rewrites",
        ),
        Choice(
            {"la_num_clusters": None, "la_num_background": None},
            "as many as suit the number of videos",
        ),
        Choice(
            {"batch_norm_momentum": 0.9},
            "statistics that settle within some hundred steps",
        ),
        Choice(
            {
                "log_steps": 20,
                "eval_steps": max(train_steps // 4, 1),
                "checkpoint_steps": 50,
            },
            "four validations, which take the time of many steps",
        ),
    ]


def _small_clips(videos: Collection) -> list[Choice]:
    # A clip of an interval of 2 spans 19 frames with those it is subtracted from.
    is_long = videos.num_frames >= 2 * _FRAMES_OF_CLIP
    reason = "clips of half a second" if is_long else "videos are short"
    return [
        Choice({"num_frames": 8}, "half of the paper's, for speed"),
        Choice({"frame_interval": 2 if is_long else 1}, reason),
    ]


def steps_for(num_videos: int) -> int:
    """Returns the steps of a training: three for each video, 800 to 2,400.

    With 32 videos in a step, that is 96 epochs.  400 steps were 3 points worse than
    800, and 1,600 no better; the network of 2,400 takes five minutes of one core.
    """
    return min(max(3 * num_videos, 800), 2400)


def rotation(videos: Collection, given: Mapping[str, Any]) -> list[Choice]:
    """Returns the settings with which the authors trained 3DRotNet; see `small`.

    Source: saved_settings/vd_rot.py (`rot_3dresnet_re`), rot_data.py and
    pt_loader/transforms.py of their repository.
    """
    del videos, given
    return [
        Choice({"model": "3dresnet", "loss": "rotation"}, "the network of table 2"),
        Choice({"frame_rate": 16.0}, "16 frames in a second, by steps of 1 and 2"),
        Choice(
            {"crop": "random_squeezed_crop", "color": "none"},
            "frames squeezed into 136 x 136, a random 112 x 112 of them",
        ),
        Choice({"batch_size": 32}, "32 clips, each in four rotations"),
        Choice(
            {
                "learning_rate": 0.1,
                "lr_boundaries": (25_000, 50_000, 75_000),
                "train_steps": 100_000,
            },
            "their drops; their last step is not published",
        ),
    ]


def order(videos: Collection, given: Mapping[str, Any]) -> list[Choice]:
    """Returns settings with which the authors trained OPN; see `small`.

    Source: saved_settings/vd_opn.py (`opn_random_224_sep_flow`) and opn_data.py of
    their repository.
    """
    del videos, given
    return [
        Choice({"model": "single", "loss": "order"}, "ResNet-18 of single frames"),
        Choice({"frame_interval": 4}, "theirs are 3 or 5 frames apart"),
        Choice({"batch_size": 128}, "each clip in 12 orders and their reverse"),
        Choice(
            {"lr_boundaries": (279_998, 344_998), "train_steps": 400_000},
            "their drops; their last step is not published",
        ),
    ]


def puzzle(videos: Collection, given: Mapping[str, Any]) -> list[Choice]:
    """Returns settings of space-time puzzles (ST-puzzle in table 2); see `small`.

    Source: Kim et al. 2018, section 3, for clips and cells.  Rates and steps stay those
    of IR, since theirs were not at hand.
    """
    del videos, given
    return [
        Choice(
            {"model": "3dresnet", "loss": "puzzle"},
            "the better one of table 2; the other is --model=c3d",
        ),
        Choice(
            {"frame_interval": 1, "crop_size": 112},
            "cells of 16 frames and 80 x 80 pixels",
        ),
        Choice({"color": "none"}, "one channel is shown, and no other jitter is named"),
    ]


def statistics(videos: Collection, given: Mapping[str, Any]) -> list[Choice]:
    """Returns settings of motion and appearance statistics (MoAp); see `small`.

    Source: train.py and input_data.py of video_repres_mas, the code of Wang et al.
    2019; its frames are resized to 128 x 171 before a random 112 x 112 is taken.
    """
    del videos, given
    return [
        Choice({"model": "c3d", "loss": "statistics"}, "the network of table 2"),
        Choice({"color": "none"}, "colors are to be predicted"),
        Choice({"batch_size": 30}, "theirs"),
        Choice(
            {
                "learning_rate": 0.001,
                "lr_boundaries": (20_000, 40_000, 60_000),
                "train_steps": 80_000,
            },
            "their rate, drops and steps",
        ),
    ]


PRESETS: dict[str, Callable[[Collection, Mapping[str, Any]], Sequence[Choice]]] = {
    "paper": lambda videos, given: [],
    "small": small,
    "3drotnet": rotation,
    "opn": order,
    "stpuzzle": puzzle,
    "moap": statistics,
}


@dataclasses.dataclass(frozen=True)
class PresetConfig:
    """The preset of a training run."""

    preset: str = setting(
        "paper",
        "What is taken for flags that are not given. paper: the defaults listed here,"
        " made for 240,000 videos. small: values for ten to some thousand videos, made"
        " for their number and length. 3drotnet, opn, stpuzzle, moap: other methods of"
        " table 2, as far as their trainings are published. Values are printed at the"
        " start; flags that are given win, before or after it.",
        role=Role.DERIVES,
        choices=tuple(PRESETS),
    )


@dataclasses.dataclass(frozen=True)
class Preset:
    """A preset as a run was begun with it.

    Attributes:
      name: a key of `PRESETS`.
      values: values by the names of their flags, but those that were given.
    """

    name: str = PresetConfig.preset
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


def describe(
    name: str,
    videos: Collection,
    choices: Sequence[Choice],
    given: Mapping[str, Any],
    shown: Callable[[str, Any], str],
) -> str:
    """Lists the values of a preset, but those of flags that were given.

    Args:
      name: a key of `PRESETS`.
      videos: videos that the values were chosen for.
      choices: values and their reasons.
      given: flags that were given, by name.
      shown: turns the name of a flag and a value into what a command line has.
    """
    lines = [f"--preset={name} for {videos.describe()}; flags that are given win:"]
    for choice in choices:
        flags = [shown(k, v) for k, v in choice.values.items() if k not in given]
        if flags:
            lines.append(f"  {' '.join(flags)}: {choice.reason}")
    return "\n".join(lines)
