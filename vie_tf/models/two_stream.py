"""Two-stream networks: appearance from frames beside motion from clips.

They are the paper's (`make_two_stream`), and those of `--input=both` and `--input=lab`
(`make_both`).
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from vie_tf.config import ModelConfig
from vie_tf.keras import keras
from vie_tf.models.clip_input import NUM_CHANNELS, PAIRED_INPUTS, check_clips
from vie_tf.models.embedder import ClipModel, Embedder, saved_class
from vie_tf.models.family import Make
from vie_tf.models.heads import FramePool
from vie_tf.models.resnet import PROBED_LAYERS
from vie_tf.storage.errors import UserError


@saved_class
class TwoStream(ClipModel):
    """Two networks on the same clip, such as `single` beside a multi-frame network.

    The paper concatenates the outputs of two networks (section 4).  The streams are
    trained together, or restored from two runs.  Of clips of `both`, the static stream
    is given the colors and the dynamic one the differences; of `lab` one is given
    the light and the other the colors without it.

    Endpoints:

    * `conv1` .. `conv5`: [B, 1, h, w, C1 + C2]: both streams are averaged over time,
      as linear probes do, and concatenated on channels.
    * `pooled`: [B, F1 + F2] float32.  Those of a classifier are the averages of `conv5`
      alone, [B, C1 + C2]: the fast pathway of slowfast is left out, as in the authors'
      fine-tuning (512 + 640 features of two_stream_sf).
    * `embedding`: [B, D1 + D2] float32, the concatenated embeddings, normalized.
    * `logits`: [B, number of classes] float32, of one dense layer on `pooled`; those of
      a classifier only.

    Args:
        static: Network of frames: of the middle one, or of all frames of the clip.
        dynamic: Network of clips.
        name: Name of the family.
        num_classes: Number of classes of a classifier; None for an embedder.
        input: `frames`, `differences`, `both` or `lab`.

    Raises:
        UserError: If `static` takes another number of frames.
    """

    def __init__(
        self,
        static: Embedder,
        dynamic: Embedder,
        name: str,
        num_classes: int | None = None,
        input: str = "frames",
    ) -> None:
        if static.num_frames not in (1, dynamic.num_frames):
            raise UserError(
                f"the static stream takes 1 frame or all {dynamic.num_frames}, "
                f"not {static.num_frames}."
            )
        num_halves = 2 if input == "later" else 1
        super().__init__(num_halves * dynamic.num_frames, name, input)
        self.static_stream = static
        self.dynamic_stream = dynamic
        self.classifier: keras.layers.Dense | None = None
        if num_classes:
            self.classifier = keras.layers.Dense(num_classes, dtype="float32")

    def call(self, clips: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Computes the endpoints of clips [B, T, H, W, C] uint8."""
        static, dynamic = self._run_streams(clips, training)

        def concat_means(name: str) -> tf.Tensor:
            streams = (static[name], dynamic[name])  # [B, T', h, w, C]
            means = [tf.reduce_mean(stream, 1, keepdims=True) for stream in streams]
            return tf.concat(means, axis=-1)

        endpoints = {name: concat_means(name) for name in PROBED_LAYERS}
        for name in ("pooled", "embedding"):
            endpoints[name] = tf.concat([static[name], dynamic[name]], axis=-1)
        embedding = tf.math.l2_normalize(endpoints["embedding"], axis=-1)
        endpoints["embedding"] = embedding  # [B, D1 + D2]
        if self.classifier is not None:
            # The features of a slowfast stream end with those of its fast pathway.
            num_features = endpoints["conv5"].shape[-1]
            endpoints["pooled"] = endpoints["pooled"][:, :num_features]
            endpoints["logits"] = self.classifier(endpoints["pooled"])
        return endpoints

    def layer_streams(self, clips: tf.Tensor) -> dict[str, tuple[tf.Tensor, ...]]:
        """Computes the layers of the static and of the dynamic stream."""
        check_clips(clips, self.num_frames, self.name, self.clip_input)
        streams = self._run_streams(clips, training=False)
        return {name: tuple(s[name] for s in streams) for name in PROBED_LAYERS}

    def _run_streams(
        self, clips: tf.Tensor, training: bool
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        frames = clips
        if self.clip_input == "both":
            num_colors = NUM_CHANNELS["frames"]
            frames, clips = clips[..., :num_colors], clips[..., num_colors:]
        num_frames = self.dynamic_stream.num_frames
        if self.clip_input == "later":
            frames, clips = clips[:, :num_frames], clips[:, num_frames:]
        if self.static_stream.num_frames == 1:
            middle = num_frames // 2
            frames = frames[:, middle : middle + 1]
        static = self.static_stream(frames, training=training)
        return static, self.dynamic_stream(clips, training=training)

    def classify(self, pooled: tf.Tensor) -> tf.Tensor:
        """Computes logits of pooled features [B, C1 + C2] of a classifier."""
        assert self.classifier is not None
        return self.classifier(pooled)


def make_two_stream(make_static: Make, make_dynamic: Make) -> Make:
    """Returns the function that makes both streams, each with half of the dimensions.

    The function raises a `UserError` if `embedding_dim` is odd.
    """

    def make(name: str, config: ModelConfig) -> TwoStream:
        if config.embedding_dim % 2:
            raise UserError(
                f"{name} splits embedding_dim between two streams, so it is even, not "
                f"{config.embedding_dim}: change --embedding_dim."
            )
        config = dataclasses.replace(config, embedding_dim=config.embedding_dim // 2)
        if config.input == "later":
            config = _of_half_clips(name, config)
        num_static = config.num_frames if config.static_frames == "all" else 1
        static_config = dataclasses.replace(config, num_frames=num_static)
        dynamic_config = config
        if config.input in PAIRED_INPUTS:
            first, second = PAIRED_INPUTS[config.input]
            static_config = dataclasses.replace(static_config, input=first)
            dynamic_config = dataclasses.replace(config, input=second)
        static = make_static("static", static_config)
        dynamic = make_dynamic("dynamic", dynamic_config)
        assert isinstance(static, Embedder) and isinstance(dynamic, Embedder)
        if config.num_classes:
            static, dynamic = _without_head(static), _without_head(dynamic)
        return TwoStream(static, dynamic, name, config.num_classes, config.input)

    return make


def _of_half_clips(name: str, config: ModelConfig) -> ModelConfig:
    """Returns the settings of a stream that is given one half of the clip."""
    assert config.num_frames is not None
    if config.num_frames % 2:
        raise UserError(
            f"--input=later gives one half of the frames of a clip to each stream of"
            f" {name}, so --num_frames is even, not {config.num_frames}."
        )
    return dataclasses.replace(config, num_frames=config.num_frames // 2)


def make_both(make_stream: Make) -> Make:
    """Returns the function that makes a family's networks of two inputs.

    It is that of `make_two_stream`; both streams are given all frames of the clip, or
    of their half of it.
    """

    def make(name: str, config: ModelConfig) -> ClipModel:
        config = dataclasses.replace(config, static_frames="all")
        return make_two_stream(make_stream, make_stream)(name, config)

    return make


def _without_head(stream: Embedder) -> Embedder:
    """Returns the same stream with its features as output; call before it is built."""
    return Embedder(
        *(stream.backbone, FramePool(), stream.num_frames, stream.name),
        input=stream.clip_input,
    )
