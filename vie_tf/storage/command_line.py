"""Command lines: a UserError becomes one line and an exit code."""

from __future__ import annotations

import argparse
import sys
from typing import Callable, NoReturn

from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import printable

_INTERRUPTED = 130  # what a shell reports for Ctrl-C


class Parser(argparse.ArgumentParser):
    """Reports errors as commands with absl flags do."""

    def error(self, message: str) -> NoReturn:
        """Prints one line and exits."""
        fail(f"{message} (--help lists all flags)")


def fail(message: str) -> NoReturn:
    """Prints one line and exits with code 1."""
    print(f"error: {printable(message)}", file=sys.stderr)
    sys.exit(1)


def exit_code_of(work: Callable[[], None]) -> int:
    """Does the work of a command.

    Returns:
      The exit code: 1 after a `UserError`, which is printed in one line.  Every other
      error is a fault of the program and keeps its stack trace.
    """
    try:
        work()
    except UserError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the same command continues from here.", file=sys.stderr)
        return _INTERRUPTED
    return 0
