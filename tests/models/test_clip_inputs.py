"""Networks of frames, of differences, and of both."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from vie_tf import models
from vie_tf.keras import keras
from vie_tf.models.clip_input import CHANNEL_MEAN, CHANNEL_STD, normalize

CHANNELS = {"frames": 3, "differences": 2, "both": 5, "lab": 3}
TRAINED = [name for name in models.MODELS if not name.startswith("input_single")]


def toy(name: str, **options: object) -> keras.Model:
    keras.utils.set_random_seed(0)
    return models.build(name, num_filters=4, embedding_dim=8, **options)


def random_clips(num_frames: int, input: str, height: int = 32) -> tf.Tensor:
    shape = [2, num_frames, height, 32, CHANNELS[input]]
    return tf.cast(tf.random.uniform(shape, 0, 256, tf.int32, seed=1), tf.uint8)


@pytest.mark.parametrize(
    ("shape", "tolerance"), [([2, 4, 32, 48, 3], 0), ([None, 4, None, None, 3], 5e-7)]
)
def test_lines_of_pixels_are_normalized_as_pixels_are(
    shape: list[int | None], tolerance: float
) -> None:
    clips = tf.cast(tf.random.uniform([2, 4, 32, 48, 3], 0, 256, tf.int32, 1), tf.uint8)
    signature = [tf.TensorSpec(shape, tf.uint8)]
    lines = tf.function(lambda c: normalize(c, tf.float32), signature)
    pixels = tf.function(  # a graph too, which multiplies in place of a division
        lambda c: (tf.cast(c, tf.float32) / 255.0 - CHANNEL_MEAN) / CHANNEL_STD
    )
    assert lines.get_concrete_function().output_shapes.as_list() == shape
    np.testing.assert_allclose(lines(clips), pixels(clips), 0, tolerance)


@pytest.mark.parametrize("name", TRAINED)
def test_a_graph_of_inference_computes_what_its_operations_do(name: str) -> None:
    # In a graph, TensorFlow fuses paddings, convolutions and batch norm.
    model = toy(name)
    clips = random_clips(model.num_frames, "frames", height=37)
    graph = tf.function(lambda clips: model(clips, training=False)["embedding"])
    alone = model(clips, training=False)["embedding"]
    np.testing.assert_allclose(graph(clips), alone, atol=2e-6)


@pytest.mark.parametrize(("training", "kind"), [(True, "PadV2"), (False, "Pad")])
def test_only_inference_has_paddings_that_are_fused(training: bool, kind: str) -> None:
    # With gradients the fusion of a Pad fails, and takes all others with it.
    model = toy("3dresnet")
    graph = tf.function(lambda clips: model(clips, training=training)["embedding"])
    clips = random_clips(model.num_frames, "frames")
    operations = graph.get_concrete_function(clips).graph.get_operations()
    paddings = [one.type for one in operations if one.type.startswith("Pad")]
    assert paddings == [kind] * 4  # of the stem and of three strided blocks


@pytest.mark.parametrize("input", ["differences", "both"])
@pytest.mark.parametrize("name", TRAINED)
def test_every_family_learns_from_every_input(name: str, input: str) -> None:
    model = toy(name, input=input)
    clips = random_clips(model.num_frames, input)
    with tf.GradientTape() as tape:
        endpoints = model(clips, training=True)
        loss = tf.reduce_sum(endpoints["embedding"][:, ::3])
    np.testing.assert_allclose(tf.norm(endpoints["embedding"], axis=1), 1, rtol=1e-5)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


@pytest.mark.parametrize("name", ["slow", "two_stream_s"])
def test_both_puts_a_network_of_frames_beside_one_of_differences(name: str) -> None:
    model = toy(name, input="both")
    clips = random_clips(4, "both")
    endpoints = model(clips)
    frames = clips[..., :3] if name == "slow" else clips[:, 2:3, ..., :3]
    static = model.static_stream(frames)["embedding"]
    dynamic = model.dynamic_stream(clips[..., 3:])["embedding"]
    halves = np.concatenate([static, dynamic], axis=1)
    assert halves.shape == (2, 8)
    np.testing.assert_allclose(endpoints["embedding"], halves / 2**0.5, atol=1e-5)
    conv4 = [model.static_stream(frames)["conv4"], model.dynamic_stream(clips[..., 3:])]
    assert endpoints["conv4"].shape[-1] == 2 * conv4[0].shape[-1]


def test_a_network_of_differences_does_not_see_what_stands_still() -> None:
    model = toy("single", input="differences")
    dark = tf.fill([2, 1, 32, 32, 2], tf.constant(9, tf.uint8))
    light = tf.fill([2, 1, 32, 32, 2], tf.constant(211, tf.uint8))
    np.testing.assert_array_equal(model(dark)["embedding"], model(light)["embedding"])


def test_a_classifier_reads_both() -> None:
    model = toy("single", input="both", num_classes=3)
    assert model(random_clips(1, "both"))["logits"].shape == (2, 3)


def test_clips_of_another_input_are_refused() -> None:
    with pytest.raises(ValueError, match="2 channels of differences, not 3"):
        toy("single", input="differences")(random_clips(1, "frames"))
    with pytest.raises(ValueError, match="5 channels of both, not 2"):
        toy("single", input="both")(random_clips(1, "differences"))
