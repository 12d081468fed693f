"""Networks in Keras's files: what comes back is what was saved, to the bit."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from vie_tf import models
from vie_tf.keras import keras
from vie_tf.models.clip_input import NUM_CHANNELS, PAIRED_INPUTS
from vie_tf.models.resnet import RESNET_SIZES, BasicBlock
from vie_tf.storage.errors import UserError

# Every family, every size, classifiers, and what else changes the layers.
NETWORKS = [
    *({"name": name} for name in models.MODELS),
    *({"name": "slow", "resnet_size": size} for size in RESNET_SIZES if size != 18),
    {"name": "3dresnet", "resnet_size": 50},
    *({"name": name, "num_classes": 3} for name in ("single", "trn", "slowfast")),
    *({"name": f"two_stream_{end}", "num_classes": 3} for end in ("s", "sf")),
    *({"name": "single", "input": input} for input in PAIRED_INPUTS),
    {"name": "single", "input": "differences"},
    {"name": "trn", "trn_head": "relation", "num_frames": 5},
    {"name": "slow", "precision": "mixed_bfloat16", "batch_norm_momentum": 0.9},
]


def build(settings):
    """A tiny network whose variables all have values of their own."""
    model = models.build(num_filters=2, embedding_dim=8, **settings)
    draw = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(draw.uniform(0.1, 1.0, variable.shape))
    return model


def random_clips(model, batch_size=2, size=32):
    channels = NUM_CHANNELS[model.build_arguments["input"]]
    shape = [batch_size, model.num_frames, size, size, channels]
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def assert_same(actual, expected):
    assert type(actual) is type(expected)
    assert actual.get_config() == expected.get_config()
    for mine, other in zip(actual.variables, expected.variables):
        np.testing.assert_array_equal(mine, other, err_msg=other.name)
    assert len(actual.variables) == len(expected.variables)


def clear(model):
    for variable in model.variables:
        variable.assign(tf.zeros_like(variable))
    return model


def assert_equal_outputs(actual, expected):
    clips = random_clips(expected)
    outputs = actual(clips)
    for name, values in expected(clips).items():
        np.testing.assert_array_equal(outputs[name], values, err_msg=name)


def num_stored(path):
    """Counts the variables of a file in HDF5."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: found.append(isinstance(item, h5py.Dataset)))
    return sum(found)


@pytest.mark.parametrize(
    "settings", NETWORKS, ids=lambda one: " ".join(map(str, one.values()))
)
def test_files_give_back_the_network(tmp_path, settings):
    model = build(settings)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert_same(copy, model)
    assert_equal_outputs(copy, model)

    model.save_weights(tmp_path / "model.weights.h5")
    assert num_stored(tmp_path / "model.weights.h5") == len(model.variables)
    clear(copy).load_weights(tmp_path / "model.weights.h5")
    assert_same(copy, model)

    model.save_weights(tmp_path / "checkpoint")
    clear(copy).load_weights(tmp_path / "checkpoint").assert_consumed()
    assert_same(copy, model)


@pytest.mark.parametrize("name", models.MODELS)
def test_a_saved_model_gives_back_the_network(tmp_path, monkeypatch, name):
    # A block in each stage, since tracing takes seconds for eight.
    monkeypatch.setitem(RESNET_SIZES, 18, (BasicBlock, (1, 1, 1, 1)))
    has_labels = name in ("trn", "two_stream_s")
    model = build({"name": name, "num_classes": 3 if has_labels else None})
    model.save(tmp_path / "saved", save_format="tf")
    copy = keras.models.load_model(tmp_path / "saved")
    assert_same(copy, model)
    assert_equal_outputs(copy, model)


def test_a_saved_model_takes_clips_of_every_size_and_number(tmp_path):
    model = build({"name": "single"})
    model.save(tmp_path / "saved", save_format="tf")
    loaded = tf.saved_model.load(tmp_path / "saved")
    assert_equal_outputs(loaded, tf.function(model))
    wide = np.concatenate([random_clips(model, 3, 64)] * 2, axis=3)  # 64 x 128
    outputs = loaded.signatures["serving_default"](tf.constant(wide))
    assert outputs["embedding"].shape == (3, 8)
    np.testing.assert_allclose(outputs["conv5"], model(wide)["conv5"], rtol=1e-5)
    again = keras.models.load_model(tmp_path / "saved")
    assert_same(again, model)
    assert_equal_outputs(again, model)


def test_the_input_of_a_saved_model_is_that_of_the_network():
    model = build({"name": "trn", "input": "both"})
    assert model.save_spec()[0][0].shape.as_list() == [None, 4, None, None, 5]


def test_names_in_checkpoints_are_those_of_earlier_versions(tmp_path):
    model = build({"name": "single"})
    path = tf.train.Checkpoint(model=model).save(tmp_path / "step")
    stored = tf.train.load_checkpoint(path).get_variable_to_shape_map()
    names = {name.partition("/.ATTRIBUTES")[0] for name in stored}
    names -= {"save_counter", "_CHECKPOINTABLE_OBJECT_GRAPH"}
    assert len(names) == len(model.variables)
    assert "model/backbone/stages/0/0/norm1/moving_mean" in names
    assert "model/backbone/stages/3/1/conv2/kernel" in names
    assert {name.split("/")[2] for name in names} == {
        *("stem", "stages", "final_norm", "dense")
    }


def test_the_config_is_the_arguments_of_build():
    config = build({"name": "trn", "num_classes": 3}).get_config()
    assert models.build(**config).get_config() == config
    assert (config["name"], config["num_filters"], config["num_classes"]) == (
        *("trn", 2, 3),
    )


def test_a_network_of_another_version_is_refused_in_one_line(tmp_path):
    model = build({"name": "single"})
    model.build_arguments["num_heads"] = 2
    model.save(tmp_path / "model.keras")
    with pytest.raises(UserError, match="another version.*'num_heads'") as error:
        keras.models.load_model(tmp_path / "model.keras")
    assert "\n" not in str(error.value)


def test_a_stream_has_no_config_of_its_own():
    with pytest.raises(NotImplementedError, match="static"):
        build({"name": "two_stream_s"}).static_stream.get_config()


def test_a_classifier_is_fitted_and_saved_with_its_optimizer(tmp_path):
    model = build({"name": "slow", "num_classes": 2})
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss={"logits": loss}, metrics={"logits": "accuracy"})
    clips, labels = random_clips(model, 4), {"logits": np.array([0, 1, 0, 1])}
    model.fit(clips, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == 1
    assert loaded.evaluate(clips, labels, verbose=0) == model.evaluate(
        clips, labels, verbose=0
    )


def test_a_frozen_network_within_a_functional_model_keeps_its_weights(tmp_path):
    network = build({"name": "slow"})
    network.trainable = False
    before = network.get_weights()
    clips = keras.Input([4, None, None, 3], dtype="uint8")
    logits = keras.layers.Dense(2)(network(clips)["pooled"])
    model = keras.Model(clips, logits)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    model.fit(random_clips(network, 4), np.array([0, 1, 0, 1]), verbose=0)
    assert len(model.trainable_variables) == 2
    for mine, other in zip(network.get_weights(), before):
        np.testing.assert_array_equal(mine, other)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded(random_clips(network)), model(random_clips(network))
    )


def test_the_summary_counts_the_parameters():
    lines = []
    model = build({"name": "two_stream_s"})
    model.summary(print_fn=lines.append)
    total = sum(int(np.prod(variable.shape)) for variable in model.variables)
    assert f"Total params: {total}" in "\n".join(lines)
