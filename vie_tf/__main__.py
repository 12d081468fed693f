"""Commands beside train.py, evaluate.py and embed.py.

python -m vie_tf COMMAND --help
"""

from __future__ import annotations

import importlib
import sys

from vie_tf import __version__
from vie_tf.storage.command_line import fail
from vie_tf.storage.process_exit import run_and_exit

COMMANDS = {
    name: f"vie_tf.commands.{name}"
    for name in (
        "compare_run",
        "input_service",
        "models",
        "projector",
        "report",
        "tf1_checkpoint",
    )
}


def main() -> int:
    """Runs the command that the first argument names, and returns its exit code."""
    name, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    if name in ("--help", "-h"):
        print((__doc__ or "").strip(), f"\nCommands: {', '.join(COMMANDS)}")
        return 0
    if name == "--version":
        print(f"vie-tf {__version__}")
        return 0
    if name not in COMMANDS:
        fail(f"there is no command {name!r}; there are {', '.join(COMMANDS)}")
    return int(importlib.import_module(COMMANDS[name]).main(arguments))


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
