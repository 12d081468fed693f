"""Sets results of several runs side by side, and beside the paper's tables.

python -m vie_tf report RUN1 RUN2 ... [--paper_row=ROW1,ROW2,...] [--output=report.md]
"""

from __future__ import annotations

from typing import Sequence

from vie_tf.commands.without_gpus import leave_gpus_alone
from vie_tf.config.setting import local_path
from vie_tf.terminal import command_line


def main(arguments: Sequence[str]) -> int:
    """Reads the command line, prints and writes; returns the exit code."""
    parser = command_line.Parser(
        prog="python -m vie_tf report",
        description="Sets evaluated runs side by side, and beside the paper's tables.",
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=local_path,
        metavar="RUN",
        help="folders of runs",
    )
    parser.add_argument(
        "--paper_row",
        default="",
        metavar="ROW,...",
        help="row of the paper that each run reproduces, by the name of its script in"
        " run_scripts/paper, such as single_la; with commas between several runs",
    )
    parser.add_argument(
        "--output", type=local_path, help="Markdown file to write as well"
    )
    parser.add_argument(
        "--all_tables",
        action="store_true",
        help="show all tables of the paper, also those without a row of these runs",
    )

    def work() -> None:
        parsed = parser.parse_args(arguments)
        leave_gpus_alone()
        from vie_tf.evaluation.report.report_runs import report_runs
        from vie_tf.storage import files

        if parsed.output:
            files.check_writable(parsed.output)
        rows = parsed.paper_row.split(",") if parsed.paper_row else ()
        text = report_runs(parsed.runs, rows, parsed.all_tables)
        print(text)
        if parsed.output:
            files.write_atomically(parsed.output, text)
            print(f"Wrote {parsed.output}.")

    return command_line.exit_code_of(work)
