"""Tries every claim of the paper on a world that anybody can generate.

python -m benchmarks.paper_in_miniature [STUDY] [--quick | --full]

Generates the world, trains and evaluates all rows of the paper's tables with one
setting, and writes STUDY/results.json, report.md and curves.png.  Given again, it goes
on where it was stopped; a row that has a result is not made again.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import signal
import sys
import time
from typing import Sequence

from benchmarks.machine import cpu_facts
from benchmarks.paper_in_miniature import data_sets, report, schedule
from benchmarks.paper_in_miniature.plan import Row, plan
from benchmarks.paper_in_miniature.results import Results, result_of, settings_of
from benchmarks.paper_in_miniature.scale import SCALES, Scale
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.terminal import termination


def parse(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper_in_miniature", description=__doc__
    )
    parser.add_argument("study", nargs="?", default="paper_in_miniature")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="some 20 minutes")
    size.add_argument("--full", action="store_true", help="for a machine with a GPU")
    parser.add_argument(
        "--world",
        choices=("people", "motions"),
        default="people",
        help="motions needs no pybullet; objects are frames of other motions then",
    )
    parser.add_argument("--seeds", type=int, help="of the family that decides")
    parser.add_argument("--jobs", type=int, help="rows at once; 2, or 1 with --full")
    parser.add_argument("--minutes", type=float, help="starts nothing more after these")
    parser.add_argument(
        "--rows",
        type=lambda text: text.split(","),
        default=[],
        help="beginnings of their names, as in 3dresnet-LA,single; other objectives"
        " are made where they are named whole, as in 3dresnet-rotation",
    )
    parser.add_argument("--dry_run", action="store_true", help="print the plan")
    return parser.parse_args(given)


def scale_of(arguments: argparse.Namespace) -> Scale:
    """Returns the sizes that are asked for."""
    is_small, is_large = arguments.quick, arguments.full
    scale = SCALES["quick" if is_small else "full" if is_large else "default"]
    if arguments.seeds:
        scale = dataclasses.replace(scale, seeds=arguments.seeds)
    return scale


def make_all(
    arguments: argparse.Namespace, scale: Scale, output: pathlib.Path
) -> list[str]:
    """Makes data and rows that are missing; returns the errors of rows.

    Raises:
      UserError: the data cannot be made.
    """
    results = Results(output, settings_of(scale, arguments.world))
    rows = plan(scale, output)
    missing = schedule.rows_to_make(rows, results.rows, arguments.rows)
    started = time.perf_counter()
    jobs = arguments.jobs or (1 if arguments.full else 2)
    makers = schedule.Processes(), schedule.Processes(jobs)
    usual = schedule.rows_to_make(plan(SCALES[scale.name], output), ())
    per_cost = scale.minutes * 60 / sum(row.cost for row in usual)
    seconds: dict[str, float] = {}

    def make(row: Row) -> None:
        begun = time.perf_counter()
        makers[1].run(row.commands, output / "runs" / f"{row.key}.log")
        seconds[row.key] = time.perf_counter() - begun

    def may_start() -> bool:
        spent = (time.perf_counter() - started) / 60
        return arguments.minutes is None or spent < arguments.minutes

    errors = []
    try:
        for command in data_sets.commands(scale, output, arguments.world):
            makers[0].run([command])
        progress = schedule.Progress(sum(row.cost for row in missing), per_cost)
        minutes = progress.minutes_left()
        print(f"{len(missing)} rows to make, about {minutes:.0f} min", flush=True)
        stop = makers[1].stop
        for row, error in schedule.run(missing, make, jobs, may_start, stop):
            progress.made(row.cost)
            if error:
                errors.append(f"{row.key}: {error}")
            else:
                results.add([result_of(row, output, seconds[row.key])])
                write(results, output)
            left = f"about {progress.minutes_left():.0f} min left"
            print(f"{row.key}: {_in_words(results, row) or error}; {left}", flush=True)
    finally:
        for maker in makers:
            maker.stop()
    return errors


def _in_words(results: Results, row: Row) -> str:
    found = results.rows.get(row.key)
    if found is None:
        return ""
    scores = [f"{name} {100 * value:.1f}" for name, value in found.scores.items()]
    return ", ".join((f"{found.seconds:.0f} s", *scores))


def write(results: Results, output: pathlib.Path) -> None:
    """Writes report and picture."""
    write_atomically(str(output / "report.md"), report.text(results))
    report.draw(results).savefig(output / "curves.png", dpi=110)


def main(given: Sequence[str] | None = None) -> int:
    """Makes the study and returns the exit code."""
    arguments = parse(given)
    scale, output = scale_of(arguments), pathlib.Path(arguments.study).resolve()
    if arguments.dry_run:
        for row in plan(scale, output):
            print(f"{row.key:<34}{', '.join(row.after)}")
            for command in row.commands:
                print("    " + " ".join(command))
        return 0
    output.mkdir(parents=True, exist_ok=True)
    try:
        with termination.handled(termination.interrupt):
            errors = make_all(arguments, scale, output)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # or SIGTERM
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 128 + signal.SIGINT
    print(cpu_facts())
    print(f"Wrote {output}/results.json, report.md and curves.png.")
    for line in errors:
        print(f"error: {line}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
