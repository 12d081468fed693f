"""Data: which records are read, and how."""

from __future__ import annotations

from absl import flags

from vie_tf.config import DataConfig

_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder with shards and manifest.json, from data_prep.convert."
)
_SHUFFLE_BUFFER = flags.DEFINE_integer(
    "shuffle_buffer",
    DataConfig.shuffle_buffer,
    "Clips held in memory for shuffling, on top of the shuffled order of the shards.",
    lower_bound=1,
)
_COLOR_NOISE = flags.DEFINE_bool(
    "color_noise",
    DataConfig.color_noise,
    "Whether training clips get the paper's colour noise (brightness, contrast,"
    " saturation, hue, gray).",
)


def data_config() -> DataConfig:
    """Builds the settings from the command line."""
    if not _DATA_DIR.value:
        raise ValueError(
            "--data_dir is missing: give the folder that data_prep.convert has written."
        )
    return DataConfig(
        data_dir=_DATA_DIR.value,
        shuffle_buffer=_SHUFFLE_BUFFER.value,
        color_noise=_COLOR_NOISE.value,
    )
