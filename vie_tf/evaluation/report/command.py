"""Sets what was measured of several runs side by side, as the paper's tables do.

python -m vie_tf report RUN1 RUN2 ... [--output=report.md]

Comes in: the JSON files of the tasks of evaluate.py in `RUN/eval`.  Goes out: Markdown
(`vie_tf.evaluation.report.text`), in which every number has its protocol.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence

from vie_tf.evaluation.report import evaluated_network
from vie_tf.evaluation.report import text as report_text
from vie_tf.monitoring.published.tables import PublishedTables
from vie_tf.storage import command_line
from vie_tf.storage.files import write_atomically


def of_runs(run_dirs: Sequence[str], all_tables: bool = False) -> str:
    """The report of some runs, in Markdown.

    Args:
      run_dirs: folders of the runs, in the order of the rows; a run is called by the
        name of its folder, and by its path where another one has the same name.
      all_tables: whether the paper's tables are there where nothing of them was run.

    Raises:
      ValueError: a folder without results.
    """
    found = {run_dir: evaluated_network.collect(run_dir) for run_dir in run_dirs}
    names = [of_run[0].name for of_run in found.values()]
    networks = []
    for (run_dir, of_run), name in zip(found.items(), names):
        if names.count(name) > 1:
            of_run = [dataclasses.replace(one, name=run_dir) for one in of_run]
        networks += of_run
    return report_text.report(networks, PublishedTables.load(), all_tables)


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line, prints and writes; returns the exit code."""
    parser = command_line.Parser(
        prog="python -m vie_tf report",
        description="Sets evaluated runs side by side, and beside the paper's tables.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders of runs")
    parser.add_argument("--output", help="Markdown file to write as well")
    parser.add_argument(
        "--all_tables",
        action="store_true",
        help="show all tables of the paper, also those of which nothing was run",
    )
    parsed = parser.parse_args(arguments)

    def work() -> None:
        text = of_runs(parsed.runs, parsed.all_tables)
        print(text)
        if parsed.output:
            write_atomically(parsed.output, text)
            print(f"Wrote {parsed.output}.")

    return command_line.exit_code_of(work)


def run(arguments: Sequence[str]) -> None:
    """Runs the command `python -m vie_tf`, whose arguments these are, and exits."""
    raise SystemExit(main(arguments))
