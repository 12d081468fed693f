"""Keeps a command off the GPUs, which a run may be using."""

from __future__ import annotations


def leave_gpus_alone() -> None:
    """Hides the GPUs, since TensorFlow would take all of their memory.

    It loads TensorFlow, which takes seconds: call it after the arguments were read.
    """
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
