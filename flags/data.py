"""Data: which records are read, and how."""

from __future__ import annotations

from absl import flags

from vie_tf.config import DataConfig

_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder with shards and manifest.json, from data_prep.convert."
)
_CROP = flags.DEFINE_enum(
    "crop",
    DataConfig.crop,
    ["random_short_side_crop", "multi_scale_crop", "random_resized_crop"],
    "Window of training clips. random_short_side_crop: the paper's, shortest side to"
    " 256 .. 320 and a random 224 crop. multi_scale_crop: 5 sizes in 5 places"
    " (fine-tuning)."
    " random_resized_crop: a random area in a random shape.",
)
_CROP_SIZE = flags.DEFINE_integer(
    "crop_size",
    None,
    "Height and width of a clip in pixels. Default: train.py the family's (224;"
    " 3dresnet 112), evaluate.py the run's.",
    lower_bound=32,
)
_COLOR = flags.DEFINE_enum(
    "color",
    DataConfig.color,
    ["exact", "fast", "none"],
    "Color noise of training clips (brightness, contrast, saturation, hue, gray)."
    " exact: the authors'. fast: nearly the same in one pass over the pixels.",
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
_STATIC_VIDEO = flags.DEFINE_bool(
    "static_video",
    DataConfig.static_video,
    "Whether a training clip shows one frame of its video again and again, as images"
    " are shown to networks of several frames.",
)
_ON_BAD_RECORD = flags.DEFINE_enum(
    "on_bad_record",
    DataConfig.on_bad_record,
    ["fail", "skip"],
    "What a video does that cannot be read from its shard: fail names it and stops;"
    " skip leaves it out, and counts it (input/skipped_clips in TensorBoard).",
)
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir",
    DataConfig.cache_dir,
    "Local folder for copies of the shards, which are made while training reads them"
    " where they are; /dev/shm/NAME is memory. For data in an object store or on a"
    " slow disk.",
)
_DATA_SERVICE = flags.DEFINE_string(
    "data_service",
    DataConfig.data_service,
    "Address grpc://HOST:PORT of a tf.data service whose workers make the training"
    " batches (python -m vie_tf input_service). Needs --nodeterministic.",
)
_DETERMINISTIC = flags.DEFINE_bool(
    "deterministic",
    DataConfig.deterministic,
    "Whether batches keep their order, so that a run can be repeated exactly.",
)

flags.register_validator(_SUBSET, lambda value: 0 < value <= 1, "must lie in (0, 1]")


def crop_size() -> int | None:
    """Returns the size of clips, None for that of the family or the run."""
    return _CROP_SIZE.value


def data_config(other_dir: str | None = None) -> DataConfig:
    """Builds the settings from the command line.

    Args:
      other_dir: folder of the data in place of --data_dir, from another station.

    Raises:
      ValueError: flags that contradict each other, or no folder.
    """
    if other_dir and _DATA_DIR.value:
        raise ValueError(
            f"--data_dir={_DATA_DIR.value} stands beside --splits, which has the"
            " folders of all data: leave one of them out."
        )
    data_dir = other_dir or _DATA_DIR.value
    if not data_dir:
        raise ValueError(
            "--data_dir is missing: give the folder that data_prep.convert has written."
        )
    if _DATA_SERVICE.value and _DETERMINISTIC.value:
        raise ValueError(
            "--data_service gives batches as its workers finish them, so the run cannot"
            " be repeated exactly: say --nodeterministic as well."
        )
    if _DATA_SERVICE.value and _CACHE_DIR.value:
        raise ValueError("--cache_dir is of no use with --data_service: leave it out.")
    return DataConfig(
        data_dir=data_dir,
        crop=_CROP.value,
        color=_COLOR.value,
        subset=_SUBSET.value,
        subset_seed=_SUBSET_SEED.value,
        bin_frames=_BIN_FRAMES.value,
        static_video=_STATIC_VIDEO.value,
        on_bad_record=_ON_BAD_RECORD.value,
        cache_dir=_CACHE_DIR.value,
        data_service=_DATA_SERVICE.value,
        deterministic=_DETERMINISTIC.value,
    )
