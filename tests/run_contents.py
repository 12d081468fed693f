"""Reads what a run has left in its folder, for tests."""

from __future__ import annotations

import collections
import pathlib
import shutil

import tensorflow as tf

from vie_tf.checkpoints import RunDirectory


def numbers_in(run_dir, which="latest"):
    """All numbers of the last or best checkpoint by name.

    But for the number of checkpoints written, which differs after a kill.
    """
    checkpoint = tf.train.load_checkpoint(RunDirectory(str(run_dir)).chosen(which))
    return {
        name.replace("/.ATTRIBUTES/VARIABLE_VALUE", ""): checkpoint.get_tensor(name)
        for name in checkpoint.get_variable_to_shape_map()
        if not name.startswith(("_", "save_counter"))
    }


def events_in(run_dir):
    """Tag -> step -> value of TensorBoard, None for what is no scalar."""
    events = collections.defaultdict(dict)
    for tag, step, value in all_events_in(run_dir):
        events[tag][step] = value
    return events


def all_events_in(run_dir):
    """Tags, steps and values, as often as they were written."""
    for path in sorted(pathlib.Path(run_dir, "tensorboard").iterdir()):
        try:
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                for value in event.summary.value:
                    content = tf.make_ndarray(value.tensor)
                    number = content.item() if content.size == 1 else None
                    yield value.tag, event.step, number
        except tf.errors.DataLossError:
            pass  # the end of a file whose writer was killed


def leave_what_a_kill_leaves(run_dir, copy, step):
    """Copies a run as it was when the checkpoint of a step was the last."""
    shutil.copytree(
        run_dir, copy, ignore=shutil.ignore_patterns("step-10*", "tensorb*")
    )
    checkpoints = copy / "checkpoints"
    tf.compat.v1.train.update_checkpoint_state(
        str(checkpoints), str(checkpoints / f"step-{step}")
    )
