"""Commands beside train.py, evaluate.py and embed.py.

python -m vie_tf COMMAND --help
"""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn, Sequence

from vie_tf import __version__
from vie_tf.storage.command_line import fail
from vie_tf.storage.process_exit import run_and_exit

COMMANDS = {
    "compare_run": "vie_tf.monitoring.published.compare_run",
    "input_service": "vie_tf.input.data_service",
    "models": "vie_tf.models.summary",
    "projector": "vie_tf.monitoring.projector",
    "report": "vie_tf.evaluation.report.command",
    "tf1_checkpoint": "vie_tf.runs.tf1_checkpoint.command",
}


def main() -> NoReturn:
    """Runs the command that the first argument names, and exits."""
    name, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    if name in ("--help", "-h"):
        print((__doc__ or "").strip(), f"\nCommands: {', '.join(COMMANDS)}")
        sys.exit(0)
    if name == "--version":
        print(f"vie-tf {__version__}")
        sys.exit(0)
    if name not in COMMANDS:
        fail(f"there is no command {name!r}; there are {', '.join(COMMANDS)}")
    run_and_exit(lambda: sys.exit(_run(COMMANDS[name], arguments)))


def _run(module: str, arguments: Sequence[str]) -> int:
    # TensorFlow takes seconds to load.
    import tensorflow as tf

    # A run may be using the GPUs, and TensorFlow would take all of their memory.
    tf.config.set_visible_devices([], "GPU")
    return importlib.import_module(module).main(arguments)


if __name__ == "__main__":
    main()
