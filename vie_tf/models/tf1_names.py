"""Which variable of a model is which variable of the authors' TF1 code.

Comes in: a model of `build`.  Goes out: a dict from TF1 names to variables, which
a reader of the authors' checkpoints and the parity tests assign through.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from vie_tf.models.embedder import Embedder
from vie_tf.models.heads import FrameConcat, FrameMean
from vie_tf.models.slowfast import SlowFast


def _leaf(variable: tf.Variable) -> str:
    """Last part of a variable's name: kernel, bias, gamma, ..."""
    return variable.name.split("/")[-1].split(":")[0]


def _number(layer: str, index: int) -> str:
    """TF1 numbers the layers of one kind from the second on."""
    return f"{layer}_{index}" if index else layer


def _scope_names(
    scope: str, layers: Sequence[tf.keras.layers.Layer]
) -> dict[str, tf.Variable]:
    """Names the variables of the layers that TF1 created within one scope.

    Keras lists the variables of one kind in the order in which layers were
    assigned, which is the order of creation in TF1; so the n-th gamma belongs to
    the n-th batch norm, frozen or not.
    """
    kinds: dict[tuple[str, str], list[tf.Variable]] = {}
    for layer in layers:
        for variable in layer.weights:
            leaf, rank = _leaf(variable), variable.shape.rank
            if leaf == "kernel" and rank > 2:
                kind = f"conv{rank - 2}d"
            elif leaf in ("kernel", "bias"):
                kind = "dense"
            else:
                kind = "batch_normalization"
            kinds.setdefault((kind, leaf), []).append(variable)
    return {
        f"{scope}/{_number(kind, index)}/{leaf}": variable
        for (kind, leaf), variables in kinds.items()
        for index, variable in enumerate(variables)
    }


def tf1_names(model: tf.keras.Model) -> dict[str, tf.Variable]:
    """Maps TF1 names to the variables of a model.

    Args:
        model: A model of `build` that the authors have trained: `single`,
            `3dresnet`, `trn`, `slow`, `slowfast`, or an Input-Single.

    Returns:
        For example `resnet_model/conv2d_3/kernel`; `slowfast` has the scopes
        `resnet_model_fast` and `resnet_model_slow`.

    Raises:
        ValueError: If the authors' code has no such model.
    """
    if not isinstance(model, Embedder) or not isinstance(
        model.head, (FrameConcat, FrameMean)
    ):
        raise ValueError(f"{model.name} has no counterpart in the authors' code.")
    if isinstance(model.backbone, SlowFast):
        fast, slow = model.backbone.fast, model.backbone.slow
        # The lateral convolutions were created where they are used.
        slow_layers = [slow.stem]
        for lateral, after in zip(slow.laterals, [*slow.stages, [slow.final_norm]]):
            slow_layers += [lateral, *after]
        return {
            **_scope_names("resnet_model_fast", [fast]),
            **_scope_names("resnet_model_slow", [*slow_layers, model.head]),
        }
    return _scope_names("resnet_model", [model.backbone, model.head])
