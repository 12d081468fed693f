"""What this machine can do, to set measured times beside."""

from __future__ import annotations

import time
from typing import Any, Callable

import tensorflow as tf


def seconds(function: Callable[[], Any], repeats: int = 3) -> float:
    """Median wall time of a call, after one call that is not counted."""
    _finish(function())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        _finish(function())
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def matmul_peak(size: int = 4096) -> float:
    """Rate of a large float32 matrix product, in operations per second."""
    matrix = tf.random.normal([size, size])
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    return 2 * size**3 / seconds(product)


def _finish(result: Any) -> None:
    """Waits for the device: a tensor that can be read has been computed."""
    for tensor in tf.nest.flatten(result):
        if isinstance(tensor, (tf.Tensor, tf.Variable)):
            tensor.numpy()
