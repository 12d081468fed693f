"""What commands with argparse share: errors in one line, as those with absl flags."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, NoReturn

import tensorflow as tf

from vie_tf.storage.errors import error_line


class Parser(argparse.ArgumentParser):
    """Reports errors as the commands with absl flags do."""

    def error(self, message: str) -> NoReturn:
        """Prints one line and exits."""
        fail(f"{message} (--help lists all flags)")


def fail(message: str) -> NoReturn:
    """Prints one line and exits with code 1."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def exit_code_of(work: Callable[[], None]) -> int:
    """Does the work of a command; bad input becomes one line.

    Returns:
      The exit code.
    """
    try:
        work()
    except (ValueError, OSError, tf.errors.OpError) as error:
        if os.environ.get("VIE_TF_TRACEBACK"):  # as flags.cli does
            raise
        is_of_tensorflow = isinstance(error, tf.errors.OpError)
        message = error_line(error) if is_of_tensorflow else str(error)
        print(f"error: {message}", file=sys.stderr)
        return 1
    return 0
