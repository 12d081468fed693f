"""Sets results of several runs side by side, and beside the paper's tables.

It reads the results of evaluate.py in `RUN/eval`, and writes Markdown in which every
number has its protocol.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence

from vie_tf.evaluation.report import evaluated_network, sections
from vie_tf.evaluation.report.evaluated_network import EvaluatedNetwork
from vie_tf.evaluation.report.paper_tables import PaperTables
from vie_tf.storage.errors import UserError


def report_runs(
    run_dirs: Sequence[str], paper_rows: Sequence[str] = (), all_tables: bool = False
) -> str:
    """Writes the report of some runs in Markdown.

    Args:
      run_dirs: folders of the runs, in the order of the lines.  A run has the name of
        its folder, or its path if several have the same name.
      paper_rows: row of the paper that each run reproduces, empty for none.
      all_tables: whether to include tables of the paper without any own number.

    Raises:
      UserError: a folder has no results, or a run does not fit its row.
    """
    paper = PaperTables.load()
    if paper_rows and len(paper_rows) != len(run_dirs):
        raise UserError(
            f"--paper_row has {len(paper_rows)} rows for {len(run_dirs)} runs: give one"
            " for each, separated by commas, and an empty one for a run without a row."
        )
    found = [evaluated_network.collect(run_dir) for run_dir in run_dirs]
    names = [of_run[0].name for of_run in found]
    networks = []
    for run_dir, of_run, row in zip(run_dirs, found, paper_rows or [""] * len(found)):
        if row:
            _check_row(run_dir, of_run, row, paper)
        for one in of_run:
            name = run_dir if names.count(one.name) > 1 else one.name
            networks.append(dataclasses.replace(one, name=name, paper_row=row))
    return sections.report(networks, paper, all_tables)


def _check_row(
    run_dir: str, networks: Sequence[EvaluatedNetwork], row: str, paper: PaperTables
) -> None:
    rows = paper.runs()
    if row not in rows:
        raise UserError(f"--paper_row={row}: there are {', '.join(sorted(rows))}.")
    model, losses = rows[row][0].model, {one.loss for one in rows[row]}
    if not any(
        network.model == model
        and (network.loss in losses or (network.loss == "none" and "scratch" in losses))
        for network in networks
    ):
        raise UserError(
            f"--paper_row={row} is a network of --model={model} and --loss="
            f"{' or '.join(sorted(losses))}, but results in {run_dir!r} are of"
            f" {' and '.join(f'{one.model} ({one.loss})' for one in networks)}."
        )
