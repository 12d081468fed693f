"""Linear: softmax read-outs of the layers of a frozen network."""

from __future__ import annotations

from absl import flags

from flags import optimization
from vie_tf.config import LinearConfig

_QUICK = flags.DEFINE_bool(
    "quick",
    False,
    "With --task=linear, a look at the read-outs in minutes: scikit-learn's"
    " logistic regression on features of clips without augmentation, pooled to a few"
    " thousand for each layer. Without a val split, by cross-validation.",
)


def quick() -> bool:
    """Returns whether a quick look is asked for."""
    return _QUICK.value


def linear_config(num_clips: int) -> LinearConfig:
    """Builds the settings from the command line.

    Args:
      num_clips: of a video at test time, from the station of kNN.

    Raises:
      ValueError: flags that contradict each other.
    """
    settings = optimization.given()
    if optimization.weight_decay() is not None:
        settings["weight_decay"] = optimization.weight_decay()
    return LinearConfig(num_clips=num_clips, **settings)
