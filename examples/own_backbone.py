"""A network of your own: one convolution over patches of 8 x 8 pixels.

python -m vie_tf train --model=examples.own_backbone:make_patches \
  --data_dir=DATA --model_dir=RUN

python examples/own_backbone.py prints its layers.
"""

from __future__ import annotations

import tensorflow as tf

import vie_tf
from vie_tf.config import ModelConfig
from vie_tf.keras import keras
from vie_tf.models.embedder import Embedder
from vie_tf.models.family import assemble, num_outputs
from vie_tf.models.heads import FrameConcat


class Patches(keras.layers.Layer):
    """Maps normalized clips [B, T, H, W, 3] to activations and features [B, T, C]."""

    def __init__(self, num_filters: int) -> None:
        super().__init__()
        self.convolution = keras.layers.Conv3D(num_filters, (1, 8, 8), (1, 8, 8))

    def call(
        self, clips: tf.Tensor, training: bool = False
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Convolves patches, and averages them over space."""
        activations = tf.nn.relu(self.convolution(clips))  # [B, T, h, w, C]
        return {"final": activations}, tf.reduce_mean(activations, axis=[2, 3])


CLIP = vie_tf.ClipRecipe(
    num_frames=4, frame_interval=4, crop_size=64, sampling="sparse"
)


@vie_tf.register_model("patches", CLIP, batch_size=64)
def make_patches(name: str, config: ModelConfig) -> Embedder:
    """Joins the backbone and a head, which embeds or classifies."""
    head = FrameConcat(num_outputs(config))
    return assemble(Patches(config.num_filters), head, name, config)


if __name__ == "__main__":
    vie_tf.build("patches", num_filters=32).summary()
