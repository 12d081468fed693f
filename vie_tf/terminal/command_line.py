"""Command lines: a UserError becomes one line and an exit code."""

from __future__ import annotations

import argparse
import errno
import re
import sys
from typing import Callable, NoReturn

from vie_tf.storage.errors import UserError, error_line
from vie_tf.terminal import streams, termination

_INTERRUPTED = 130  # what a shell reports for Ctrl-C
_OWN_PACKAGES = ("vie_tf", "data_prep")
_LIBRARY = re.compile(r"(\S+\.so\S*): cannot open shared object file")
# What a system refuses whatever the program does.
_REFUSALS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE),
)


class Parser(argparse.ArgumentParser):
    """Reports errors as commands with absl flags do."""

    def error(self, message: str) -> NoReturn:
        """Prints one line and exits."""
        fail(f"{message} (--help lists all flags)")


def fail(message: str) -> NoReturn:
    """Prints one line and exits with code 1."""
    streams.print_error(f"error: {message}")
    sys.exit(1)


def exit_code_of(work: Callable[[], None]) -> int:
    """Does the work of a command.

    Returns:
      The exit code: 1 after a `UserError`, which is printed in one line; 141 if the
      reader of the output has ended; 143 after a SIGTERM.  A system that refuses
      memory, room or access is one line, too.  Every other error is a fault of the
      program and keeps its stack trace.
    """
    with streams.safe_streams(), termination.handled(termination.interrupt):
        try:
            work()
            sys.stdout.flush()  # while a failure can still be told
        except UserError as error:
            streams.print_error(f"error: {error}")
            return 1
        except streams.ReaderLeft:
            return streams.READER_LEFT_CODE
        except termination.Terminated:
            streams.print_error("Terminated; the same command continues from here.")
            return termination.EXIT_CODE
        except KeyboardInterrupt:
            streams.print_error("Interrupted; the same command continues from here.")
            return _INTERRUPTED
        except Exception as error:
            reason = _of_the_system(error)
            if not reason:
                raise
            streams.print_error(f"error: {reason}")
            return 1
    return 0


def _of_the_system(error: Exception) -> str:
    """Says what the system refused: memory, room or a permission; else nothing."""
    if _is_out_of_memory(error):
        return (
            f"There is not enough memory ({error_line(error)}). Close other programs,"
            " or lower --batch_size, --num_clips or --num_processes, whichever the"
            " command has."
        )
    if isinstance(error, ImportError):
        return _missing_library(error)
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return f"{error.filename or 'A file'}: {error.strerror}"
    return ""


def _missing_library(error: ImportError) -> str:
    """Says what to install where a package of others cannot be loaded."""
    package = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError):
        if package in _OWN_PACKAGES:
            return ""
        return (
            f"The Python package {package} is missing. Install what VIE-TF needs by pip"
            " (README.md), or activate the environment that has it."
        )
    library = _LIBRARY.match(str(error))
    if not library:
        return ""
    return (
        f"{package or 'A package'} cannot be loaded, as the system has no {library[1]}."
        " For OpenCV, install the system's libraries (apt-get install libgl1"
        " libglib2.0-0), or opencv-python-headless in place of opencv-python."
    )


def _is_out_of_memory(error: Exception) -> bool:
    """Returns whether Python or TensorFlow, if it is loaded, got no memory."""
    tf = sys.modules.get("tensorflow")
    kinds = (MemoryError, tf.errors.ResourceExhaustedError) if tf else MemoryError
    return isinstance(error, kinds)
