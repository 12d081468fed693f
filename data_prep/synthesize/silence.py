"""Hides what C code writes to the terminal."""

from __future__ import annotations

import contextlib
import os
from typing import Iterator


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Hides all that this process writes to the standard error stream."""
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
