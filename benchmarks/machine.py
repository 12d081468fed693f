"""Speed and properties of this machine, to compare measured times with."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any, Callable

import tensorflow as tf

# A CPU that emulates a dtype takes minutes for a large product, and a small one says as
# much.
TOO_LONG_SECONDS = 20.0

CPU_INFO = pathlib.Path("/proc/cpuinfo")
INSTRUCTIONS = {"AVX-512": "avx512f", "AVX512_BF16": "avx512_bf16", "AMX": "amx_tile"}


def seconds(function: Callable[[], Any], repeats: int = 3) -> float:
    """Measures the median wall time of a call, after one that is not counted."""
    times = _times(function, repeats)
    return sorted(times)[len(times) // 2]


def matmul_peak(size: int = 4096, dtype: tf.DType = tf.float32) -> float:
    """Measures the highest rate of a large matrix product, in operations per second.

    Args:
      size: number of rows and columns.
      dtype: dtype of the matrices.
    """
    trial = _product_rate(size // 8, dtype)
    if 2 * size**3 / trial > TOO_LONG_SECONDS:
        return trial
    return _product_rate(size, dtype)


def num_cores() -> int:
    """Counts the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_facts() -> str:
    """Describes the processor and whether it has the instructions that matter."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    facts = dict(
        (part.strip() for part in line.split(":", 1)) for line in lines if ":" in line
    )
    flags = facts.get("flags", "").split()
    if not flags:
        return f"CPU: {num_cores()} cores, {CPU_INFO} does not tell its instructions"
    has = ", ".join(
        f"{'with' if flag in flags else 'without'} {name}"
        for name, flag in INSTRUCTIONS.items()
    )
    return f"CPU: {facts.get('model name', 'unknown')}, {num_cores()} cores, {has}"


def _product_rate(size: int, dtype: tf.DType) -> float:
    matrix = tf.cast(tf.random.normal([size, size]), dtype)
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    # The fastest call, since other load only slows down.
    return 2 * size**3 / min(_times(product, repeats=5))


def _times(function: Callable[[], Any], repeats: int) -> list[float]:
    """Measures wall times of calls, after one that is not counted."""
    _finish(function())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        _finish(function())
        times.append(time.perf_counter() - start)
    return times


def _finish(result: Any) -> None:
    """Waits for the device: a tensor that can be read has been computed."""
    for tensor in tf.nest.flatten(result):
        if isinstance(tensor, (tf.Tensor, tf.Variable)):
            tensor.numpy()
