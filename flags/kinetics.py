"""Download of Kinetics."""

from __future__ import annotations

from absl import flags

from data_prep.config import KineticsConfig

_CSV = flags.DEFINE_string(
    "csv",
    None,
    "Annotation file as published: label, youtube_id, time_start, time_end, split.",
    required=True,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder for the clips, one sub-folder per label, and for gone.csv.",
    required=True,
)
_SPLIT = flags.DEFINE_string(
    "split", KineticsConfig.split, "Only this split of the csv; all, if not given."
)
_LIMIT = flags.DEFINE_integer(
    "limit",
    KineticsConfig.limit,
    "Only the first so many rows (of the --split); 0: all.",
    lower_bound=0,
)
_SHORTEST_SIDE = flags.DEFINE_integer(
    "shortest_side",
    KineticsConfig.shortest_side,
    "Shortest side of the clips in pixels; smaller videos are not enlarged.",
    lower_bound=16,
)
_NUM_PARALLEL = flags.DEFINE_integer(
    "num_parallel",
    KineticsConfig.num_parallel,
    "Downloads at the same time.",
    lower_bound=1,
)
_NUM_TRIES = flags.DEFINE_integer(
    "num_tries",
    KineticsConfig.num_tries,
    "How often a video is tried whose error may pass.",
    lower_bound=1,
)
_RETRY_SECS = flags.DEFINE_float(
    "retry_secs",
    KineticsConfig.retry_secs,
    "Wait before the second try in seconds, doubled before each further one.",
    lower_bound=0.0,
)
_URL_TEMPLATE = flags.DEFINE_string(
    "url_template",
    KineticsConfig.url_template,
    "Where a video is, with {id} for its id.",
)
_YT_DLP = flags.DEFINE_string(
    "yt_dlp", KineticsConfig.yt_dlp, "The program yt-dlp: its name or its path."
)
_YT_DLP_OPTION = flags.DEFINE_multi_string(
    "yt_dlp_option",
    list(KineticsConfig.yt_dlp_options),
    "One more argument for yt-dlp, such as --yt_dlp_option=--cookies=FILE; may be given"
    " several times. Its own configuration files are not read.",
)
_FFMPEG = flags.DEFINE_string(
    "ffmpeg", KineticsConfig.ffmpeg, "The program ffmpeg: its name or its path."
)

flags.register_validator(
    _URL_TEMPLATE,
    lambda value: "{id}" in value and value.startswith(("http://", "https://")),
    "must start with http:// or https:// and hold {id}",
)


def config() -> KineticsConfig:
    """Returns the download that the command line asks for."""
    return KineticsConfig(
        csv_path=_CSV.value,
        output_dir=_OUTPUT_DIR.value,
        split=_SPLIT.value,
        limit=_LIMIT.value,
        shortest_side=_SHORTEST_SIDE.value,
        num_parallel=_NUM_PARALLEL.value,
        num_tries=_NUM_TRIES.value,
        retry_secs=_RETRY_SECS.value,
        url_template=_URL_TEMPLATE.value,
        yt_dlp=_YT_DLP.value,
        yt_dlp_options=tuple(_YT_DLP_OPTION.value),
        ffmpeg=_FFMPEG.value,
    )
