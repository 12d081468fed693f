"""The methods of the benchmark: commands of the project that end in embeddings.

Each method leaves a folder of `embed.py` for a collection and a seed.  Commands are
processes of their own, as a user starts them, and go on where they were stopped.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Sequence

from vie_tf.metrics.baselines.vectors import BASELINES
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import is_data_set

ROOT = pathlib.Path(__file__).parents[2]
# The network of a run on other videos: as it is, and after IR on the collection.
TRANSFERRED = ("transferred", "transferred_IR")
NETWORKS = ("untrained", "IR", "LA", *TRANSFERRED)
METHODS = (*BASELINES, *NETWORKS)
# LA begins with the network of IR and takes a third of its steps more.
LA_FRACTION = 1 / 3


@dataclasses.dataclass(frozen=True)
class Collection:
    """Videos of the benchmark.

    Attributes:
      name: name in the table.
      data_dir: folder of the data set.
      folder: folder of everything that is made of it.
    """

    name: str
    data_dir: str
    folder: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a method has made: a folder of embeddings, the steps and the seconds."""

    embeddings: str
    steps: int
    seconds: float


def prepare(path: str | None, output_dir: pathlib.Path) -> Collection:
    """Makes the data set of a folder of videos; generates videos without one.

    All videos become training videos, as each is left out in turn.

    Args:
      path: folder of videos or of a data set; None for generated videos.
      output_dir: folder of the benchmark.
    """
    name = pathlib.Path(path).resolve().name if path else "generated"
    folder = output_dir / name
    if path and is_data_set(path):
        return Collection(name, path, folder)
    data_dir = str(folder / "data")
    if not is_data_set(data_dir):
        videos = path or str(folder / "videos")
        if path is None:
            run(
                "-m",
                "data_prep.synthesize",
                f"--output_dir={videos}",
                "--num_videos=240",
            )
        run(
            *("-m", "data_prep.convert", f"--videos={videos}"),
            *(f"--output_dir={data_dir}", "--shortest_side=96", "--val_fraction=0"),
        )
    return Collection(name, data_dir, folder)


def apply(
    method: str,
    collection: Collection,
    seed: int,
    train_flags: Sequence[str],
    endpoints: Sequence[str],
    network_from: str | None = None,
) -> Outcome:
    """Applies a method to a collection.

    Args:
      method: one of `METHODS`.
      collection: result of `prepare`.
      seed: seed of the network.
      train_flags: flags of train.py beside data, folder, loss and seed.
      endpoints: endpoints of the network that are embedded.
      network_from: run that `TRANSFERRED` start from, where `{seed}` is the seed.
    """
    folder = collection.folder / f"{method}-{seed}"
    output = str(folder / "embeddings")
    if method in BASELINES:
        started = time.perf_counter()
        embed(collection, output, f"--network={method}")
        return Outcome(output, 0, time.perf_counter() - started)
    model_dir = str(folder / "run")
    common = [*train_flags, f"--data_dir={collection.data_dir}", f"--seed={seed}"]
    common.append(f"--model_dir={model_dir}")
    if method in TRANSFERRED:
        if network_from is None:
            raise UserError(f"{method} starts from another run: give --network_from.")
        common.append(f"--network_from={network_from.replace('{seed}', str(seed))}")
    if method in ("untrained", "transferred"):
        common.append("--train_steps=0")
    if method == "LA":
        start = str(collection.folder / f"IR-{seed}" / "run")
        if not os.path.exists(start):
            raise UserError("LA begins with the network of IR: add IR to --only.")
        steps = steps_of(start)
        steps += max(round(steps * LA_FRACTION), 1)
        common += ["--loss=la", f"--init_from={start}", f"--train_steps={steps}"]
    seconds = timed(folder / "seconds.json", "train.py", *common)
    names = ",".join(endpoints)
    embed(collection, output, f"--model_dir={model_dir}", f"--endpoints={names}")
    return Outcome(output, steps_of(model_dir), seconds)


def embed(collection: Collection, output: str, *flags: str) -> None:
    """Embeds all videos of a collection."""
    run("embed.py", f"--videos={collection.data_dir}", f"--output={output}", *flags)


def steps_of(model_dir: str) -> int:
    """Returns the steps of a run, from its settings."""
    content = json.loads(pathlib.Path(model_dir, "config.json").read_text())
    return content["train"]["train_steps"]


def timed(path: pathlib.Path, *arguments: str) -> float:
    """Runs a command and returns its seconds; those of earlier starts are added."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text()) if path.exists() else 0.0
    started = time.perf_counter()
    try:
        run(*arguments)
    finally:
        seconds = before + time.perf_counter() - started
        path.write_text(json.dumps(seconds))
    return seconds


def run(*arguments: str) -> None:
    """Runs `python ARGUMENTS` in the root of the project.

    Raises:
      UserError: the command failed.
    """
    print("$ python " + " ".join(arguments), flush=True)
    code = subprocess.run([sys.executable, *arguments], cwd=ROOT).returncode
    if code:
        raise UserError(f"python {' '.join(arguments)} ended with code {code}.")
