"""In what a run differs from the published one.

Comes in: the settings of a run, and what its folder says of its data.  Goes out: lines
that name each difference that may move the kNN curve.
"""

from __future__ import annotations

from vie_tf.config import RunConfig
from vie_tf.models.from_config import with_family_defaults
from vie_tf.monitoring.published.run import PublishedRun
from vie_tf.runs.run_directory import RunDirectory

# Kinetics loses videos over the years; boundaries are rounded.
_TOLERANCE = 0.05
_LR_BOUNDARIES = ("train", "lr_boundaries")
# The network's family decides on them.
_OF_THE_FAMILY = (
    ("model", "num_frames"),
    ("model", "frame_interval"),
    ("model", "crop_size"),
)
# They do not matter as long as both runs learn by IR.
_OF_LA = (
    ("loss", "name"),
    ("loss", "ir_steps"),
    ("loss", "la_num_clusters"),
    ("loss", "la_num_background"),
)


def differences(
    config: RunConfig, directory: RunDirectory, published: PublishedRun, step: int
) -> list[str]:
    """Names what is not as in the published run, up to a step.

    Args:
      config: of the run.
      directory: of the run.
      published: to compare with.
      step: of the run's last validation; what only matters later is left out.

    Returns:
      One line for each difference.
    """
    return [
        *_of_data(directory, published),
        *_of_settings(with_family_defaults(config), published, step),
        *_of_learning_rate(config, published, step),
    ]


def unknowns(directory: RunDirectory) -> list[str]:
    """Names what the folder of a run does not say, and `differences` leaves out."""
    found = []
    if directory.latest() is None:
        found.append("the number of training videos (there is no checkpoint yet)")
    if "num_classes" not in directory.data_set():
        found.append("the number of classes")
    return found


def _of_data(directory: RunDirectory, published: PublishedRun) -> list[str]:
    lines = []
    latest = directory.latest()
    # A row for each video; fewer with --subset, more with --bin_frames.
    num_videos = RunDirectory.bank_size(latest) if latest else None
    if num_videos and not _is_near(num_videos, published.num_training_videos):
        lines.append(
            f"{num_videos:,} training videos (published:"
            f" {published.num_training_videos:,})"
        )
    num_classes = directory.data_set().get("num_classes", published.num_classes)
    if num_classes != published.num_classes:
        lines.append(f"{num_classes} classes (published: {published.num_classes})")
    return lines


def _of_settings(config: RunConfig, published: PublishedRun, step: int) -> list[str]:
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


def _of_learning_rate(
    config: RunConfig, published: PublishedRun, step: int
) -> list[str]:
    own = config.train.lr_boundaries
    of_others = published.settings["train"]["lr_boundaries"]
    only_own = [b for b in own if not any(_is_near(b, other) for other in of_others)]
    missed = [b for b in of_others if not any(_is_near(b, other) for other in own)]
    if not any(boundary < step for boundary in [*only_own, *missed]):
        return []

    def in_words(boundaries: tuple[int, ...]) -> str:
        return ",".join(map(str, boundaries)) or "(none)"

    return [
        f"--lr_boundaries={in_words(own)} (published: {in_words(tuple(of_others))})"
    ]


def _is_near(value: int, published: int) -> bool:
    return abs(value - published) <= _TOLERANCE * published
