"""Tasks: which flags of evaluate.py are of some of its tasks only."""

from __future__ import annotations

from absl import flags

_TRAINED = ("linear", "finetune")
_VOTES = ("knn", "retrieval", "all")
_OF_THE_LOOP = (
    *("train_steps", "batch_size", "momentum", "weight_decay", "crop", "color"),
    *("learning_rate", "lr_schedule", "lr_boundaries"),
    *("plateau_patience", "plateau_min_delta", "plateau_max_drops"),
    *("checkpoint_steps", "eval_steps", "log_steps"),
)
# Flag -> tasks that it changes; others are of all.
_TASKS_OF = {
    **dict.fromkeys((*_OF_THE_LOOP, "seed"), (*_TRAINED, "all")),
    **dict.fromkeys(("knn_k", "knn_temperature"), _VOTES),
    "gallery": ("knn", "all"),
    "compare_untrained": ("knn", "all"),
    "endpoint": ("retrieval", "all"),
    "num_shown": ("retrieval", "all"),
    "quick": ("linear",),
    "splits": ("finetune",),
    "from_scratch": ("finetune",),
    "dropout": ("finetune",),
    "test_clips": ("finetune",),
    "start_over": (*_TRAINED, "all"),
    "subset": _TRAINED,
    "subset_seed": _TRAINED,
    "bin_frames": _TRAINED,
}
# Those that the quick look at read-outs does not use either: it trains on no clips.
_OF_TRAINING = (*_OF_THE_LOOP, "start_over", "subset", "subset_seed", "bin_frames")


def check(task: str) -> None:
    """Refuses flags that the task would silently leave aside.

    Args:
      task: that is asked for.

    Raises:
      ValueError: a flag is not of this task.
    """
    is_quick = task == "linear" and flags.FLAGS["quick"].value
    for name, tasks in _TASKS_OF.items():
        flag = flags.FLAGS[name]
        is_used = task in tasks and not (is_quick and name in _OF_TRAINING)
        if is_used or flag.value == flag.default:
            continue
        wanted = " or ".join(f"--task={other}" for other in tasks)
        given = f"--task={task} --quick" if is_quick else f"--task={task}"
        raise ValueError(
            f"--{name} is for {wanted}, and {given} would leave it aside: leave it out."
        )
