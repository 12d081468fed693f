"""What an error of TensorFlow says, in one line.

Imports nothing, as `flags.cli` needs it before it knows whether there is TensorFlow.
"""

from __future__ import annotations

import re

# Names of nodes, and what TensorFlow puts around the words of an operation.
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


def error_line(error: BaseException) -> str:
    """The line of an error that says what happened.

    TensorFlow tells first where in a graph it happened, in many lines.
    """
    lines = _NUMBERS.sub("", _NODES.sub("", str(error))).splitlines()
    told = [line.strip() for line in lines if line.strip() and not _FRAME.match(line)]
    return told[0] if told else type(error).__name__
