"""Imports pybullet, which only the worlds of people and objects need."""

from __future__ import annotations

import functools
import importlib
import os
from typing import Any

from data_prep.synthesize.silence import silent_stderr
from vie_tf.storage.errors import UserError

# pybullet keeps every mesh that it was given, 2 MB for a video of people, even when a
# simulation is reset or its server disconnected.
FILES_PER_PROCESS = 200


@functools.cache
def load() -> Any:
    """Returns the module pybullet, connected to a server without a display.

    Raises:
      UserError: it is not installed.
    """
    try:
        with silent_stderr():  # It prints when it was built.
            pybullet = importlib.import_module("pybullet")
    except ImportError as error:
        raise UserError(
            "--world=people and --world=objects need pybullet; install it with `pip"
            " install -c constraints.txt -e '.[world]'` on Python 3.9 to 3.11."
        ) from error
    pybullet.connect(pybullet.DIRECT)
    return pybullet


def data_path(*names: str) -> str:
    """Returns the path of a file that pybullet brings."""
    load()
    package = importlib.import_module("pybullet_data")
    return os.path.join(package.getDataPath(), *names)
