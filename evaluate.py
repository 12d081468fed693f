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


def main() -> None:
    """Flags -> config -> one call."""
    task = evaluation.task()
    tasks.check(task)
    model_dir = run.model_dir()
    splits = finetune.splits() if task == "finetune" else []
    data_sets = [data.data_config(split) for split in splits] or [data.data_config()]
    single_from, dynamic_from = streams.single_from(), streams.dynamic_from()
    on_linear = linear.linear_config(knn.num_clips())
    on_finetune = finetune.finetune_config(knn.num_clips())
    if bool(single_from) != bool(dynamic_from):
        raise ValueError("--single_from and --dynamic_from are given together.")
    clips, which = evaluation.clips_of(), evaluation.checkpoint()
    if on_finetune.from_scratch:
        which = "untrained"
    if clips and single_from:
        raise ValueError(
            f"--clips_of={clips} is for a run of --model=single alone, not for the"
            " streams of --single_from and --dynamic_from: leave one of them out."
        )
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.evaluation import (
        all_task,
        finetune_task,
        knn_task,
        linear_quick_task,
        linear_task,
        retrieval_task,
    )
    from vie_tf.evaluation.restored_run import RestoredRun

    if single_from and dynamic_from:
        frames = streams.static_frames()
        runs = [
            RestoredRun.of_streams(
                single_from,
                dynamic_from,
                frames,
                model_dir,
                of_set,
                which,
                data.crop_size(),
            )
            for of_set in data_sets
        ]
    else:
        runs = [
            RestoredRun.load(model_dir, of_set, clips, which, data.crop_size())
            for of_set in data_sets
        ]
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
        linear_quick_task.evaluate_linear_quick(first, on_linear)
    else:
        linear_task.evaluate_linear(first, on_linear, start_over=start_over)


if __name__ == "__main__":
    stations = [data, run, streams, evaluation, knn, linear, finetune]
    cli.run(main, [*stations, optimization])
