"""Conversion of videos into records."""

from __future__ import annotations

from absl import flags

from data_prep.config import LIST_FORMATS, MEDIA, RUNNERS, ConversionConfig

_VIDEOS = flags.DEFINE_string(
    "videos",
    None,
    "Folder of videos. Without a --list its sub-folders are the classes, and videos"
    " that lie directly in it have no labels.",
    required=True,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder for the shards and manifest.json, outside of --videos; s3://, gs:// and"
    " hdfs:// too.",
    required=True,
)
_LIST = flags.DEFINE_string(
    "list",
    ConversionConfig.list_path,
    "What to take of --videos: a csv file (columns video, label, split, start, end; all"
    " but the first optional), the annotation csv of Kinetics, or the folder of the"
    " split files of UCF101 or HMDB51. All videos, if not given.",
)
_LIST_FORMAT = flags.DEFINE_enum(
    "list_format", ConversionConfig.list_format, LIST_FORMATS, "What the --list is."
)
_FOLD = flags.DEFINE_integer(
    "fold",
    ConversionConfig.fold,
    "Which official split of UCF101 or HMDB51.",
    lower_bound=1,
    upper_bound=3,
)
_MEDIA = flags.DEFINE_enum(
    "media",
    ConversionConfig.media,
    MEDIA,
    "What a video is: a video file, a folder of numbered pictures at --fps (frames), or"
    " one picture (images).",
)
_APPEND = flags.DEFINE_bool(
    "append",
    ConversionConfig.append,
    "Add the videos that are not in --output_dir yet; ids that are there stay.",
)
_STRICT = flags.DEFINE_bool(
    "strict",
    ConversionConfig.strict,
    "Fail (exit code 1) if any video was refused, after all is written.",
)
_VAL_FRACTION = flags.DEFINE_float(
    "val_fraction",
    ConversionConfig.val_fraction,
    "Share of each class that is kept for validation, 0 to below 1. The splits of a"
    " --list hold instead, where it gives any.",
)
_FPS = flags.DEFINE_float(
    "fps", ConversionConfig.fps, "Frames per second to store.", upper_bound=240
)
_SHORTEST_SIDE = flags.DEFINE_integer(
    "shortest_side",
    ConversionConfig.shortest_side,
    "Shortest side of the stored frames in pixels; smaller videos are not enlarged.",
    lower_bound=16,
)
_ENLARGE = flags.DEFINE_bool(
    "enlarge",
    ConversionConfig.enlarge,
    "Enlarge smaller videos to --shortest_side.",
)
_JPEG_QUALITY = flags.DEFINE_integer(
    "jpeg_quality",
    ConversionConfig.jpeg_quality,
    "JPEG quality of the stored frames.",
    lower_bound=1,
    upper_bound=100,
)
_MIN_FRAMES = flags.DEFINE_integer(
    "min_frames",
    ConversionConfig.min_frames,
    "Videos that give fewer frames (at --fps) are refused.",
    lower_bound=1,
)
_MAX_MISSING_SHARE = flags.DEFINE_float(
    "max_missing_share",
    ConversionConfig.max_missing_share,
    "Videos of which a larger share does not decode, of what the file credibly"
    " promises, are refused as truncated, above 0 to 1.",
)
_MAX_SECONDS = flags.DEFINE_float(
    "max_seconds",
    ConversionConfig.max_seconds,
    "Time limit for one video, in seconds; it is refused then. 0: none. There is none"
    " with --num_processes=1.",
    lower_bound=0.0,
)
_VIDEOS_PER_SHARD = flags.DEFINE_integer(
    "videos_per_shard",
    ConversionConfig.videos_per_shard,
    "Most videos in one TFRecord file.",
    lower_bound=1,
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes",
    ConversionConfig.num_processes,
    "Worker processes; 0: one for each core, 1: no workers.",
    lower_bound=0,
)
_RUNNER = flags.DEFINE_enum(
    "runner",
    ConversionConfig.runner,
    RUNNERS,
    "What runs the work: processes of this machine, or an Apache Beam runner.",
)
_BEAM_OPTION = flags.DEFINE_multi_string(
    "beam_option",
    list(ConversionConfig.beam_options),
    "An option of the Beam runner as Beam's documentation has it; one flag for each, as"
    " in --beam_option=--runner=FlinkRunner --beam_option=--parallelism=8.",
)
_SEED = flags.DEFINE_integer(
    "seed", ConversionConfig.seed, "Seed of the split and of the order of the videos."
)

flags.register_validator(
    _VAL_FRACTION, lambda value: 0 <= value < 1, "must lie in [0, 1)"
)
flags.register_validator(
    _MAX_MISSING_SHARE, lambda value: 0 < value <= 1, "must lie in (0, 1]"
)
flags.register_validator(_FPS, lambda value: value > 0, "must be above 0")


def config() -> ConversionConfig:
    """Returns the conversion that the command line asks for."""
    return ConversionConfig(
        videos=_VIDEOS.value,
        output_dir=_OUTPUT_DIR.value,
        list_path=_LIST.value,
        list_format=_LIST_FORMAT.value,
        fold=_FOLD.value,
        media=_MEDIA.value,
        append=_APPEND.value,
        strict=_STRICT.value,
        val_fraction=_VAL_FRACTION.value,
        fps=_FPS.value,
        shortest_side=_SHORTEST_SIDE.value,
        enlarge=_ENLARGE.value,
        jpeg_quality=_JPEG_QUALITY.value,
        min_frames=_MIN_FRAMES.value,
        max_missing_share=_MAX_MISSING_SHARE.value,
        max_seconds=_MAX_SECONDS.value,
        videos_per_shard=_VIDEOS_PER_SHARD.value,
        num_processes=_NUM_PROCESSES.value,
        runner=_RUNNER.value,
        beam_options=tuple(_BEAM_OPTION.value),
        seed=_SEED.value,
    )
