"""Two-stream models: what is there, next to what moves.

Comes in: uint8 clips [B, T, H, W, 3].  Goes out: the endpoints of a static and a
dynamic model, concatenated.  The step before is `input_pipeline`, the step after
`losses` and `memory_bank` (training) or `evaluation`.
"""

from __future__ import annotations

import tensorflow as tf

from vie_tf.models.embedder import ClipModel, Embedder
from vie_tf.models.resnet import PROBED_LAYERS


class TwoStream(ClipModel):
    """VIE-TwoStream: `single` and a multi-frame model on the same clip.

    The paper concatenates the outputs of two models (section 4).  Streams may be
    trained together, or be two models that were trained alone.

    Endpoints:

    * `conv1` .. `conv5`: [B, 1, h, w, C1 + C2]: both are averaged over time, as
      for the read-outs, and concatenated on channels.
    * `pooled`: [B, F1 + F2] float32.
    * `embedding`: [B, D1 + D2] float32, the concatenation of both embeddings,
      normalized again.
    * `logits`: [B, number of classes] float32, if both are classifiers: the mean of
      theirs.

    Args:
        static: Model of frames.  If it takes one frame it is given the middle one,
            else it has to take all frames of the clip.
        dynamic: Model of clips.
        name: Name of the family.

    Raises:
        ValueError: If `static` takes some other number of frames.
    """

    def __init__(self, static: Embedder, dynamic: Embedder, name: str) -> None:
        if static.num_frames not in (1, dynamic.num_frames):
            raise ValueError(
                f"the static stream takes 1 frame or all {dynamic.num_frames}, "
                f"not {static.num_frames}."
            )
        super().__init__(dynamic.num_frames, name)
        self.static_stream = static
        self.dynamic_stream = dynamic

    def call(self, clips: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Computes all endpoints.

        Args:
            clips: [B, T, H, W, 3] uint8.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            The endpoints that the class describes.
        """
        frames = clips
        if self.static_stream.num_frames == 1:
            middle = self.num_frames // 2
            frames = clips[:, middle : middle + 1]
        static = self.static_stream(frames, training=training)
        dynamic = self.dynamic_stream(clips, training=training)

        def concat_means(name: str) -> tf.Tensor:
            streams = (static[name], dynamic[name])  # [B, T', h, w, C]
            means = [tf.reduce_mean(stream, 1, keepdims=True) for stream in streams]
            return tf.concat(means, axis=-1)

        endpoints = {name: concat_means(name) for name in PROBED_LAYERS}
        for name in ("pooled", "embedding"):
            endpoints[name] = tf.concat([static[name], dynamic[name]], axis=-1)
        embedding = tf.math.l2_normalize(endpoints["embedding"], axis=-1)
        endpoints["embedding"] = embedding  # [B, D1 + D2]
        if "logits" in static and "logits" in dynamic:
            endpoints["logits"] = (static["logits"] + dynamic["logits"]) / 2
        return endpoints

    def classify(self, pooled: tf.Tensor) -> tf.Tensor:
        """Logits of pooled features [B, F1 + F2], if both streams are classifiers."""
        streams = self.static_stream, self.dynamic_stream
        # A dense layer of F features has a kernel [F, C].
        sizes = [stream.head.dense.kernel.shape[0] for stream in streams]
        parts = tf.split(pooled, sizes, axis=-1)
        logits = [stream.classify(part) for stream, part in zip(streams, parts)]
        return tf.add_n(logits) / len(logits)
