"""Exports the network of a run to a file of another format."""

from __future__ import annotations

import os
import shutil
import tempfile

from vie_tf.config import ExportConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.export import extras
from vie_tf.export.formats import FORMATS
from vie_tf.storage import files, remote_files
from vie_tf.storage.errors import UserError


def export(settings: ExportConfig) -> str:
    """Writes the network of a run; returns lines that say what was written.

    Raises:
      UserError: there is no such run or checkpoint, the output exists or cannot be
        written, or a package is missing.
    """
    written = FORMATS[settings.format]
    check_output(settings.output, written.ending)
    if written.extra is not None:
        extras.require(*written.extra)
    network = restored_network.load(settings.model_dir, settings.checkpoint)
    parent = os.path.dirname(os.path.abspath(settings.output))
    with files.file_errors(settings.output):
        os.makedirs(parent, exist_ok=True)
        # Beside the result, so that it appears under its name when it is complete.
        scratch = tempfile.mkdtemp(prefix=".vie_tf-", dir=parent)
        try:
            path = os.path.join(scratch, f"network{written.ending}")
            written.write(network, settings, path)
            os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
            os.rename(path, settings.output)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return describe(network, settings)


def check_output(output: str, ending: str) -> None:
    """Checks the path of a result before anything is computed.

    Raises:
      UserError: it is remote, exists, or has another ending than its format.
    """
    if remote_files.is_remote(output):
        raise UserError(f"--output={output}: export to a local path, and copy that.")
    if os.path.lexists(output):
        raise UserError(f"--output={output} exists: give another path, or remove it.")
    if not output.endswith(ending):
        raise UserError(f"--output={output}: the name of the file ends with {ending}.")


def describe(network: RestoredNetwork, settings: ExportConfig) -> str:
    """Returns lines that say what a file takes."""
    recipe = network.recipe
    size = "H, W" if settings.format == "saved_model" else f"{recipe.crop_size}, " * 2
    shape = f"[N, {recipe.num_frames}, {size.rstrip(', ')}, {recipe.num_channels}]"
    lines = [
        f"Wrote {settings.output}: {network.config.model.name} at step {network.step}.",
        f"  clips   {shape} uint8, to all endpoints",
    ]
    if settings.format == "saved_model":
        lines.append(
            "  frames  JPEG strings [F] of one video, to its embedding"
            f" ({settings.num_clips} clips averaged)"
        )
    return "\n".join(lines)
