"""All steps of a plan in one process, on generated videos: all.sh --smoke.

The commands are those of the scripts with --smoke.  They are called one after the other
without graphs, as TensorFlow takes seconds to start and longer to trace a network than
to take two steps.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import tempfile
import warnings
from typing import Callable, Sequence

import tensorflow as tf

from data_prep.convert import __main__ as convert
from data_prep.synthesize import __main__ as synthesize
from vie_tf.commands import evaluate, train
from vie_tf.keras import keras

FOLDER = pathlib.Path(__file__).resolve().parent
DATA_SETS = ("kinetics400", "imagenet", "ucf101", "hmdb51")
_MAINS: dict[str, Callable[[Sequence[str]], int]] = {
    "train.py": train.main,
    "evaluate.py": evaluate.main,
}
# At the paper's rates two steps of two videos can make a network that overflows.
_RATE = "--learning_rate=0.0001"


def generate(data_root: pathlib.Path) -> int:
    """Makes small data sets under the names of the paper's; returns the exit code."""
    for number, name in enumerate(DATA_SETS):
        # Two bins of 130 frames, so that the rows of table 3 have something to cut.
        seconds = 11 if name == "kinetics400" else 3
        videos, data = data_root / f"{name}_videos", data_root / name
        code = synthesize.main(
            [f"--output_dir={videos}", "--num_videos=8", "--num_classes=2"]
            + ["--size=48", f"--seconds={seconds}", "--scenes=8"]
            + [f"--seed={number}", "--num_processes=1"]
        ) or convert.main(
            [f"--videos={videos}", f"--output_dir={data}", "--shortest_side=48"]
            + ["--val_fraction=0.25", "--num_processes=1"]
        )
        if code:
            return code
    return 0


def commands(row: str, arguments: Sequence[str], root: pathlib.Path) -> list[list[str]]:
    """Returns what a script starts with --smoke: the Python files and their flags.

    Args:
      row: name of the script.
      arguments: arguments of the script.
      root: RUN_ROOT of the script; DATA_ROOT is a folder in it.
    """
    with tempfile.TemporaryDirectory() as folder:
        shows = pathlib.Path(folder, "python")  # in place of Python
        shows.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
        shows.chmod(0o755)
        text = subprocess.run(
            [FOLDER / f"{row}.sh", "--smoke", *arguments],
            env={
                **os.environ,
                "PYTHON": str(shows),
                "RUN_ROOT": str(root),
                "DATA_ROOT": str(root / "smoke" / "data"),
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    found: list[list[str]] = []
    for word in text.splitlines():
        if os.path.basename(word) in _MAINS:
            found.append([os.path.basename(word)])
        else:
            found[-1].append(word)
    return found


def start(root: pathlib.Path) -> int:
    """Prepares the process and makes the data, if they are not there.

    Returns:
      The exit code.
    """
    tf.config.run_functions_eagerly(True)
    tf.get_logger().setLevel("ERROR")
    warnings.filterwarnings("ignore", message="Even though the `tf.config")
    (root / "smoke").mkdir(parents=True, exist_ok=True)
    return _logged(root, lambda: generate(root / "smoke" / "data"))


def make(row: str, arguments: Sequence[str], root: pathlib.Path) -> int:
    """Calls what a script starts with --smoke.

    Args:
      row: name of the script.
      arguments: arguments of the script.
      root: RUN_ROOT.

    Returns:
      The exit code, of the first command that fails.
    """
    keras.backend.clear_session()
    for file, *flags in commands(row, arguments, root):
        words = [*flags, _RATE]
        code = _logged(root, lambda: _MAINS[file](words))  # noqa: B023 called at once
        if code:
            return code
    return 0


def _logged(root: pathlib.Path, work: Callable[[], int]) -> int:
    """Calls with the output in a file, the end of which is shown after an error."""
    log = root / "smoke" / "all.log"
    with log.open("a") as file:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            code = work()
    if code:
        print(*log.read_text().splitlines()[-5:], f"All of it is in {log}.", sep="\n")
    return code
