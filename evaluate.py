"""Measures what a run has learned.

python evaluate.py --task=knn --data_dir=DATA --model_dir=RUN
"""

from __future__ import annotations

from flags import (
    cli,
    data,
    evaluation,
    finetune,
    knn,
    linear,
    optimization,
    run,
    streams,
    tasks,
)
from vie_tf.config import DataConfig


def main() -> None:
    """Flags -> config -> one call."""
    task = evaluation.task()
    tasks.check(task)
    model_dir = run.model_dir()
    splits: list[str | None] = [*finetune.splits()] or [None]
    data_sets = [data.data_config(split) for split in splits]
    pair = streams.both()
    on_linear = linear.linear_config(knn.num_clips())
    on_finetune = finetune.finetune_config(knn.num_clips())
    clips_of = evaluation.clips_of(of_two_streams=pair is not None)
    which = evaluation.checkpoint(from_scratch=on_finetune.from_scratch)
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.evaluation import all_task
    from vie_tf.evaluation.labels import finetune as finetune_task
    from vie_tf.evaluation.labels import linear as linear_task
    from vie_tf.evaluation.labels import sklearn_linear
    from vie_tf.evaluation.neighbors import knn_task, retrieval_task
    from vie_tf.evaluation.restored_run import RestoredRun

    def load(of_set: DataConfig) -> RestoredRun:
        size = data.crop_size()
        if pair is None:
            return RestoredRun.load(model_dir, of_set, clips_of, which, size)
        frames = streams.static_frames()
        return RestoredRun.of_streams(*pair, frames, model_dir, of_set, which, size)

    runs = [load(of_set) for of_set in data_sets]
    first, start_over = runs[0], evaluation.start_over()
    if task == "knn":
        knn_task.evaluate(first, evaluation.knn_task_config())
    elif task == "retrieval":
        retrieval_task.evaluate(first, evaluation.retrieval_config())
    elif task == "finetune":
        finetune_task.evaluate_finetune(runs, on_finetune, start_over=start_over)
    elif task == "all":
        all_task.evaluate(
            first,
            model_dir,
            evaluation.knn_task_config(),
            evaluation.retrieval_config(),
            on_linear,
            start_over=start_over,
        )
    elif linear.quick():
        sklearn_linear.evaluate_linear_quick(first, on_linear)
    else:
        linear_task.evaluate_linear(first, on_linear, start_over=start_over)


if __name__ == "__main__":
    stations = [data, run, streams, evaluation, knn, linear, finetune]
    cli.run(main, [*stations, optimization])
