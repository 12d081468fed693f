"""Estimates time and memory of a training before its first step, on a CPU.

The graph of the network says how much there is to compute and to keep, and a product of
matrices how fast this machine is now.
"""

from __future__ import annotations

import dataclasses
import math
import time

import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.models.summary import multiply_adds
from vie_tf.monitoring.console import duration
from vie_tf.storage import memory
from vie_tf.storage.errors import UserError
from vie_tf.terminal.wording import counted

# A multiply-add is two operations, and the gradients take twice the forward pass.
_OPERATIONS_OF_STEP = 6
# Outputs that gradients need; for a ResNet of 18 layers with 32 clips of 224 pixels
# they are 562 MB, and 16 clips more took 268 MB.
_KEPT = ("Conv2D", "Conv3D", "Relu", "MaxPool", "MaxPool3D")
# TensorFlow and the input beside them, measured in the same runs.
_OTHER_BYTES = 800e6
_VARIABLE_COPIES = 3  # weights, gradients and momentum
_PRODUCT_SIDE, _PRODUCT_SECS = 1024, 0.2
_IMPOSSIBLE = 1.2  # times all memory, as the estimate may be too high


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Cost of a training step.

    Attributes:
      seconds: time of a step.
      num_bytes: memory of the process.
    """

    seconds: float
    num_bytes: float

    def line(self, num_steps: int, free_bytes: int | None) -> str:
        """Says the cost of some steps, and what is free of the memory."""
        seconds = f"{self.seconds:.{0 if self.seconds >= 10 else 2}f} s"
        free = "" if free_bytes is None else f" (free: {free_bytes / 1e9:.1f} GB)"
        return (
            f"Estimate: {self.num_bytes / 1e9:.1f} GB of memory{free}, and"
            f" {seconds} for a step, so {duration(self.seconds * num_steps)} for"
            f" {counted(num_steps, 'step')} without validations."
        )


def of_step(
    model: keras.Model,
    clips_shape: tuple[int, ...],
    strategy: tf.distribute.Strategy,
) -> Estimate:
    """Estimates a step on the CPU.

    Args:
      model: network that is to be trained.
      clips_shape: shape of a replica's batch, [B, T, S, S, 3].
      strategy: strategy that the network was built for.
    """

    @tf.function
    def forward(clips: tf.Tensor) -> None:
        strategy.run(lambda: model(clips, training=True))

    spec = tf.TensorSpec(clips_shape, tf.uint8)
    graph = forward.get_concrete_function(spec).graph
    weights = sum(math.prod(v.shape) * v.dtype.size for v in model.variables)
    compute_dtype = tf.as_dtype(model.compute_dtype)
    return Estimate(
        _OPERATIONS_OF_STEP
        * multiply_adds(graph)
        / operations_per_second(compute_dtype),
        _OTHER_BYTES + _VARIABLE_COPIES * weights + kept_bytes(graph),
    )


def kept_bytes(graph: tf.Graph) -> int:
    """Returns the bytes of the outputs of a graph that its gradients need."""
    outputs = (op.outputs[0] for op in graph.get_operations() if op.type in _KEPT)
    return sum(math.prod(one.shape) * one.dtype.size for one in outputs)


def operations_per_second(dtype: tf.DType) -> float:
    """Measures how fast the CPU multiplies matrices, in a fifth of a second."""
    matrix = tf.ones([_PRODUCT_SIDE, _PRODUCT_SIDE], dtype)
    tf.matmul(matrix, matrix)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < _PRODUCT_SECS:
        float(tf.matmul(matrix, matrix)[0, 0])
        count += 1
    seconds = time.perf_counter() - started
    return 2.0 * count * _PRODUCT_SIDE**3 / seconds


def report(
    model: keras.Model,
    clips_shape: tuple[int, ...],
    strategy: tf.distribute.Strategy,
    num_steps: int,
) -> None:
    """Prints what the steps of a training will cost, where it has no GPU.

    Args:
      model: network that is to be trained.
      clips_shape: shape of a replica's batch, [B, T, S, S, 3].
      strategy: strategy that the network was built for.
      num_steps: steps to be taken.

    Raises:
      UserError: the machine does not have the memory.
    """
    if tf.config.get_visible_devices("GPU"):
        return
    found, cost = memory.of_machine(), of_step(model, clips_shape, strategy)
    print(cost.line(num_steps, found.free if found else None), flush=True)
    if found is None or cost.num_bytes <= found.free:
        return
    advice = (
        "Lower --batch_size, --num_frames or --crop_size, or halve the memory by"
        " --precision=mixed_bfloat16."
    )
    if cost.num_bytes > _IMPOSSIBLE * found.total:
        raise UserError(
            f"A step needs about {cost.num_bytes / 1e9:.0f} GB of memory, and this"
            f" machine has {found.total / 1e9:.0f} GB. {advice}"
        )
    print(
        "WARNING: that is more than is free, so the system may end the process without"
        f" a word. {advice}",
        flush=True,
    )
