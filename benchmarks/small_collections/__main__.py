"""What training gives on small collections, beside embeddings that learned nothing.

python -m benchmarks.small_collections [FOLDER_OR_DATA ...] --output_dir=STUDY

For every folder of videos (or generated videos without any): leave-one-out kNN, mean
average precision and a linear probe of four baselines, of the untrained network, of IR,
and of LA after it, for some seeds; with --network_from also of the network of a run on
other videos, as it is and after IR.  Given again, it goes on where it was stopped, and
more folders, seeds or methods add to the results.  Writes STUDY/results.json,
small_collections.md and small_collections.png.
"""

from __future__ import annotations

import argparse
import pathlib
import shlex
import sys
import time
from typing import Sequence

from benchmarks.machine import cpu_facts
from benchmarks.small_collections import methods, report, scores
from benchmarks.small_collections.results import Result, Results
from vie_tf.metrics.baselines.vectors import BASELINES
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically

DEFAULT_FLAGS = "--preset=small"


def measure(
    collection: methods.Collection,
    method: str,
    seed: int,
    arguments: argparse.Namespace,
) -> list[Result]:
    """Applies a method and scores every representation of the videos."""
    is_baseline = method in BASELINES
    names = ["embedding"] if is_baseline else arguments.representations
    endpoints = [name for name in names if name != scores.SEARCH] or ["embedding"]
    outcome = methods.apply(
        *(method, collection, seed, shlex.split(arguments.train_flags), endpoints),
        network_from=arguments.network_from,
    )
    labels, classes = scores.labels_of(outcome.embeddings)
    results = []
    for name in names:
        rows = scores.rows_of(outcome.embeddings, name)
        results.append(
            Result(
                collection.name,
                method,
                name,
                seed,
                num_videos=len(rows),
                num_classes=len(classes),
                size=rows.shape[1],
                steps=outcome.steps,
                seconds=outcome.seconds,
                scores=scores.scores(rows, labels, probe=arguments.probe),
            )
        )
    return results


def run(arguments: argparse.Namespace) -> Results:
    """Measures what is not there yet, and writes table and picture after each."""
    folder = pathlib.Path(arguments.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "train_flags": arguments.train_flags,
        "representations": arguments.representations,
    }
    if arguments.network_from:
        settings["network_from"] = arguments.network_from
    results, started = Results(folder, settings), time.perf_counter()
    for path in arguments.videos or [None]:
        collection = methods.prepare(path, folder)
        # All methods of a seed before the next seed, so that a stop leaves whole rows.
        for seed in range(arguments.seeds):
            for method in arguments.only:
                if results.find(collection.name, method, seed):
                    continue
                if method in BASELINES and seed:
                    continue
                minutes = (time.perf_counter() - started) / 60
                if arguments.minutes is not None and minutes > arguments.minutes:
                    print(f"Stopped after {minutes:.1f} minutes; repeat to go on.")
                    return results
                found = measure(collection, method, seed, arguments)
                results.add(found)
                for one in found:
                    values = ", ".join(f"{n} {v:.1%}" for n, v in one.scores.items())
                    title = f"{one.collection}, {method} {seed}, {one.representation}"
                    print(f"== {title}: {values}", flush=True)
                write(results, folder)
    return results


def write(results: Results, folder: pathlib.Path) -> None:
    """Writes the table and the picture."""
    write_atomically(str(folder / "small_collections.md"), report.table(results))
    report.draw(results).savefig(folder / "small_collections.png", dpi=110)


def parse(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", help="folders of videos or of data sets")
    parser.add_argument("--output_dir", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--only",
        type=_names,
        help=f"methods, by commas: {', '.join(methods.METHODS)};"
        " by default all that need no other run, or all with --network_from",
    )
    parser.add_argument(
        "--network_from",
        type=_absolute,
        help="run on other videos whose network is tried; {seed} stands for the seed",
    )
    parser.add_argument("--minutes", type=float, help="starts nothing more after these")
    parser.add_argument("--train_flags", default=DEFAULT_FLAGS, help="of train.py")
    parser.add_argument(
        "--representations",
        type=lambda text: text.split(","),
        default=["embedding", scores.SEARCH],
        help=f"endpoints of the network, or {scores.SEARCH}",
    )
    parser.add_argument("--probe", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args(given)
    if arguments.only is None:
        left_out = () if arguments.network_from else methods.TRANSFERRED
        arguments.only = [name for name in methods.METHODS if name not in left_out]
    return arguments


def _absolute(path: str) -> str:
    """Commands run in the root of the project."""
    return str(pathlib.Path(path).resolve())


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = sorted(set(names) - set(methods.METHODS))
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{unknown[0]} is none of {', '.join(methods.METHODS)}"
        )
    return names


def main(given: Sequence[str] | None = None) -> int:
    """Measures and reports, and returns the exit code."""
    arguments = parse(given)
    try:
        results = run(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if results.all:
        folder = pathlib.Path(arguments.output_dir)
        write(results, folder)
        print(report.table(results), cpu_facts(), sep="\n")
        print(f"Wrote {folder}/small_collections.md, .png and results.json.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
