"""Silences TensorFlow while it is imported, as TF_CPP_MIN_LOG_LEVEL asks.

From TensorFlow 2.19 on, its libraries write lines to stderr while they are loaded,
before that variable has an effect.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import os
import re
import sys
import threading
from types import ModuleType
from typing import BinaryIO, Iterator, Sequence

_SEVERITIES = "IWE"  # information, warnings, errors; fatal lines are always shown
_LINE = re.compile(rb"([IWE])\d{4} \d\d:\d\d:\d\d[.\d]+ +\d+ \S+\.(cc|h):\d+\] ")
_PIPE_SECONDS = 1.0  # for what a process that the import started may still hold
_INTRODUCTION = b"WARNING: All log messages before absl::InitializeLog() is called"


def install() -> None:
    """Lets the next `import tensorflow` be a silent one."""
    if "tensorflow" not in sys.modules and _severities():
        sys.meta_path.insert(0, _Finder())


def _severities() -> str:
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0")
    return _SEVERITIES[: int(level)] if level.isdigit() else ""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds `tensorflow` as Python does, once, and wraps its loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "tensorflow":
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_silently(module: ModuleType) -> None:
                with _without_log_lines(_severities()):
                    load(module)

            spec.loader.exec_module = load_silently  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def _without_log_lines(severities: str) -> Iterator[None]:
    """Leaves log lines of these severities out of what the process writes to stderr."""
    try:
        stderr = os.dup(2)
    except OSError:  # the process has none
        yield
        return
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    thread = threading.Thread(
        target=_pass_on, args=(open(reading, "rb"), stderr, severities), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        os.dup2(stderr, 2)  # closes the pipe, so that the thread ends
        thread.join(_PIPE_SECONDS)


def _pass_on(lines: BinaryIO, stderr: int, severities: str) -> None:
    with lines:
        for line in lines:
            found = _LINE.match(line)
            is_dropped = found is not None and found[1].decode() in severities
            if not is_dropped and not line.startswith(_INTRODUCTION):
                os.write(stderr, line)
    os.close(stderr)
