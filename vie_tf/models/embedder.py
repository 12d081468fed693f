"""The models of clips: a network and a head, which embeds or classifies.

Comes in: uint8 clips [B, T, H, W, 3].  Goes out: a dict of named endpoints, with
`embedding` on the unit sphere.  The step before is `input_pipeline`, the step
after `losses` and `memory_bank` (training) or `evaluation`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vie_tf.models.blocks import BatchNormRelu
from vie_tf.models.clip_input import check_clips, normalize
from vie_tf.models.resnet import PROBED_LAYERS


class ClipModel(tf.keras.Model):
    """A model of clips that refuses what it is not made for.

    Args:
        num_frames: Frames of a clip.
        name: Name of the family.
    """

    def __init__(self, num_frames: int, name: str) -> None:
        super().__init__(name=name)
        self.num_frames = num_frames

    def __call__(self, clips: tf.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Checks the clips, then calls the model.

        Here rather than in `call`, because Keras appends a page on its arguments to
        every error that leaves `call`.
        """
        check_clips(clips, self.num_frames, self.name)
        return super().__call__(clips, *args, **kwargs)


class Embedder(ClipModel):
    """A network and a head: clips to points on the unit sphere.

    Endpoints, with T' the frames left by the network and C its channels:

    * `conv1` .. `conv5`: [B, T', h, w, C] in the compute dtype, after batch norm
      and ReLU: what enters stage 1, 2, 3, 4, and what leaves stage 4.
    * `pooled`: [B, F] float32, what the head's dense layer is given.
    * `embedding`: [B, D] float32, unit norm.

    For ResNet-18 and square clips of the recipe (224 pixels; 112 for 3dresnet),
    h = w and C of conv1 .. conv5 are 56 x 64, 56 x 64, 28 x 128, 14 x 256, 7 x 512
    (3dresnet: 28, 28, 14, 7, 4); slowfast has 80, 80, 160, 320 and 640 channels,
    those of the fast pathway's lateral connections included.  T' is T; for slowfast
    4 of 16; for 3dresnet 8, 8, 4, 2, 1 of 16.  F is C of conv5, for trn the 4 frames'
    one after the other (2048), for slowfast the slow pathway's 640 and the fast
    pathway's 64.

    Args:
        backbone: Layer from normalized clips to activations and features.
        head: Layer from features [B, T', C] to `pooled` and the raw embedding.
        num_frames: Frames of a clip.
        name: Name of the family.
    """

    def __init__(
        self,
        backbone: tf.keras.layers.Layer,
        head: tf.keras.layers.Layer,
        num_frames: int,
        name: str,
    ) -> None:
        super().__init__(num_frames, name)
        self.backbone = backbone
        self.head = head

    def call(self, clips: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Computes all endpoints.

        Args:
            clips: [B, T, H, W, 3] uint8.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            The endpoints that the class describes.
        """
        activations, features = self._run_backbone(clips, training)
        endpoints = {name: activations[block] for name, block in PROBED_LAYERS.items()}
        endpoints["pooled"], raw = self.head(features, training=training)
        return {**endpoints, **self._outputs(endpoints["pooled"], raw)}

    def _outputs(self, pooled: tf.Tensor, raw: tf.Tensor) -> dict[str, tf.Tensor]:
        """Endpoints that are made of what the head gives."""
        del pooled
        return {"embedding": tf.math.l2_normalize(raw, axis=-1)}  # [B, D]

    def activations(
        self, clips: tf.Tensor, training: bool = False
    ) -> dict[str, tf.Tensor]:
        """Computes what every block saw, for those who need more than five layers.

        Args:
            clips: [B, T, H, W, 3] uint8.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            `stem`, `stage1_block1`, ..., `final`, each [B, T', h, w, C]; all but the
            first after batch norm and ReLU.
        """
        check_clips(clips, self.num_frames, self.name)
        return self._run_backbone(clips, training)[0]

    def _run_backbone(
        self, clips: tf.Tensor, training: bool
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        # Gives the layers a number of frames where the caller's graph has none.
        clips = tf.ensure_shape(clips, [None, self.num_frames, None, None, 3])
        normalized = normalize(clips, self.compute_dtype)
        return self.backbone(normalized, training=training)


class Classifier(Embedder):
    """The supervised twin of an `Embedder`: its head puts out a logit per class.

    Its rows in the paper's tables are those named 'Supervised'.  Endpoints are
    those of `Embedder`, but

    * `logits`: [B, number of classes] float32.
    * `embedding`: [B, F] float32, `pooled` at unit norm, so that what is done with
      embeddings can be done with those of a supervised network.
    """

    def _outputs(self, pooled: tf.Tensor, raw: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": raw, "embedding": tf.math.l2_normalize(pooled, axis=-1)}

    def classify(self, pooled: tf.Tensor) -> tf.Tensor:
        """Logits of pooled features [B, F], for heads of one dense layer."""
        return self.head.dense(pooled)


def decayed_variables(model: tf.keras.Model) -> list[tf.Variable]:
    """Lists the variables that the L2 loss is taken over.

    Args:
        model: Any model of this package.

    Returns:
        All trainable variables but those of batch norm, as in the authors' code
        (the bias of the dense layer is among them).
    """
    of_batch_norm = {
        variable.ref()
        for module in model.submodules
        if isinstance(module, BatchNormRelu)
        for variable in module.variables
    }
    return [
        variable
        for variable in model.trainable_variables
        if variable.ref() not in of_batch_norm
    ]
