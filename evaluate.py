"""Measures what a run has learned.

python evaluate.py --task=knn --data_dir=DATA --model_dir=RUN
"""

from __future__ import annotations

from flags import cli, data, evaluation, knn, run


def main() -> None:
    """Flags -> config -> one call."""
    model_dir, data_dir = run.model_dir(), data.data_config().data_dir
    settings = knn.knn_config()
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.evaluation import tasks
    from vie_tf.evaluation.restored_run import RestoredRun

    restored = RestoredRun.load(model_dir, data_dir)
    if evaluation.task() == "knn":
        tasks.evaluate_knn(
            restored,
            settings,
            gallery=evaluation.gallery(),
            compare_untrained=evaluation.compare_untrained(),
        )
    else:
        tasks.evaluate_retrieval(restored, settings)


if __name__ == "__main__":
    cli.run(main, [data, run, evaluation, knn])
