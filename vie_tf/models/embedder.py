"""Models of clips: a backbone and a head, which embeds or classifies.

They map uint8 clips [B, T, H, W, 3] to a dict of named endpoints, among them
`embedding` on the unit sphere.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vie_tf import __version__
from vie_tf.config import ModelConfig, settings_of
from vie_tf.keras import keras
from vie_tf.models.clip_input import NUM_CHANNELS, check_clips, prepare
from vie_tf.models.layers import BatchNormRelu
from vie_tf.models.resnet import PROBED_LAYERS
from vie_tf.storage.errors import UserError

# Files name the classes of networks by this package, not by their modules.
saved_class = keras.utils.register_keras_serializable("vie_tf")


class ClipModel(keras.Model):
    """A model that checks the clips it is called with.

    Keras saves and copies it as any other: its config is the arguments of `build`.

    Args:
        num_frames: Frames of a clip.
        name: Name of the family.
        input: A key of `NUM_CHANNELS`, which decides on the channels C.

    Attributes:
        build_arguments: Arguments of the `build` that made it; empty for a stream of
            another network.
        num_channels: Size of the last axis of every endpoint, by its name; empty before
            `build` has called the network.
    """

    def __init__(self, num_frames: int, name: str, input: str = "frames") -> None:
        super().__init__(name=name)
        self.num_frames = num_frames
        self.clip_input = input
        self.build_arguments: dict[str, Any] = {}
        self.num_channels: dict[str, int] = {}

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the `build` that made the model.

        Raises:
            NotImplementedError: If the model is a stream of another one.
        """
        if not self.build_arguments:
            raise NotImplementedError(f"{self.name} is a part of another network.")
        return dict(self.build_arguments)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> ClipModel:
        """Builds a model from the config of another, with fresh variables.

        Raises:
            UserError: If this version has no such network or setting.
        """
        from vie_tf.models.registry import build  # which imports this module

        unknown = sorted(set(config) - set(settings_of(ModelConfig)))
        if unknown:
            raise UserError(
                f"The network was saved by another version of VIE-TF than {__version__}"
                f", which has no setting {unknown[0]!r}: load it with that version."
            )
        return build(**config)

    def get_build_config(self) -> None:
        """Returns nothing, since `build` has already created the variables."""

    def __call__(self, clips: tf.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Checks the clips, then calls the model.

        In `call`, Keras would append a page about the arguments to the error.
        """
        check_clips(clips, self.num_frames, self.name, self.clip_input)
        return super().__call__(clips, *args, **kwargs)

    def layer_streams(self, clips: tf.Tensor) -> dict[str, tuple[tf.Tensor, ...]]:
        """Computes the layers that linear probes are given, each stream by itself.

        Args:
            clips: [B, T, H, W, C] uint8.

        Returns:
            `conv1` .. `conv5` in inference mode: tuples with an item [B, T', h, w, C]
            in the compute dtype for each stream.
        """
        endpoints = self(clips, training=False)
        return {name: (endpoints[name],) for name in PROBED_LAYERS}


@saved_class
class Embedder(ClipModel):
    """A backbone and a head that map clips to points on the unit sphere.

    Endpoints, where T' frames and C channels remain after the backbone:

    * `conv1` .. `conv5`: [B, T', h, w, C] in the compute dtype: the inputs of stages
      1, 2, 3 and 4 and the output of stage 4, after batch norm and ReLU.
    * `pooled`: [B, F] float32, the input of the head's dense layer.
    * `embedding`: [B, D] float32, unit norm.

    For ResNet-18 and square clips of the recipe (224 pixels; 112 for 3dresnet),
    h = w and C of conv1 .. conv5 are 56 x 64, 56 x 64, 28 x 128, 14 x 256, 7 x 512
    (3dresnet: h = 28, 28, 14, 7, 4).  slowfast has 80, 80, 160, 320 and 640 channels,
    including the lateral connections.  T' is T, but 4 of 16 frames for slowfast and
    8, 8, 4, 2, 1 of 16 for 3dresnet.  F is C of conv5; trn concatenates its 4 frames
    (2048), and slowfast its slow (640) and fast (64) pathway.

    Args:
        backbone: Layer from normalized clips to activations and features.
        head: Layer from features [B, T', C] to `pooled` and the raw embedding.
        num_frames: Frames of a clip.
        name: Name of the family.
        input: `frames` or `differences`.
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        head: keras.layers.Layer,
        num_frames: int,
        name: str,
        input: str = "frames",
    ) -> None:
        super().__init__(num_frames, name, input)
        self.backbone = backbone
        self.head = head

    def call(self, clips: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Computes the endpoints of clips [B, T, H, W, C] uint8."""
        activations, features = self._run_backbone(clips, training)
        endpoints = {
            name: activations[block]
            for name, block in PROBED_LAYERS.items()
            if block in activations
        }
        endpoints["pooled"], raw = self.head(features, training=training)
        return {**endpoints, **self._outputs(endpoints["pooled"], raw)}

    def _outputs(self, pooled: tf.Tensor, raw: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes the endpoints that depend on the head's output."""
        del pooled
        return {"embedding": tf.math.l2_normalize(raw, axis=-1)}  # [B, D]

    def activations(
        self, clips: tf.Tensor, training: bool = False
    ) -> dict[str, tf.Tensor]:
        """Computes the inputs of all blocks, of clips [B, T, H, W, C] uint8.

        Returns:
            `stem`, `stage1_block1`, ..., `final`, each [B, T', h, w, C]; all but the
            first after batch norm and ReLU.
        """
        check_clips(clips, self.num_frames, self.name, self.clip_input)
        return self._run_backbone(clips, training)[0]

    def _run_backbone(
        self, clips: tf.Tensor, training: bool
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        # The layers need a static number of frames, which the caller's graph may lack.
        shape = [None, self.num_frames, None, None, NUM_CHANNELS[self.clip_input]]
        clips = tf.ensure_shape(clips, shape)
        prepared = prepare(clips, self.clip_input, self.compute_dtype)
        return self.backbone(prepared, training=training)


@saved_class
class Classifier(Embedder):
    """An `Embedder` whose head computes a logit for each class.

    It is the network of the rows named 'Supervised' in the paper's tables.  Two of its
    endpoints differ from those of `Embedder`:

    * `logits`: [B, number of classes] float32.
    * `embedding`: [B, F] float32, `pooled` at unit norm, so that embeddings of
      supervised networks can be evaluated like others.
    """

    def _outputs(self, pooled: tf.Tensor, raw: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": raw, "embedding": tf.math.l2_normalize(pooled, axis=-1)}

    def classify(self, pooled: tf.Tensor) -> tf.Tensor:
        """Computes logits of pooled features [B, F]; the head has one dense layer."""
        return self.head.dense(pooled)


def decayed_variables(model: keras.Model) -> list[tf.Variable]:
    """Lists the variables that weight decay applies to.

    They are the trainable variables except those of batch norm, as in the authors'
    code, which includes the bias of the dense layer.
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
