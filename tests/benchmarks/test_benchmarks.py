"""That `benchmarks.train_step` compares like with like."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from deterministic_weights import value_of

from benchmarks import train_step
from benchmarks.peers import keras_model, keras_step, step_table, vie_tf_step
from benchmarks.peers.measurement import Case
from vie_tf import models
from vie_tf.keras import keras

# Frames of the clip, pixels, parameters.  At 64 pixels batch norm has at least eight
# numbers a channel to normalize; with two (3dresnet at 32) it magnifies rounding.
PEERS = {
    "single": (1, 64, 11_244_480),
    "trn": (4, 64, 11_441_088),
    "slow": (4, 64, 20_091_840),
    "slowfast": (16, 64, 21_678_280),
    "3dresnet": (16, 64, 33_271_872),
}
KINDS = {
    "conv": ("kernel",),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "dense": ("kernel", "bias"),
}


def small_case(model: str, **settings: object) -> Case:
    num_frames, crop_size, _ = PEERS[model]
    facts = {"precision": "float32", "batch_size": 4, "repeats": 1, "num_threads": 2}
    facts.update(num_frames=num_frames, crop_size=crop_size)
    facts.update(num_videos=60, background=9)
    return Case(model, **{**facts, **settings})


def our_model(name: str) -> keras.Model:
    """Ours, with values in all variables that leave no layer without effect."""
    model = models.build(name)
    for key, variable in models.tf1_names(model).items():
        variable.assign(value_of(key, list(variable.shape)))
    return model


def variables_of(model: keras.Model, kind: str, leaf: str) -> list[tf.Variable]:
    """Ours of one kind, in the order of the authors' layers."""
    return [
        variable
        for name, variable in models.tf1_names(model).items()
        if f"/{kind}" in name and name.endswith(f"/{leaf}")
    ]


def number_of(layer: keras.layers.Layer) -> int:
    """Keras numbers the layers of a kind in the order in which they are made."""
    number = layer.name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def copy_to_keras(ours: keras.Model, peer: keras.Model) -> None:
    for kind, leaves in KINDS.items():
        layers = {id(m): m for m in peer.submodules if m.name.startswith(kind)}
        in_order = sorted(layers.values(), key=number_of)
        for leaf in leaves:
            sources = variables_of(ours, kind, leaf)
            assert len(in_order) == len(sources)
            for layer, source in zip(in_order, sources):
                getattr(layer, leaf).assign(source)


def close(ours: object, theirs: object) -> None:
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize("name", PEERS)
def test_keras_peer_computes_what_our_network_does(name: str) -> None:
    num_frames, crop_size, num_parameters = PEERS[name]
    ours = our_model(name)
    peer = keras_model.build(name, num_frames, crop_size)
    trained = sum(int(np.prod(v.shape)) for v in peer.trainable_variables)
    assert trained == num_parameters
    copy_to_keras(ours, peer)
    clips = small_case(name, batch_size=2).clips()
    close(ours(clips)["embedding"], peer(clips))
    close(ours(clips, training=True)["embedding"], peer(clips, training=True))


def test_keras_peer_takes_our_training_step() -> None:
    case = small_case("single")
    state, our_step = vie_tf_step.make_step(case)
    peer = keras_model.build("single", 1, 64)
    copy_to_keras(state.model, peer)
    their_step = keras_step.make_step(case, peer)
    # From the second step on the loss depends on the first one's weights and bank,
    # from the third on on momentum.
    ours = [our_step()["loss"] for _ in range(4)]
    theirs = [their_step() for _ in range(4)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    # So the comparison is one of steps that did something.
    assert ours[3] < ours[2] < 0.8 * ours[1]


def copy_to_torch(ours: keras.Model, peer: Any) -> None:
    """Copies in the order of the authors' layers, which is that of PyTorch's too.

    But slowfast's lateral convolutions come where they are used there, last here.
    """
    modules = {
        "conv": [m for m in peer.modules() if type(m).__name__.startswith("Conv")],
        "batch_normalization": [
            m for m in peer.modules() if type(m).__name__.startswith("BatchNorm")
        ],
        "dense": [peer.head],
    }
    if hasattr(peer.backbone, "laterals"):
        convs, laterals = modules["conv"], list(peer.backbone.laterals)
        of_pathways = convs[: -len(laterals)]
        num_fast, per_stage = len(of_pathways) // 2, 5
        in_order = of_pathways[: num_fast + 1]  # all of fast, and the slow stem
        for stage, lateral in enumerate(laterals):
            first = num_fast + 1 + per_stage * stage
            in_order += [lateral, *of_pathways[first : first + per_stage]]
        modules["conv"] = in_order
    torch_names = {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
        "kernel": "weight",
        "bias": "bias",
    }
    for kind, leaves in KINDS.items():
        for leaf in leaves:
            sources = variables_of(ours, kind, leaf)
            assert len(sources) == len(modules[kind])
            for module, source in zip(modules[kind], sources):
                # [(T,) H, W, in, out] to [out, in, (T,) H, W]
                last = source.shape.rank - 1
                axes = [last, last - 1, *range(last - 1)] if last else [0]
                value = np.transpose(source.numpy(), axes).copy()
                target = getattr(module, torch_names[leaf]).data
                assert target.shape == value.shape
                target.copy_(target.new_tensor(value))


@pytest.mark.parametrize("name", PEERS)
def test_torch_peer_computes_what_our_network_does(name: str) -> None:
    torch = pytest.importorskip("torch")
    from benchmarks.peers import torch_model

    ours, peer = our_model(name), torch_model.Embedder(name)
    copy_to_torch(ours, peer)
    torch_model.put_channels_last(peer)
    clips = small_case(name, batch_size=2).clips()
    with torch.no_grad():
        inference = peer.eval()(torch.from_numpy(clips))
        training = peer.train()(torch.from_numpy(clips))
    close(ours(clips)["embedding"], inference)
    close(ours(clips, training=True)["embedding"], training)


def test_torch_peer_takes_our_training_step() -> None:
    pytest.importorskip("torch")
    from benchmarks.peers import torch_model, torch_step

    case = small_case("single")
    state, our_step = vie_tf_step.make_step(case)
    peer = torch_model.Embedder("single")
    copy_to_torch(state.model, peer)
    their_step = torch_step.make_step(case, peer)
    scalars = [our_step() for _ in range(4)]
    ours = [step["loss"] - step["weight_decay"] for step in scalars]
    np.testing.assert_allclose(ours, [their_step() for _ in range(4)], rtol=1e-3)


def turns_of(*seconds: tuple[float, float]) -> step_table.Turns:
    return [{"forward_seconds": f, "step_seconds": s} for f, s in seconds]


def test_codes_are_compared_turn_by_turn() -> None:
    # The medians alone would say 1.5: 3 s to 2 s.  Most turns say 1.
    ours = turns_of((1.0, 1.0), (2.0, 2.0), (6.0, 6.0))
    peer = turns_of((3.0, 3.0), (2.0, 2.0), (6.0, 6.0))
    assert step_table.ratios(peer, ours).split() == ["1.00", "1.00"]


def test_a_row_has_the_median_of_its_turns() -> None:
    case = small_case("single", batch_size=2)
    turns = turns_of((0.1, 1.0), (0.5, 9.0), (4.0, 2.0))
    assert step_table.row(case, turns, 10**9, 1e9).split()[1:4] == [
        "4.00",
        "1.00",
        "2.00",
    ]


def test_a_row_counts_three_passes_of_the_batch() -> None:
    turns = turns_of((0.5, 3.0))
    # 2 clips of 6 G operations in 3 s are 4 GFLOP/s, half of 8.
    line = step_table.row(small_case("single", batch_size=2), turns, 6 * 10**9, 8e9)
    assert line.split() == ["2", "4.00", "0.67", "3.00", "4.0", "50%"]


def test_a_code_that_cannot_do_a_case_says_why_in_one_line() -> None:
    # No torch here, or no such network in the peer.
    case = dataclasses.replace(small_case("single"), model="two_stream_s")
    with pytest.raises(train_step.MeasurementFailed, match="torch") as failure:
        train_step.measure(case, "torch", sys.executable, 60)
    assert "Error: " in str(failure.value) and "\n" not in str(failure.value)
