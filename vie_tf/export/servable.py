"""The two functions of a SavedModel: of clips, and of the frames of one video.

Letters: N clips, T frames and C channels of a clip, F frames of a video, D dimensions.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.export import video_clips
from vie_tf.export.signatures import CLIPS_SIGNATURE, VIDEO_SIGNATURE


class Servable(tf.Module):
    """A network with what comes before and after it.

    It tracks the variables and not the Keras model, which would write its own graphs
    of every layer beside the two that are served.

    Args:
      network: network of a run.
      num_clips: clips of a video that are averaged.
      static_video: whether a frame is repeated to make a clip.
    """

    def __init__(
        self, network: RestoredNetwork, num_clips: int, static_video: bool = False
    ) -> None:
        super().__init__(name="servable")
        self.recipe = dataclasses.replace(network.recipe, static=static_video)
        self._weights = list(network.model.variables)
        self._model = _Untracked(network.model)
        self._crop, self._num_clips = network.config.data.crop, num_clips
        shape = [None, None, None, None, self.recipe.num_channels]
        clips = tf.TensorSpec(shape, tf.uint8, "clips")
        frames = tf.TensorSpec([None], tf.string, "frames")
        self.of_clips = tf.function(self._of_clips, input_signature=[clips])
        self.of_video = tf.function(self._of_video, input_signature=[frames])

    @property
    def signatures(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Functions by the names of their signatures."""
        return {CLIPS_SIGNATURE: self.of_clips, VIDEO_SIGNATURE: self.of_video}

    def _of_clips(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes all endpoints of clips [N, T, H, W, C] of any height and width."""
        shape, num_frames = tf.shape(clips), self.recipe.num_frames
        fits = tf.debugging.Assert(
            tf.equal(shape[1], num_frames),
            [f"The network takes clips of {num_frames} frames, not of", shape[1]],
        )
        with tf.control_dependencies([fits]):
            frames = tf.reshape(clips, tf.concat([[-1], shape[2:]], axis=0))
        cropped = video_clips.center_crop(frames, self.recipe.crop_size, self._crop)
        return self._endpoints(tf.reshape(cropped, [-1, *self.recipe.shape]))

    def _of_video(self, frames: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes the embedding [D] of JPEG strings [F], the frames of one video."""
        has_frames = tf.debugging.Assert(
            tf.size(frames) > 0, ["A video needs a frame; the list is empty"]
        )
        with tf.control_dependencies([has_frames]):
            frames = tf.identity(frames)
        clips = video_clips.clips_of_jpegs(
            frames, self.recipe, self._num_clips, self._crop
        )
        mean = tf.reduce_mean(self._endpoints(clips)["embedding"], axis=0)
        return {"embedding": mean / tf.maximum(tf.norm(mean), 1e-12)}

    def _endpoints(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        endpoints = self._model.value(clips, training=False)
        return {name: tf.cast(value, tf.float32) for name, value in endpoints.items()}


class _Untracked:
    """Holds a value that a `tf.Module` is not to save."""

    def __init__(self, value: tf.Module) -> None:
        self.value = value
