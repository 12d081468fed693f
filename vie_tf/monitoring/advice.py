"""What a user of train.py should know before the first step, and after the last."""

from __future__ import annotations

from typing import Iterator

from vie_tf.config import RunConfig
from vie_tf.objectives import objective_class
from vie_tf.storage.manifest import Manifest
from vie_tf.terminal import next_step

# The paper has 240,000; below this, its constant Z and its memory bank fail.
FEW_VIDEOS = 5_000


def before_training(config: RunConfig, num_videos: int) -> Iterator[str]:
    """Yields lines about settings that do not suit the number of videos.

    Args:
      config: complete settings of the run.
      num_videos: number of training videos, or of their bins.
    """
    assert config.train.batch_size is not None
    objective = objective_class(config.loss.name)
    has_bank = not (objective.needs_labels or objective.has_own_head)
    is_for_many = has_bank and config.loss.ir_normalizer == "imagenet"
    if num_videos < FEW_VIDEOS and is_for_many:
        yield (
            f"{num_videos:,} training videos are few for these settings, which are the"
            " paper's for 240,000: the embeddings may collapse. Add"
            " --preset=small (docs/small_collections.md)."
        )
    if config.train.batch_size > num_videos:
        yield (
            f"A batch of {config.train.batch_size} clips takes some of the"
            f" {num_videos} training videos more than once: lower --batch_size."
        )


def after_training(config: RunConfig, manifest: Manifest) -> str:
    """Returns the line that says how to look at what was learned."""
    has_classes = len(manifest.class_names) >= 2
    return next_step.line(
        "evaluate",
        f"--task={'knn' if has_classes else 'retrieval'}",
        f"--data_dir={config.data.data_dir}",
        f"--model_dir={config.train.model_dir}",
    )
