"""Names that the variables of a network have in the authors' TF1 checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.models.embedder import Embedder
from vie_tf.models.heads import FrameConcat, FrameMean
from vie_tf.models.slowfast import SlowFast
from vie_tf.storage.errors import UserError


def _leaf(variable: tf.Variable) -> str:
    """Returns the last part of a variable's name: kernel, bias, gamma, ..."""
    return variable.name.split("/")[-1].split(":")[0]


def _number(layer: str, index: int) -> str:
    """Numbers a layer as TF1 does: from the second layer of a kind on."""
    return f"{layer}_{index}" if index else layer


def _scope_names(
    scope: str, layers: Sequence[keras.layers.Layer]
) -> dict[str, tf.Variable]:
    """Maps TF1 names to the variables of the layers within one scope.

    Keras lists the variables of a kind in the order in which the layers were assigned,
    which is the order of creation in TF1: the n-th gamma belongs to the n-th batch
    norm, frozen or not.
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


def tf1_names(model: keras.Model) -> dict[str, tf.Variable]:
    """Maps TF1 names to the variables of a network.

    Args:
        model: A network of `build` that the authors' code has: `single`, `3dresnet`,
            `trn`, `slow`, `slowfast`, or an Input-Single.

    Returns:
        Variables by names such as `resnet_model/conv2d_3/kernel`; `slowfast` has the
        scopes `resnet_model_fast` and `resnet_model_slow`.

    Raises:
        UserError: If the authors' code has no such network.
    """
    if not isinstance(model, Embedder) or not isinstance(
        model.head, (FrameConcat, FrameMean)
    ):
        raise UserError(f"{model.name} has no counterpart in the authors' code.")
    if isinstance(model.backbone, SlowFast):
        fast, slow = model.backbone.fast, model.backbone.slow
        # TF1 created each lateral convolution where it is used.
        slow_layers = [slow.stem]
        for lateral, after in zip(slow.laterals, [*slow.stages, [slow.final_norm]]):
            slow_layers += [lateral, *after]
        return {
            **_scope_names("resnet_model_fast", [fast]),
            **_scope_names("resnet_model_slow", [*slow_layers, model.head]),
        }
    return _scope_names("resnet_model", [model.backbone, model.head])
