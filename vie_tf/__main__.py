"""VIE-TF: unsupervised learning of video embeddings.

vie-tf COMMAND --help
"""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

from vie_tf import __version__
from vie_tf.terminal.command_line import fail
from vie_tf.terminal.process_exit import run_and_exit

# Modules of the commands, in the order in which they are needed.
COMMANDS = {
    **{
        name: f"data_prep.{name}.__main__"
        for name in ("synthesize", "download_kinetics", "convert", "describe")
    },
    "train": "vie_tf.commands.train",
    "evaluate": "vie_tf.commands.evaluate",
    "embed": "vie_tf.commands.embed",
    "search": "vie_tf.commands.embed",
    "explore": "vie_tf.commands.explore",
    "serve": "vie_tf.commands.serve",
    "export": "vie_tf.commands.export",
    **{
        name: f"vie_tf.commands.{name}"
        for name in ("report", "compare_run", "projector", "models", "input_service")
    },
    "import_tf1": "vie_tf.commands.tf1_checkpoint",
}
_ALIASES = {"tf1_checkpoint": "import_tf1"}
_SUMMARIES = {"search": "Finds the videos nearest to one."}


def main() -> int:
    """Runs the command that the first argument names, and returns its exit code.

    Words of a name are joined by hyphens or by underscores.
    """
    asked, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    if asked in ("--help", "-h"):
        print(_help())
        return 0
    if asked == "--version":
        print(f"vie-tf {__version__}")
        return 0
    name = asked.replace("-", "_")
    name = _ALIASES.get(name, name)
    if name not in COMMANDS:
        fail(f"there is no command {asked!r}; there are {', '.join(COMMANDS)}")
    return int(importlib.import_module(COMMANDS[name]).main(arguments))


def _help() -> str:
    lines = []
    for name, module in COMMANDS.items():
        text = importlib.import_module(module).__doc__ or ""
        summary = _SUMMARIES.get(name) or " ".join(text.partition("\n\n")[0].split())
        lines.append(f"  {name.replace('_', '-'):18} {summary}")
    return "\n".join([(__doc__ or "").strip(), "", "Commands:", *lines])


def run() -> NoReturn:
    """Runs a command and ends the process; `vie-tf` calls this."""
    run_and_exit(lambda: sys.exit(main()))


if __name__ == "__main__":
    run()
