"""Describes the networks: paper row, clip, cost, and shapes of the endpoints."""

from __future__ import annotations

import math

import tensorflow as tf

from vie_tf.models.registry import MODELS, build


def multiply_adds(graph: tf.Graph) -> int:
    """Counts the multiplications of convolutions and dense layers for a whole batch."""
    total = 0
    for operation in graph.get_operations():
        if operation.type in ("Conv2D", "Conv3D"):
            num_terms = math.prod(operation.inputs[1].shape[:-1])
        elif operation.type == "MatMul":
            num_terms = operation.inputs[1].shape[0]
        else:
            continue
        total += math.prod(operation.outputs[0].shape) * num_terms
    return total


def _meaning(paper_row: str) -> str:
    """Says what the numbers of a row of the paper are."""
    if "table 2" in paper_row:
        return " (fine-tuned on UCF101 and HMDB51)"
    return " (Kinetics top-1 of conv3, conv4, conv5)" if ":" in paper_row else ""


def summary(name: str) -> str:
    """Describes a family: paper row, clip, size, cost, shapes of the endpoints."""
    family = MODELS[name]
    clip = family.clip
    model = build(name)
    spec = tf.TensorSpec(
        [1, clip.num_frames, clip.crop_size, clip.crop_size, 3], tf.uint8
    )
    function = tf.function(model).get_concrete_function(spec)
    num_parameters = sum(math.prod(v.shape) for v in model.trainable_variables)
    cost = multiply_adds(function.graph) / 1e9
    lines = [
        f"{name}: {family.paper_name}",
        f"  paper       {family.paper_row}{_meaning(family.paper_row)}",
        f"  clip        {'x'.join(map(str, spec.shape[1:]))} uint8, {clip.sampling}, "
        f"interval {clip.frame_interval}, batch {family.batch_size}",
        f"  parameters  {num_parameters:,}",
        f"  cost        {cost:.2f} G multiply-adds a clip",
    ]
    for endpoint, tensor in function.structured_outputs.items():
        lines.append(f"  {endpoint:<11} {'x'.join(map(str, tensor.shape[1:]))}")
    return "\n".join(lines)
