"""Measures what a run has learned.

python evaluate.py --task=knn --data_dir=DATA --model_dir=RUN
"""

from __future__ import annotations

from typing import Sequence

from vie_tf.flags import cli
from vie_tf.flags import evaluate as evaluate_flags
from vie_tf.terminal.heartbeat import doing


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluates, and returns the exit code."""
    return cli.run(_evaluate, evaluate_flags.GROUPS, __doc__, arguments)


def _evaluate(flags: cli.Flags) -> None:
    asked = evaluate_flags.config(flags)
    settings = asked.settings
    doing("loading TensorFlow")
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.evaluation import all_task, restored_network
    from vie_tf.evaluation.labels import finetune as finetune_task
    from vie_tf.evaluation.labels import linear as linear_task
    from vie_tf.evaluation.labels import sklearn_linear
    from vie_tf.evaluation.neighbors import knn_task, retrieval_task
    from vie_tf.evaluation.restored_run import RestoredRun

    doing("restoring the network")
    folder, size = settings.model_dir, settings.crop_size
    if asked.streams is None:
        network = restored_network.load(
            folder, asked.checkpoint, clips_of=settings.clips_of, crop_size=size
        )
    else:
        frames = settings.static_frames
        network = restored_network.load_streams(
            *asked.streams, frames, folder, asked.checkpoint, crop_size=size
        )
    runs = [RestoredRun.from_network(network, data) for data in asked.data]
    doing("evaluating")
    first, start_over = runs[0], settings.start_over
    if settings.task == "knn":
        knn_task.evaluate(first, asked.knn)
    elif settings.task == "retrieval":
        retrieval_task.evaluate(first, asked.retrieval)
    elif settings.task == "finetune":
        finetune_task.evaluate_finetune(runs, asked.finetune, start_over=start_over)
    elif settings.task == "all":
        all_task.evaluate(
            first,
            settings.model_dir,
            asked.knn,
            asked.retrieval,
            asked.linear,
            start_over=start_over,
        )
    elif settings.quick:
        sklearn_linear.evaluate_linear_quick(first, asked.linear)
    else:
        linear_task.evaluate_linear(first, asked.linear, start_over=start_over)
