"""Commands that messages name: in the words in which this process was started."""

from __future__ import annotations

import os
import shlex
import sys

_SCRIPTS = ("train", "evaluate", "embed")
_PREPARATION = ("synthesize", "download_kinetics", "convert", "describe")


def command(name: str, *arguments: str) -> str:
    """Returns a command line that a user can copy.

    Args:
      name: name of the command, such as `evaluate`.
      arguments: its flags, quoted here where a shell would take them apart.
    """
    return " ".join([_program(name), *map(shlex.quote, arguments)])


def line(name: str, *arguments: str) -> str:
    """Returns the line that says what to do next; see `command`."""
    return f"Next: {command(name, *arguments)}"


def _program(name: str) -> str:
    started = os.path.basename(sys.argv[0])
    if started == "vie-tf":
        return f"vie-tf {name.replace('_', '-')}"
    if name in _SCRIPTS:
        return f"python {name}.py"
    return f"python -m {'data_prep.' if name in _PREPARATION else 'vie_tf '}{name}"
