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
_SUBSET = flags.DEFINE_float(
    "subset",
    DataConfig.subset,
    "Share of the training videos to train on, above 0 to 1 (table 3: 0.7 and 0.3).",
)
_SUBSET_SEED = flags.DEFINE_integer(
    "subset_seed",
    DataConfig.subset_seed,
    "Seed of the choice of the --subset; a smaller one is a part of a larger.",
)
_BIN_FRAMES = flags.DEFINE_integer(
    "bin_frames",
    DataConfig.bin_frames,
    "Cut videos into bins of so many frames (at the rate of the records), each an"
    " instance of its own (table 3: 52 for 5bin, 130 for 2bin). 0: whole videos.",
    lower_bound=0,
)

flags.register_validator(_SUBSET, lambda value: 0 < value <= 1, "must lie in (0, 1]")


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
        subset=_SUBSET.value,
        subset_seed=_SUBSET_SEED.value,
        bin_frames=_BIN_FRAMES.value,
    )
