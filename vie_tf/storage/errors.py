"""Errors that a command prints as one line, and the line of a TensorFlow error.

TensorFlow is not imported here, so that --help stays fast.
"""

from __future__ import annotations

import re

# Names of graph nodes, and what TensorFlow puts around the message of an operation.
_NODES = re.compile(r"\{\{.*?\}\} ?|\s*\[Op:[^\]]*\]")
_NUMBERS = re.compile(r"^\s*\(\d+\) [A-Z_]+:\s*", re.MULTILINE)  # of several errors
_FRAME = re.compile(
    r"Graph execution error|Detected at node|Node:|<stack traces|\d+ root error|\s"
)


class UserError(ValueError):
    """Bad input: what was given, what is allowed, and how to mend it.

    Commands print its message as one line and exit with code 1.  Every other exception
    is a fault of the program and keeps its stack trace.
    """


class FileError(OSError, UserError):
    """A file or folder that cannot be read or written: error number, reason, path."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


class MissingFileError(FileNotFoundError, FileError):
    """A file or folder that does not exist."""

    __str__ = FileError.__str__


def error_line(error: BaseException) -> str:
    """Returns the line of an error message that says what happened.

    TensorFlow first says where in a graph it happened, in many lines.
    """
    lines = _NUMBERS.sub("", _NODES.sub("", str(error))).splitlines()
    messages = [
        line.strip() for line in lines if line.strip() and not _FRAME.match(line)
    ]
    return messages[0] if messages else type(error).__name__
