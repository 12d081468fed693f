"""Description of a data set."""

from __future__ import annotations

from absl import flags

from data_prep.config import DescriptionConfig

_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder with shards and manifest.json, from data_prep.convert.",
    required=True,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    DescriptionConfig.output_dir,
    "Folder for the two pictures; --data_dir, if not given.",
)
_VERIFY = flags.DEFINE_bool(
    "verify",
    DescriptionConfig.verify,
    "Compare all checksums, decode every frame, and look for videos that are the same,"
    " black or still.",
)
_NUM_SHOWN = flags.DEFINE_integer(
    "num_shown",
    DescriptionConfig.num_shown,
    "Videos on the contact sheet; 0: no sheet.",
    lower_bound=0,
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes",
    DescriptionConfig.num_processes,
    "Worker processes of --verify; 0: one for each core, 1: no workers.",
    lower_bound=0,
)


def config() -> DescriptionConfig:
    """Returns the description that the command line asks for."""
    return DescriptionConfig(
        data_dir=_DATA_DIR.value,
        output_dir=_OUTPUT_DIR.value,
        verify=_VERIFY.value,
        num_shown=_NUM_SHOWN.value,
        num_processes=_NUM_PROCESSES.value,
    )
