"""The plan behind all.sh: the steps that make the paper's tables, in an order.

Comes in: the scripts of this folder.  Goes out: their runs and results in RUN_ROOT, or
with --dry_run the plan as text.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
from typing import Callable, Iterator, Sequence

FOLDER = pathlib.Path(__file__).resolve().parent
# Rows in the order in which they are made; none comes before one that it starts from.
TABLES = {
    "1": (
        *("random", "single_ir", "single_la", "trn_la", "3dresnet_la", "slow_la"),
        *("slowfast_la", "two_stream_s", "two_stream_sf"),
    ),
    "3": (
        *("single_la", "single_70percent_la", "single_30percent_la"),
        *("single_2bin_la", "single_5bin_la"),
    ),
    "4": ("input_single_trn", "input_single_slow", "input_single_slowfast"),
    "5": (
        *("single_supervised", "trn_supervised", "3dresnet_supervised"),
        *("slow_supervised", "slowfast_supervised"),
    ),
    "2": tuple(
        f"finetune_{data}_{network}"
        for data in ("ucf101", "hmdb51")
        for network in (
            *("3dresnet_scratch", "3dresnet", "3dresnet_supervised"),
            *("slowfast_scratch", "slowfast", "slowfast_supervised"),
            *("single_scratch", "single", "single_supervised", "two_stream_sf"),
        )
    ),
}
# Rows by IR beside the tables, without a number in the paper, and other methods of
# table 2, whose numbers the paper quotes: only with --tables=none.
NO_TABLE = (
    *("trn_ir", "3dresnet_ir", "slow_ir", "slowfast_ir", "single_70percent_ir"),
    *("single_30percent_ir", "single_2bin_ir", "single_5bin_ir"),
    *("other_3drotnet", "other_opn", "other_st_puzzle", "other_st_puzzle_c3d"),
    *("other_moap", "other_cmc"),
)
DATA_SETS = {"kinetics_drops": "kinetics400", "imagenet_drops": "imagenet"}


@dataclasses.dataclass(frozen=True)
class Step:
    """A call of a script.

    Attributes:
      row: name of the script.
      arguments: its arguments.
      after: earlier steps that this one goes on from.
    """

    row: str
    arguments: tuple[str, ...] = ()
    after: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.row, *self.arguments))


def starts_from(row: str) -> list[str]:
    """Returns the rows whose runs a script goes on from."""
    names = dict.fromkeys(re.findall(r"\$runs/(\w+)", _text(row)))
    trained = {*TABLES["1"], *TABLES["3"], *TABLES["5"]}
    evaluated = {"two_stream_s", "two_stream_sf"}  # folders for results alone
    return [name for name in names if name in trained - evaluated - {row}]


def _text(row: str) -> str:
    return (FOLDER / f"{row}.sh").read_text()


def _steps_of(row: str, trained: dict[str, Step]) -> Iterator[Step]:
    """The steps of a row; `trained` has the steps of the rows before, by name."""
    text = _text(row)
    after = tuple(trained[name] for name in starts_from(row))
    if "\ntrain_row " in text:
        trained[row] = Step(row, after=after)
        yield trained[row]
        after = (trained[row],)
    if row.startswith("finetune_"):
        yield Step(row, after=after)
        yield Step(row, ("--multi_scale",), after)
    for variable, data in DATA_SETS.items():
        if re.search(rf"(^|\s){variable}=", text, re.MULTILINE):
            yield Step(row, (f"--linear_probes={data}",), after)


def plan(tables: Sequence[str] = tuple(TABLES)) -> list[Step]:
    """Returns the steps of tables, each after those that it goes on from.

    Args:
      tables: keys of `TABLES`, or `none` for `NO_TABLE`.
    """
    asked = [row for table in tables for row in TABLES.get(table, NO_TABLE)]
    needed = {start for row in asked for start in (row, *starts_from(row))}
    rows = dict.fromkeys(row for of_table in TABLES.values() for row in of_table)
    trained: dict[str, Step] = {}
    steps = []
    for row in (*rows, *NO_TABLE):
        if row in needed:
            of_row = [*_steps_of(row, trained)]
            steps += of_row if row in asked else of_row[:1]
    return steps


def show(steps: Sequence[Step]) -> str:
    """Formats a plan, a line for each step."""
    numbers = {step: number for number, step in enumerate(steps, start=1)}
    lines = []
    for step, number in numbers.items():
        after = ", ".join(str(numbers[other]) for other in step.after)
        words = " ".join((f"run_scripts/paper/{step.row}.sh", *step.arguments))
        line = f"{number:>4}  {words}"
        lines.append(f"{line:<80}  after {after}" if after else line)
    return "\n".join(lines)


def run(steps: Sequence[Step], done: pathlib.Path, make: Callable[[Step], int]) -> int:
    """Makes the steps that are not in the list of those that are done.

    Args:
      steps: plan.
      done: file with a line for each step that has ended.
      make: makes a step and returns its exit code.

    Returns:
      The exit code: that of the first step that fails, which ends the run.
    """
    done.parent.mkdir(parents=True, exist_ok=True)
    ended = set(done.read_text().splitlines()) if done.exists() else set()
    for number, step in enumerate(steps, start=1):
        if str(step) in ended:
            continue
        print(f"[{number}/{len(steps)}] {step}", flush=True)
        code = make(step)
        if code:
            print(f"error: {step} failed. The same command tries it again.")
            return code
        with done.open("a") as file:
            file.write(f"{step}\n")
    print(f"All {len(steps)} steps are done ({done}).")
    return 0


def _call_script(step: Step) -> int:
    return subprocess.run([FOLDER / f"{step.row}.sh", *step.arguments]).returncode


def _smoke(steps: Sequence[Step], root: pathlib.Path) -> int:
    import smoke  # which imports TensorFlow

    return smoke.start(root) or run(
        steps,
        root / "smoke" / "all_done.txt",
        lambda step: smoke.make(step.row, step.arguments, root),
    )


def _tables(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in (*TABLES, "none"):
            allowed = ", ".join(sorted(TABLES))
            raise argparse.ArgumentTypeError(
                f"{name!r} is not one of {allowed}, or none for the rows beside them"
            )
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="all.sh", allow_abbrev=False)
    parser.add_argument("--dry_run", action="store_true", help="print the plan")
    parser.add_argument(
        "--smoke",
        action="store_true",
        help="two steps of everything, tiny, on generated videos in RUN_ROOT/smoke",
    )
    parser.add_argument(
        "--tables",
        type=_tables,
        default=list(TABLES),
        help="tables, such as 1,4; none: rows beside them, by IR and by other methods"
        " (default: all tables)",
    )
    parsed = parser.parse_args(arguments)
    steps = plan(parsed.tables)
    if parsed.dry_run:
        print(show(steps))
        return 0
    root = os.environ.get("RUN_ROOT")
    if not root:
        print("error: RUN_ROOT is not set, as by: export RUN_ROOT=/runs")
        return 1
    folder = pathlib.Path(root).resolve()
    if parsed.smoke:
        return _smoke(steps, folder)
    return run(steps, folder / "all_done.txt", _call_script)


if __name__ == "__main__":
    sys.exit(main())
