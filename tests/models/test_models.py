from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from vie_tf import models
from vie_tf.keras import keras
from vie_tf.models.embedder import Embedder
from vie_tf.models.heads import FrameMean, MultiScaleRelation
from vie_tf.models.layers import BatchNormRelu, Conv
from vie_tf.models.plain import GroupedConv
from vie_tf.models.resnet import max_pool
from vie_tf.models.summary import summary
from vie_tf.models.two_stream import TwoStream
from vie_tf.storage.errors import UserError

SIZE = 64  # pixels, which the stages make 16, 16, 8, 4, 2
FILTERS = 8


def random_clips(num_frames: int, batch_size: int = 2, size: int = SIZE) -> tf.Tensor:
    shape = [batch_size, num_frames, size, size, 3]
    return tf.cast(tf.random.uniform(shape, 0, 256, tf.int32, seed=1), tf.uint8)


def toy(name: str, **options: object) -> keras.Model:
    keras.utils.set_random_seed(0)
    return models.build(name, num_filters=FILTERS, **options)


# For each name: frames of the clip, frames of conv1 .. conv5, channels, of `pooled`.
SHAPES = {
    "single": (1, (1, 1, 1, 1, 1), (8, 8, 16, 32, 64), 64),
    "3dresnet": (16, (8, 8, 4, 2, 1), (8, 8, 16, 32, 64), 64),
    "trn": (4, (4, 4, 4, 4, 4), (8, 8, 16, 32, 64), 256),
    "slow": (4, (4, 4, 4, 4, 4), (8, 8, 16, 32, 64), 64),
    # One fast filter, of which lateral connections make 2, 2, 4, 8 and 16.
    "slowfast": (16, (4, 4, 4, 4, 4), (10, 10, 20, 40, 80), 88),
    "two_stream_s": (4, (1, 1, 1, 1, 1), (16, 16, 32, 64, 128), 128),
    "two_stream_sf": (16, (1, 1, 1, 1, 1), (18, 18, 36, 72, 144), 152),
    "c3d": (16, (16, 16, 8, 4, 2), (8, 16, 32, 64, 64), 64),
    # 1.5 times as many filters in conv1 as in those of ResNets.
    "alexnet": (1, (1, 1, 1, 1, 1), (12, 32, 48, 48, 32), 32),
    "alexnet_stacked": (4, (1, 1, 1, 1, 1), (12, 32, 48, 48, 32), 32),
    "input_single_trn": (4, (4, 4, 4, 4, 4), (8, 8, 16, 32, 64), 64),
    "input_single_slow": (4, (4, 4, 4, 4, 4), (8, 8, 16, 32, 64), 64),
    "input_single_slowfast": (16, (16, 16, 16, 16, 16), (8, 8, 16, 32, 64), 64),
}
# Height and width of conv1 .. conv5; those of plain networks are not yet pooled.
SIDES = {
    "c3d": (64, 32, 16, 8, 4),
    "alexnet": (16, 8, 4, 4, 4),
    "alexnet_stacked": (16, 8, 4, 4, 4),
}


@pytest.mark.parametrize("name", models.MODELS)
def test_endpoints_have_the_documented_shapes(name: str) -> None:
    num_frames, times, channels, num_pooled = SHAPES[name]
    assert models.clip_recipe(name).num_frames == num_frames
    endpoints = toy(name)(random_clips(num_frames), training=True)
    shapes = {key: value.shape.as_list() for key, value in endpoints.items()}
    sides = SIDES.get(name, (16, 16, 8, 4, 2))
    expected = {
        f"conv{i + 1}": [2, times[i], sides[i], sides[i], channels[i]] for i in range(5)
    }
    assert shapes == {**expected, "pooled": [2, num_pooled], "embedding": [2, 128]}
    norms = tf.norm(endpoints["embedding"], axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("single", 11_244_480),
        ("trn", 11_441_088),
        ("slow", 20_091_840),
        ("slowfast", 21_678_280),
        ("3dresnet", 33_271_872),
        # Kernels of 27 taps, two numbers of batch norm a channel, and the last layer.
        (
            "c3d",
            27 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 3 * 512 * 512)
            + 2 * (64 + 128 + 2 * 256 + 4 * 512)
            + 512 * 128
            + 128,
        ),
        # A kernel of two groups sees half of the channels.
        (
            "alexnet",
            121 * 3 * 96
            + 25 * 48 * 256
            + 9 * (256 * 384 + 192 * 384 + 192 * 256)
            + 2 * (96 + 256 + 384 + 384 + 256)
            + 256 * 128
            + 128,
        ),
        ("alexnet_stacked", 2_368_352 + 121 * 9 * 96),  # of three more frames
    ],
)
def test_number_of_trainable_parameters(name: str, expected: int) -> None:
    variables = models.build(name).trainable_variables
    assert sum(int(np.prod(v.shape)) for v in variables) == expected


def test_summary_names_cost_and_paper_row() -> None:
    lines = summary("single").splitlines()
    assert lines[0] == "single: VIE-Single"
    assert "table 1: 23.84 38.25 44.41" in lines[1]
    assert lines[3].split() == ["parameters", "11,244,480"]
    # ResNet-18 is known to take 1.8 billion multiply-adds per image of 224 pixels.
    assert lines[4].split()[1:3] == ["1.83", "G"]
    assert lines[-1].split() == ["embedding", "128"]


@pytest.mark.parametrize(("resnet_size", "channels"), [(34, 64), (50, 256)])
def test_deeper_networks_have_the_same_endpoints(
    resnet_size: int, channels: int
) -> None:
    model = toy("slow", resnet_size=resnet_size)
    endpoints = model(random_clips(4, size=32))
    assert endpoints["conv5"].shape == (2, 4, 1, 1, channels)
    assert len(model.activations(random_clips(4, size=32))) == 2 + (3 + 4 + 6 + 3)


# Errors.


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (np.zeros([1, 4, 64, 64, 3], np.float32), "uint8.*float32"),
        (np.zeros([1, 64, 64, 3], np.uint8), r"\[1, 64, 64, 3\]"),
        (np.zeros([1, 8, 64, 64, 3], np.uint8), "4 frames.* 8"),
        (np.zeros([1, 4, 64, 64, 1], np.uint8), "3 .* 1"),
        (np.zeros([1, 4, 64, 16, 3], np.uint8), "32 .*64 x 16"),
    ],
)
def test_wrong_clips_are_refused_in_one_line(clips: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        toy("slow")(clips)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fast", {}, "single, 3dresnet, .*'fast'"),
        ("slow", {"resnet_size": 20}, "18, 34, 50, 101.* 20"),
        ("trn", {"trn_head": "mlp"}, "concat, relation, relation_mean"),
        ("two_stream_s", {"static_frames": "two"}, "one, all.*'two'"),
        ("two_stream_s", {"embedding_dim": 5}, "--embedding_dim"),
        ("slowfast", {"num_frames": 6}, "4 .* 6: change --num_frames"),
    ],
)
def test_wrong_settings_are_refused(name: str, options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        models.build(name, **options)


def test_recipe_of_an_unknown_name_lists_the_names() -> None:
    with pytest.raises(UserError, match="two_stream_sf"):
        models.clip_recipe("slow_fast")


def test_unknown_sizes_are_accepted_while_tracing() -> None:
    model = toy("3dresnet")
    spec = tf.TensorSpec([None, None, None, None, None], tf.uint8)
    function = tf.function(lambda clips: model(clips), input_signature=[spec])
    clips = random_clips(16)
    np.testing.assert_allclose(
        function(clips)["embedding"], model(clips)["embedding"], atol=1e-5
    )


# Layers.


def conv3d(features: tf.Tensor, kernel: tf.Tensor, strides: tuple) -> tf.Tensor:
    margins = [[(size - 1) // 2] * 2 for size in kernel.shape[:3]]
    padded = tf.pad(features, [[0, 0], *margins, [0, 0]])
    return tf.nn.conv3d(padded, kernel, [1, *strides, 1], "VALID")


@pytest.mark.parametrize(
    ("kernel_size", "strides", "channels"),
    [
        ((1, 3, 3), (1, 1, 1), 4),
        ((1, 7, 7), (1, 2, 2), 3),
        ((1, 1, 1), (1, 2, 2), 4),  # projections of slow and of 3dresnet
        ((1, 1, 1), (2, 2, 2), 4),
        ((3, 3, 3), (1, 1, 1), 4),
        ((3, 3, 3), (2, 2, 2), 4),
        ((5, 1, 1), (4, 1, 1), 4),  # lateral connection
    ],
)
def test_conv_and_its_gradients_are_those_of_a_real_conv3d(
    kernel_size: tuple, strides: tuple, channels: int
) -> None:
    features = tf.random.normal([2, 8, 6, 6, channels], seed=1)
    layer = Conv(5, kernel_size, strides)
    layer.build(features.shape)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        ours = layer(features)
        theirs = conv3d(features, layer.kernel, strides)
        ours_loss, theirs_loss = tf.reduce_sum(ours**3), tf.reduce_sum(theirs**3)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    sources = [features, layer.kernel]
    for one, other in zip(
        tape.gradient(ours_loss, sources), tape.gradient(theirs_loss, sources)
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_projection_of_the_fast_pathway_survives_its_gradient() -> None:
    # A strided convolution of this size writes past its memory on AVX-512.
    features = tf.random.normal([4, 16, 56, 56, 8], seed=1)
    layer = Conv(16, (1, 1, 1), (1, 2, 2))
    layer.build(features.shape)

    @tf.function
    def gradients(features: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(features)
            total = tf.reduce_sum(layer(features))
        return tape.gradient(total, [features, layer.kernel])

    for _ in range(3):
        of_features, of_kernel = gradients(features)
    seen = features[:, :, ::2, ::2]
    expected = tf.reduce_sum(seen, axis=[0, 1, 2, 3])  # [8]
    np.testing.assert_allclose(of_kernel[0, 0, 0, :, 3], expected, rtol=1e-3, atol=0.1)
    weights = tf.reduce_sum(layer.kernel, axis=-1)[0, 0, 0]  # [8]
    np.testing.assert_allclose(of_features[2, 5, 54, 10], weights, rtol=1e-4)
    assert not np.any(of_features[:, :, 1::2])
    assert not np.any(of_features[:, :, :, 1::2])


@pytest.mark.parametrize(("name", "num_3d"), [("single", 0), ("slow", 4)])
def test_only_convolutions_over_several_frames_run_in_3d(
    name: str, num_3d: int
) -> None:
    model = toy(name)
    graph = tf.function(model).get_concrete_function(random_clips(model.num_frames))
    types = [op.type for op in graph.graph.get_operations()]
    assert types.count("Conv3D") == num_3d  # slow: one a block of the last two stages
    assert types.count("Conv2D") == 1 + 4 * 5 - num_3d


def test_kernels_start_with_variance_one_over_fan_in() -> None:
    layer = Conv(64, (3, 3, 3))
    layer.build(tf.TensorShape([None, 4, 8, 8, 32]))
    kernel = layer.kernel.numpy()
    assert kernel.std() == pytest.approx(np.sqrt(1 / (27 * 32)), rel=0.02)
    # Cut at two standard deviations, and scaled up to make good for it.
    assert np.abs(kernel).max() < 2 / 0.8796 * np.sqrt(1 / (27 * 32))


def test_strided_conv_pads_both_sides_alike() -> None:
    layer = Conv(1, (1, 3, 3), (1, 2, 2))
    features = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    layer.build(features.shape)
    layer.kernel.assign(tf.ones([3, 3, 1, 1]))
    # Windows are centerd on rows and columns 0 and 2; SAME would take 1 and 3.
    # [[0+1+4+5, 1+2+3+5+6+7], [4+5+8+9+12+13, 5+6+7+9+10+11+13+14+15]]
    assert layer(features).numpy().ravel().tolist() == [10, 24, 51, 90]


@pytest.mark.parametrize("num_frames", [5, 6])
def test_max_pool_is_that_of_max_pool3d(num_frames: int) -> None:
    features = tf.random.normal([2, num_frames, 7, 6, 3])
    expected = tf.nn.max_pool3d(features, 3, 2, "SAME")
    np.testing.assert_array_equal(max_pool(features, 3, 2), expected)


def test_batch_norm_normalizes_over_batch_time_and_space() -> None:
    features = tf.random.normal([2, 3, 4, 5, 6], mean=2.0, stddev=3.0)
    layer = BatchNormRelu()
    outputs = layer(features, training=True)
    mean = np.mean(features, axis=(0, 1, 2, 3))
    variance = np.var(features, axis=(0, 1, 2, 3))
    normalized = (features - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(outputs, np.maximum(normalized, 0), atol=1e-5)
    # momentum 0.997, and the variance of 120 numbers without bias
    np.testing.assert_allclose(layer.moving_mean, 0.003 * mean, rtol=1e-3)
    unbiased = variance * 120 / 119
    expected = 0.997 + 0.003 * unbiased
    np.testing.assert_allclose(layer.moving_variance, expected, rtol=1e-5)


def test_frozen_models_keep_their_statistics() -> None:
    model = toy("slow")
    model.trainable = False
    before = [v.numpy() for v in model.variables]
    model(random_clips(4), training=True)
    for variable, value in zip(model.variables, before):
        np.testing.assert_array_equal(variable, value)


def test_weight_decay_leaves_batch_norm_alone() -> None:
    model = toy("slowfast")
    decayed = models.decayed_variables(model)
    leaves = {name.split("/")[-1] for name in _names_of(model, decayed)}
    assert leaves == {"kernel", "bias"}
    # Two pathways of a stem and 20 convolutions, 5 lateral ones, kernel and bias.
    assert len(decayed) == 2 * 21 + 5 + 2


def _names_of(model: keras.Model, variables: list[tf.Variable]) -> list[str]:
    names = {v.ref(): name for name, v in models.tf1_names(model).items()}
    return [names[variable.ref()] for variable in variables]


# Time.


@pytest.mark.parametrize("name", ["trn", "slow", "slowfast", "3dresnet", "c3d"])
def test_temporal_order_matters(name: str) -> None:
    model = toy(name)
    clips = random_clips(model.num_frames)
    forward, backward = model(clips), model(clips[:, ::-1])
    difference = tf.norm(forward["embedding"] - backward["embedding"], axis=1)
    assert tf.reduce_min(difference) > 1e-3


def test_input_single_averages_the_embeddings_of_its_frames() -> None:
    single, average = toy("single"), toy("input_single_trn")
    clips = random_clips(4)
    frames = [single(clips[:, i : i + 1])["embedding"] for i in range(4)]
    mean = tf.math.l2_normalize(tf.reduce_mean(frames, axis=0), axis=1)
    np.testing.assert_allclose(average(clips)["embedding"], mean, atol=1e-5)


def test_trn_concatenates_frames_in_temporal_order() -> None:
    trn, single = toy("trn"), toy("single")
    clips = random_clips(4)
    frames = [single(clips[:, i : i + 1])["pooled"] for i in range(4)]
    expected = tf.concat(frames, axis=1)
    np.testing.assert_allclose(trn(clips)["pooled"], expected, atol=1e-5)


def test_slow_pathway_takes_every_fourth_frame() -> None:
    model = toy("slowfast")
    for lateral in model.backbone.slow.laterals:
        lateral.kernel.assign(tf.zeros_like(lateral.kernel))
    clips = random_clips(16)
    frames = np.array(clips)
    frames[:, np.arange(16) % 4 != 0] = 0
    changed = model(frames)["conv5"]
    np.testing.assert_array_equal(model(clips)["conv5"], changed)


# Relations.


def test_relations_of_four_frames_are_all_looked_at() -> None:
    head = MultiScaleRelation(5, num_frames=4, average=False)
    assert [subsets.shape for subsets in head.subsets] == [(6, 2), (4, 3), (1, 4)]
    features = tf.random.normal([3, 4, 7])
    pooled, embedding = head(features, training=True)
    assert (pooled.shape, embedding.shape) == ((3, 28), (3, 5))
    np.testing.assert_allclose(embedding, head(features, training=False)[1], atol=1e-5)


@pytest.mark.parametrize("average", [False, True])
def test_relations_add_up_to_a_loop_over_subsets(average: bool) -> None:
    head = MultiScaleRelation(5, num_frames=3, average=average)
    features = tf.random.normal([2, 3, 4])
    embedding = head(features)[1]
    expected = 0
    for subsets, hidden, output in zip(
        head.subsets, head.hidden_layers, head.output_layers
    ):
        for subset in subsets:
            frames = tf.concat([features[:, frame] for frame in subset], axis=1)
            weight = 1 / len(subsets) if average else 1
            expected += weight * output(hidden(frames))
    np.testing.assert_allclose(embedding, expected, atol=1e-5)


def test_relations_of_eight_frames_are_drawn_in_training_only() -> None:
    model = toy("trn", trn_head="relation", num_frames=8)
    clips = random_clips(8, size=32)
    one, other = model(clips)["embedding"], model(clips)["embedding"]
    np.testing.assert_array_equal(one, other)
    draws = [model(clips, training=True)["embedding"] for _ in range(2)]
    assert np.abs(draws[0] - draws[1]).max() > 1e-4


# Plain networks.


def test_groups_of_a_convolution_see_their_own_channels() -> None:
    layer = GroupedConv(6, (1, 3, 3), (1, 1, 1), groups=2)
    features = tf.random.normal([1, 5, 5, 4], seed=1)
    before = layer(features)
    changed = layer(features + [0.0, 0.0, 1.0, 0.0])
    np.testing.assert_array_equal(changed[..., :3], before[..., :3])
    assert np.abs(changed[..., 3:] - before[..., 3:]).min() > 0


def test_a_step_of_c3d_moves_its_last_frame_to_the_pooled_features() -> None:
    model = toy("c3d")
    clips = random_clips(16, size=32)
    frames = np.array(clips)
    frames[:, -1] = 0
    assert np.abs(model(frames)["pooled"] - model(clips)["pooled"]).max() > 1e-4


def test_alexnet_of_several_frames_averages_what_it_is_of_one() -> None:
    one, several = toy("alexnet"), toy("alexnet", num_frames=3)
    clips = random_clips(3)
    pooled = [one(clips[:, t : t + 1])["pooled"] for t in range(3)]
    mean = np.mean(pooled, axis=0)
    np.testing.assert_allclose(several(clips)["pooled"], mean, atol=1e-5)


def test_stacked_frames_meet_in_the_first_layer() -> None:
    model = toy("alexnet_stacked")
    clips = random_clips(4)
    kernel = model.backbone.convs[0].parts[0].kernel
    assert kernel.shape == (11, 11, 12, 12)
    backward = model(clips[:, ::-1])["conv1"]
    assert np.abs(backward - model(clips)["conv1"]).max() > 1e-3


def test_weight_decay_of_plain_networks_leaves_batch_norm_alone() -> None:
    decayed = models.decayed_variables(toy("alexnet"))
    assert len(decayed) == 5 + 3 + 2  # three of two groups; kernel and bias


# Two streams.


def test_two_streams_are_concatenated_after_averaging_over_time() -> None:
    model = toy("two_stream_s")
    clips = random_clips(4)
    endpoints = model(clips)
    static = model.static_stream(clips[:, 2:3])  # the middle frame
    dynamic = model.dynamic_stream(clips)
    means = [np.mean(stream["conv4"], axis=1) for stream in (static, dynamic)]
    conv4 = np.concatenate(means, axis=-1)[:, np.newaxis]
    np.testing.assert_allclose(endpoints["conv4"], conv4, rtol=1e-4, atol=1e-5)
    # Two unit vectors make one of length sqrt(2).
    halves = np.concatenate([static["embedding"], dynamic["embedding"]], axis=1)
    np.testing.assert_allclose(endpoints["embedding"], halves / 2**0.5, atol=1e-5)


def test_static_stream_may_see_all_frames() -> None:
    model = toy("two_stream_s", static_frames="all")
    clips = random_clips(4)
    static = model.static_stream(clips)["embedding"]
    half = model(clips)["embedding"][:, :64]
    np.testing.assert_allclose(half, static / 2**0.5, atol=1e-5)


def test_streams_with_other_frames_are_refused() -> None:
    static = Embedder(keras.layers.Layer(), FrameMean(4), 3, "static")
    with pytest.raises(UserError, match="1 .* 4, not 3"):
        TwoStream(static, toy("slow"), "streams")


def test_two_streams_learn_together() -> None:
    model = toy("two_stream_sf")
    with tf.GradientTape() as tape:
        embedding = model(random_clips(16), training=True)["embedding"]
        loss = tf.reduce_sum(embedding[:, ::3])
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


@pytest.mark.parametrize(
    ("name", "sizes"), [("two_stream_s", (512, 512)), ("two_stream_sf", (512, 640))]
)
def test_one_layer_classifies_both_streams(name: str, sizes: tuple[int, int]) -> None:
    model = models.build(name, num_classes=5, static_frames="all")
    layers = [m for m in model.submodules if isinstance(m, keras.layers.Dense)]
    assert [layer.kernel.shape for layer in layers] == [(sum(sizes), 5)]
    clips = random_clips(model.num_frames)
    endpoints = model(clips)
    streams = [
        stream(clips)["pooled"][:, :size]
        for stream, size in zip((model.static_stream, model.dynamic_stream), sizes)
    ]
    wanted = np.hstack(streams) @ layers[0].kernel.numpy() + layers[0].bias.numpy()
    np.testing.assert_allclose(endpoints["logits"], wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        model.classify(endpoints["pooled"]), endpoints["logits"]
    )


def test_two_stream_models_have_no_tf1_names() -> None:
    with pytest.raises(UserError, match="two_stream_s"):
        models.tf1_names(toy("two_stream_s"))


# Checkpoints.


def test_single_checkpoint_fits_input_single_and_static_stream(
    tmp_path: object,
) -> None:
    single = toy("single", embedding_dim=64)
    path = tf.train.Checkpoint(model=single).save(f"{tmp_path}/single")
    clips = random_clips(1)
    expected = single(clips)["embedding"]
    streams = models.build("two_stream_s", num_filters=FILTERS)
    restored = tf.train.Checkpoint(model=streams.static_stream).restore(path)
    restored.assert_existing_objects_matched()
    ours = streams.static_stream(clips)["embedding"]
    np.testing.assert_array_equal(ours, expected)
