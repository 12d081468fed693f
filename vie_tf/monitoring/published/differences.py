"""Differences between a run and the published one that may move the kNN curve."""

from __future__ import annotations

from vie_tf.config import RunConfig
from vie_tf.models.from_config import with_family_defaults
from vie_tf.monitoring.published.curves import PublishedRun
from vie_tf.runs.run_directory import RunDirectory

# Kinetics loses videos over the years, and boundaries are rounded.
_TOLERANCE = 0.05
_LR_BOUNDARIES = ("train", "lr_boundaries")
# Settings that the network's family decides.
_OF_THE_FAMILY = (
    ("model", "num_frames"),
    ("model", "frame_interval"),
    ("model", "crop_size"),
)
# Settings that do not matter as long as both runs train with IR.
_OF_LA = (
    ("loss", "name"),
    ("loss", "ir_steps"),
    ("loss", "la_num_clusters"),
    ("loss", "la_num_background"),
)


def differences(
    config: RunConfig, directory: RunDirectory, published: PublishedRun, step: int
) -> list[str]:
    """Returns a line for each difference from the published run up to a step."""
    return [
        *_data_differences(directory, published),
        *_setting_differences(with_family_defaults(config), published, step),
        *_learning_rate_differences(config, published, step),
    ]


def unknowns(directory: RunDirectory) -> list[str]:
    """Returns what the folder of a run does not say, and `differences` leaves out."""
    found = []
    if directory.latest() is None:
        found.append("the number of training videos (there is no checkpoint yet)")
    if "num_classes" not in directory.data_set():
        found.append("the number of classes")
    return found


def _data_differences(directory: RunDirectory, published: PublishedRun) -> list[str]:
    lines = []
    # A row for each video; fewer with --subset, more with --bin_frames.
    num_videos = directory.checkpoint().bank_size if directory.latest() else None
    if num_videos and not _is_near(num_videos, published.num_training_videos):
        lines.append(
            f"{num_videos:,} training videos (published:"
            f" {published.num_training_videos:,})"
        )
    num_classes = directory.data_set().get("num_classes", published.num_classes)
    if num_classes != published.num_classes:
        lines.append(f"{num_classes} classes (published: {published.num_classes})")
    return lines


def _setting_differences(
    config: RunConfig, published: PublishedRun, step: int
) -> list[str]:
    end_of_ir = published.settings["loss"]["ir_steps"]
    if config.loss.name == "la":
        end_of_ir = min(end_of_ir, config.loss.ir_steps)
    ignored = {_LR_BOUNDARIES}
    if config.model.name != published.settings["model"]["name"]:
        ignored.update(_OF_THE_FAMILY)
    if step <= end_of_ir:
        ignored.update(_OF_LA)
    elif config.loss.name != "la":
        ignored.update(_OF_LA[1:])
    of_paper = {
        (group, name): value
        for group, settings in published.settings.items()
        for name, value in settings.items()
        if (group, name) not in ignored
    }
    return [
        f"{setting.label}={own} (published: {of_paper[group, setting.name]})"
        for group, setting, own in config.settings()
        if (group, setting.name) in of_paper and own != of_paper[group, setting.name]
    ]


def _learning_rate_differences(
    config: RunConfig, published: PublishedRun, step: int
) -> list[str]:
    own = config.train.lr_boundaries
    theirs = published.settings["train"]["lr_boundaries"]
    only_own = [b for b in own if not any(_is_near(b, other) for other in theirs)]
    missed = [b for b in theirs if not any(_is_near(b, other) for other in own)]
    if not any(boundary < step for boundary in [*only_own, *missed]):
        return []

    def describe(boundaries: tuple[int, ...]) -> str:
        return ",".join(map(str, boundaries)) or "(none)"

    return [f"--lr_boundaries={describe(own)} (published: {describe(tuple(theirs))})"]


def _is_near(value: int, published: int) -> bool:
    return abs(value - published) <= _TOLERANCE * published
