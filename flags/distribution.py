"""Distribution: which devices share the batches."""

from __future__ import annotations

from absl import flags

from vie_tf.config import DistributionConfig

_STRATEGY = flags.DEFINE_enum(
    "strategy",
    DistributionConfig.strategy,
    ["mirrored", "multi_worker"],
    "mirrored: the devices of this machine. multi_worker: those of several, which"
    " TF_CONFIG or Slurm names; start the same command on each.",
)
_NUM_REPLICAS = flags.DEFINE_integer(
    "num_replicas",
    DistributionConfig.num_replicas,
    "Devices of this machine that share a batch. Default: all GPUs that TensorFlow"
    " sees, else one CPU. Without GPUs, more than one divides the CPU, to try out what"
    " several devices do.",
    lower_bound=1,
)


def distribution_config() -> DistributionConfig:
    """Builds the settings from the command line."""
    return DistributionConfig(
        strategy=_STRATEGY.value, num_replicas=_NUM_REPLICAS.value
    )
