"""Exports the network of a run for programs that have no VIE-TF.

python -m vie_tf export --model_dir=RUN --format=saved_model --output=FOLDER
"""

from __future__ import annotations

from typing import Sequence

from vie_tf.config import ExportConfig
from vie_tf.flags import cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports, and returns the exit code."""
    return cli.run(_export, {"Export": ExportConfig}, __doc__, arguments)


def _export(flags: cli.Flags) -> None:
    settings = flags.config(ExportConfig)
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.commands.without_gpus import leave_gpus_alone

    leave_gpus_alone()
    from vie_tf.export.export_run import export

    print(export(settings))
