"""Refuses a training in which batch norm would see one value of each channel.

Its variance is 0 then and its output a constant: nothing is learned, and the loss
leaves its range within some steps.
"""

from __future__ import annotations

import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.models.layers import BatchNormRelu
from vie_tf.storage.errors import UserError


def check_batch_norm(
    model: keras.Model,
    clips_shape: tuple[int, ...],
    strategy: tf.distribute.Strategy,
) -> None:
    """Checks how many values batch norm has of a channel in training mode.

    The network is traced only for batches of one clip, as others always have two.

    Args:
      model: network that is to be trained.
      clips_shape: shape of a replica's batch, [B, T, S, S, C].
      strategy: strategy that the network was built for.

    Raises:
      UserError: a layer would have one value alone.
    """
    layers = [part for part in model.submodules if isinstance(part, BatchNormRelu)]
    layers = [layer for layer in layers if layer.trainable and layer.fused]
    if clips_shape[0] > 1 or not layers:
        return
    spec = tf.TensorSpec(clips_shape, tf.uint8)

    @tf.function
    def forward(clips: tf.Tensor) -> None:
        strategy.run(lambda: model(clips, training=True))

    forward.get_concrete_function(spec)
    if any(layer.num_values == 1 for layer in layers):
        _, num_frames, size, _, _ = clips_shape
        raise UserError(
            "Batch norm would see a single value of each channel: a device has one clip"
            f" of {num_frames} x {size} x {size}, and the last feature maps are 1 x 1."
            " Nothing can be learned from that. Give a --batch_size of two or more for"
            " each device, or a larger --crop_size."
        )
