"""What a training step has to cost, by kind of operation: a roofline.

python -m benchmarks.roofline [--models=single,slow] [--precision=float32]

Traces forward and backward of a batch of the paper's size, and counts for each kind of
operation the arithmetic of its convolutions and products, and the bytes of its inputs
and outputs.  At the rates of this machine (a large product, a large sum) a kind takes
the larger of both times.  The sum is what an implementation that fuses nothing and
wastes nothing takes; `benchmarks.train_step` says what it really takes.  That can be
less: the count includes padding, which convolutions need not compute, and they may be
faster than the product.

Fused operations read and write less: ReLU after batch norm and sums after convolutions
cost nothing where TensorFlow fuses them.  The update reads weight, gradient and
momentum and writes two of them, and weight decay reads and writes once more.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import time

import numpy as np
import tensorflow as tf

from benchmarks.machine import cpu_facts, matmul_peak
from benchmarks.train_step import BATCH_SIZES, DEFAULT_MODELS, DTYPES
from vie_tf import models
from vie_tf.models.registry import clip_recipe

KINDS = {
    "convolution": "Conv2D Conv3D MatMul BatchMatMulV2",
    "gradient of inputs": "Conv2DBackpropInput Conv3DBackpropInputV2",
    "gradient of kernels": "Conv2DBackpropFilter Conv3DBackpropFilterV2",
    "batch norm": "FusedBatchNormV3 FusedBatchNormGradV3",
    "ReLU": "Relu ReluGrad",
    "sum": "AddV2 Add AddN",
    "pooling": "MaxPool MaxPoolGrad MaxPool3D MaxPool3DGrad AvgPool AvgPoolGrad",
    "padding": "PadV2 Pad Slice",
    "concatenation": "ConcatV2 GatherV2 Split SplitV StridedSlice StridedSliceGrad",
    "cast": "Cast",
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
# They move nothing.
FREE = {"Reshape", "Const", "ReadVariableOp", "Placeholder", "Identity", "Shape"}
SUM_BYTES = 2**28
NUM_SUMS = 10


@dataclasses.dataclass
class Cost:
    """What the operations of one kind cost for a batch.

    Attributes:
      operations: of arithmetic, two for each multiply-add.
      moved: bytes of all inputs and outputs.
    """

    operations: float = 0.0
    moved: float = 0.0

    def seconds(self, peak: float, bandwidth: float) -> float:
        """Returns the least time at a rate of arithmetic and one of the memory."""
        return max(self.operations / peak, self.moved / bandwidth)


def step_costs(name: str, precision: str, batch_size: int) -> dict[str, Cost]:
    """Counts a training step at the paper's size.

    Args:
      name: family.
      precision: policy of Keras.
      batch_size: B.

    Returns:
      Costs by kind.
    """
    recipe, model = clip_recipe(name), models.build(name, precision=precision)
    size = [batch_size, recipe.num_frames, recipe.crop_size, recipe.crop_size, 3]
    weights = model.trainable_variables

    @tf.function
    def forward_and_backward(clips: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            embeddings = model(clips, training=True)["embedding"]
            loss = tf.reduce_sum(embeddings[:, 0])
        return tape.gradient(loss, weights)

    clips = tf.TensorSpec(size, tf.uint8)
    costs = costs_of(forward_and_backward.get_concrete_function(clips).graph)
    num_weights = sum(int(np.prod(weight.shape)) for weight in weights)
    costs["update"] = Cost(moved=4.0 * num_weights * 5)
    num_decayed = sum(int(np.prod(w.shape)) for w in models.decayed_variables(model))
    costs["weight decay"] = Cost(moved=4.0 * num_decayed * 3)
    return costs


def costs_of(graph: tf.Graph) -> dict[str, Cost]:
    """Counts the operations of a graph whose shapes are known, by kind."""
    costs: dict[str, Cost] = collections.defaultdict(Cost)
    for operation in graph.get_operations():
        if operation.type in FREE:
            continue
        kind = KIND_OF.get(operation.type, "rest")
        tensors = [*operation.inputs, *operation.outputs]
        costs[kind].moved += sum(map(_bytes, tensors))
        costs[kind].operations += _arithmetic(operation)
    return dict(costs)


def _bytes(tensor: tf.Tensor) -> float:
    count = tensor.shape.num_elements()
    if count is None or not tensor.dtype.is_numpy_compatible:
        return 0.0
    return float(count * tensor.dtype.size)


def _arithmetic(operation: tf.Operation) -> float:
    """Counts the operations of a convolution or product, 0 for others."""
    if operation.type == "MatMul":
        left, right = (tensor.shape for tensor in operation.inputs)
        output = operation.outputs[0].shape.num_elements()
        # (N K) (K M) / (N M) = K^2, whichever of them is transposed.
        inner = (left.num_elements() * right.num_elements() / output) ** 0.5
        return 2.0 * output * inner
    if not operation.type.startswith(("Conv2D", "Conv3D")):
        return 0.0
    inputs, outputs = operation.inputs, operation.outputs[0].shape
    if operation.type.endswith(("Conv2D", "Conv3D")):
        kernel, positions = inputs[1].shape, outputs[:-1].num_elements()
    elif "Filter" in operation.type:
        kernel, positions = outputs, inputs[2].shape[:-1].num_elements()
    else:
        kernel, positions = inputs[1].shape, inputs[2].shape[:-1].num_elements()
    return 2.0 * kernel.num_elements() * positions


def bandwidth() -> float:
    """Measures the bytes per second of a large sum in place: two read, one written."""
    values = tf.Variable(tf.zeros([SUM_BYTES // 4]))
    ones = tf.ones_like(values)
    values.assign_add(ones)
    start = time.perf_counter()
    for _ in range(NUM_SUMS):
        values.assign_add(ones)
    return 3 * SUM_BYTES * NUM_SUMS / (time.perf_counter() - start)


def main() -> None:
    """Prints a table for each network and precision."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.roofline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS))
    parser.add_argument("--precision", default="float32,mixed_bfloat16")
    arguments = parser.parse_args()
    print(cpu_facts())
    rate = bandwidth()
    print(f"memory: {rate / 1e9:.1f} GB/s")
    for precision in arguments.precision.split(","):
        peak = matmul_peak(dtype=DTYPES[precision])
        print(f"matrix product, {precision}: {peak / 1e9:.0f} GFLOP/s")
        for name in arguments.models.split(","):
            print_table(name, precision, peak, rate)


def print_table(name: str, precision: str, peak: float, rate: float) -> None:
    """Prints the kinds of operations of one network, the slowest first."""
    batch_size = BATCH_SIZES[name]
    costs = step_costs(name, precision, batch_size)
    seconds = {kind: cost.seconds(peak, rate) for kind, cost in costs.items()}
    total = sum(seconds.values())
    print(
        f"\n{name}, {precision}, batch {batch_size}: {total:.3f} s at these rates,"
        f" {batch_size / total:.1f} clips/s"
    )
    print(f"{'':<22}{'GFLOP':>9}{'GB':>9}{'s':>9}{'':>8}")
    for kind in sorted(seconds, key=lambda kind: -seconds[kind]):
        cost = costs[kind]
        print(
            f"{kind:<22}{cost.operations / 1e9:>9.1f}{cost.moved / 1e9:>9.2f}"
            f"{seconds[kind]:>9.3f}{seconds[kind] / total:>8.1%}"
        )


if __name__ == "__main__":
    main()
