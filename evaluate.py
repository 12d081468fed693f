"""Measures what a run has learned.

python evaluate.py --task=knn --data_dir=DATA --model_dir=RUN
"""

from __future__ import annotations

from flags import cli, data, evaluation, knn, run, streams


def main() -> None:
    """Flags -> config -> one call."""
    model_dir, evaluated = run.model_dir(), data.data_config()
    single_from, dynamic_from = streams.single_from(), streams.dynamic_from()
    if bool(single_from) != bool(dynamic_from):
        raise ValueError("--single_from and --dynamic_from are given together.")
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.evaluation import knn_task, retrieval_task
    from vie_tf.evaluation.restored_run import RestoredRun

    if single_from and dynamic_from:
        restored = RestoredRun.of_streams(
            single_from, dynamic_from, streams.static_frames(), model_dir, evaluated
        )
    else:
        restored = RestoredRun.load(
            model_dir, evaluated, evaluation.clips_of(), evaluation.checkpoint()
        )
    tasks = {
        "knn": lambda: knn_task.evaluate(restored, evaluation.knn_task_config()),
        "retrieval": lambda: retrieval_task.evaluate(
            restored, evaluation.retrieval_config()
        ),
    }
    tasks[evaluation.task()]()


if __name__ == "__main__":
    cli.run(main, [data, run, streams, evaluation, knn])
