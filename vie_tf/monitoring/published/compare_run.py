"""Compares a run on Kinetics-400 with the authors' published one: is it on track?

python -m vie_tf compare_run --model_dir=RUN

Prints the kNN accuracies of both runs, and draws a chart or writes the published curve
for TensorBoard if it is asked to.
"""

from __future__ import annotations

import argparse
import os
from typing import Sequence

from vie_tf.config import RunConfig
from vie_tf.config.setting import local_path
from vie_tf.monitoring.published import comparison, curve_plot, curves
from vie_tf.monitoring.published.curves import KnnCurve, PublishedRun
from vie_tf.runs.checkpoint_folder import step_of
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import command_line
from vie_tf.storage.errors import UserError


def load_run(model_dir: str) -> tuple[RunConfig, KnnCurve]:
    """Reads the settings and the kNN curve of a run.

    Raises:
      UserError: there is no run, or it has no kNN validation.
    """
    directory = RunDirectory(model_dir)
    config, _ = directory.load_config()
    if config.loss.name == "supervised":
        raise UserError(
            f"The run in {model_dir!r} is supervised: its validation is that of the"
            " softmax (softmax/top1 in TensorBoard), so it has no kNN curve. Give a run"
            " with --loss=ir or la."
        )
    curve = curves.read(model_dir)
    if not len(curve.steps):
        raise UserError(
            f"The run in {model_dir!r} has no kNN validation yet."
            f" {_reason(config, directory)}"
        )
    return config, curve


def _reason(config: RunConfig, directory: RunDirectory) -> str:
    if directory.data_set().get("num_classes") == 0:
        return (
            "Its data set has no labels, so it will never have one. Labels come from"
            " sub-folders or a column of a list: see docs/data_preparation.md."
        )
    every, last = config.train.eval_steps, config.train.train_steps
    latest = directory.latest()
    step = step_of(latest) if latest else 0
    if step >= (every or last):
        folder = os.path.join(directory.model_dir, "tensorboard")
        return (
            f"It is at step {step:,}, so its event files are missing: copy them to"
            f" {folder}."
        )
    if not every or every > last:
        return (
            f"Its first one comes at step {last:,}, the last. Train on with"
            " --eval_steps=5000 to have one every 5,000 steps."
        )
    return f"Its first one comes at step {every:,} (--eval_steps): wait for it."


def _row_count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; 0 shows all")
    return int(text)


def _picture_name(text: str) -> str:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text!r} must end with .png")
    return local_path(text)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = command_line.Parser(
        prog="python -m vie_tf compare_run",
        description="Compares a Kinetics run with the authors' published kNN curve.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model_dir",
        required=True,
        type=local_path,
        metavar="RUN",
        help="folder of a train.py run",
    )
    parser.add_argument(
        "--rows",
        type=_row_count,
        default=comparison.NUM_ROWS,
        metavar="NUMBER",
        help="validations in the table, 0 for all (default %(default)s)",
    )
    parser.add_argument(
        "--plot",
        type=_picture_name,
        metavar="FILE",
        help="write a chart of both curves (PNG)",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write the published curve to RUN/tensorboard/published, so that"
        " TensorBoard shows it beside that of the run",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""
    return command_line.exit_code_of(lambda: _compare(_parse(arguments)))


def _compare(parsed: argparse.Namespace) -> None:
    config, curve = load_run(parsed.model_dir)
    published = PublishedRun.load()
    directory = RunDirectory(parsed.model_dir)
    print(comparison.report(config, curve, directory, published, parsed.rows))
    written = []
    if parsed.plot:
        chart = curve_plot.draw(curve, published, config.model.name)
        curve_plot.save(chart, parsed.plot)
        written.append(parsed.plot)
    if parsed.tensorboard:
        written.append(curves.write_published(parsed.model_dir, published))
    if written:
        print(f"\nWrote {' and '.join(written)}.")
