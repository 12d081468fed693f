"""Compares a run on Kinetics-400 with the authors' published one: is it on track?"""

from __future__ import annotations

import os

from vie_tf.config import RunConfig
from vie_tf.monitoring.published import comparison, curve_plot, curves
from vie_tf.monitoring.published.curves import KnnCurve, PublishedRun
from vie_tf.runs.checkpoint_folder import step_of
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files
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


def compare(
    model_dir: str, num_rows: int, plot: str | None, writes_tensorboard: bool
) -> None:
    """Prints a run beside the published one, and writes what is asked for.

    Args:
      model_dir: folder of the run.
      num_rows: validations in the table, 0 for all.
      plot: PNG file for a chart of both curves, None for no chart.
      writes_tensorboard: whether to write the published curve for TensorBoard.

    Raises:
      UserError: there is no run, or it has no kNN validation.
    """
    if plot:
        files.check_writable(plot)
    config, curve = load_run(model_dir)
    published = PublishedRun.load()
    directory = RunDirectory(model_dir)
    print(comparison.report(config, curve, directory, published, num_rows))
    written = []
    if plot:
        chart = curve_plot.draw(curve, published, config.model.name)
        curve_plot.save(chart, plot)
        written.append(plot)
    if writes_tensorboard:
        written.append(curves.write_published(model_dir, published))
    if written:
        print(f"\nWrote {' and '.join(written)}.")
