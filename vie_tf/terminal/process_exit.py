"""Ends a process with its exit code, even after it used s3:// or hdfs://.

TensorFlow is not imported here: a command that prints its help must stay fast.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Callable, NoReturn

from vie_tf.terminal import command_line


def run_and_exit(work: Callable[[], object]) -> NoReturn:
    """Runs the work of a command and ends the process.

    tensorflow-io 0.36 aborts while the interpreter shuts down ("pure virtual method
    called", exit code 134), although everything is written and closed by then.  A
    process that loaded it therefore skips the shutdown.

    Args:
      work: may raise SystemExit to choose the exit code; any other exception is printed
        with its stack trace and gives exit code 1.
    """
    code = 0

    def until_exit() -> None:
        nonlocal code
        try:
            work()
        except SystemExit as ending:
            code = _code_of(ending)

    try:
        code = command_line.exit_code_of(until_exit) or code
    except BaseException:
        if "tensorflow_io" not in sys.modules:
            raise
        traceback.print_exc()
        code = 1
    if "tensorflow_io" in sys.modules:
        os._exit(code)
    sys.exit(code)


def _code_of(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return ending.code or 0
    print(ending.code, file=sys.stderr)
    return 1
