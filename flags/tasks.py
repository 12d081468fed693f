"""Tasks: which flags of evaluate.py are of some of its tasks only."""

from __future__ import annotations

from absl import flags

_TRAINED = ("linear", "finetune")
# Flag -> tasks that it changes.
_TASKS_OF = {
    "quick": ("linear",),
    "subset": _TRAINED,
    "subset_seed": _TRAINED,
    "bin_frames": _TRAINED,
}


def check(task: str) -> None:
    """Refuses flags that the task would silently leave aside.

    Args:
      task: that is asked for.

    Raises:
      ValueError: a flag is not of this task.
    """
    # The quick look does not train on clips.
    is_quick = task == "linear" and flags.FLAGS["quick"].value
    for name, tasks in _TASKS_OF.items():
        flag = flags.FLAGS[name]
        is_used = task in tasks and not (is_quick and tasks is _TRAINED)
        if is_used or flag.value == flag.default:
            continue
        wanted = " and ".join(f"--task={other}" for other in tasks)
        given = f"--task={task} --quick" if is_quick else f"--task={task}"
        raise ValueError(
            f"--{name} is for {wanted}, and {given} would leave it aside: leave it out."
        )
