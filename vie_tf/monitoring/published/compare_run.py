"""Is a run on track?  Compares it with the published one.

python -m vie_tf compare_run --model_dir=RUN

Comes in: the folder of a run on Kinetics-400, in training or trained.  Goes out: its
kNN accuracies beside those that the authors published, as text, and on demand as a
chart or in TensorBoard.
"""

from __future__ import annotations

import argparse
import os
from typing import Sequence

import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.config.setting import local_path
from vie_tf.monitoring.published import comparison, curve_plot, knn_curve
from vie_tf.monitoring.published.knn_curve import KnnCurve
from vie_tf.monitoring.published.run import PublishedRun
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
    curve = knn_curve.read(model_dir)
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


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parsed = _parse(arguments)
    return command_line.exit_code_of(lambda: _compare(parsed))


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
        other = KnnCurve(published.steps, published.top1)
        written.append(knn_curve.write_published(parsed.model_dir, other))
    if written:
        print(f"\nWrote {' and '.join(written)}.")


def run(arguments: Sequence[str]) -> None:
    """Runs the command `python -m vie_tf`, whose arguments these are, and exits."""
    # The run itself may be on the GPUs, and TensorFlow would take all of their memory.
    tf.config.set_visible_devices([], "GPU")
    raise SystemExit(main(arguments))
