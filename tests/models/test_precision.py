"""Mixed precision: what stays in float32, and how far results move."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import GridEmbedder, la_state, make_step, run_config, unit_rows

from vie_tf import models
from vie_tf.keras import keras
from vie_tf.models.from_config import build_model
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.training import train as training

NUM_VIDEOS = 10
# Largest difference of an embedding from float32's, which has unit norm: about ten
# times the rounding error of one number (2^-8 and 2^-11).
BOUNDS = {"mixed_bfloat16": 0.04, "mixed_float16": 0.005}


def toy(name, precision="float32"):
    keras.utils.set_random_seed(0)
    return models.build(name, num_filters=8, precision=precision)


def random_clips(num_frames, batch_size=2, size=64):
    shape = (batch_size, num_frames, size, size, 3)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("name", ["trn", "slowfast", "3dresnet", "two_stream_s"])
def test_embeddings_are_float32_and_close_to_those_of_float32(name, precision):
    exact, mixed = toy(name), toy(name, precision)
    clips = random_clips(exact.num_frames)
    endpoints = mixed(clips)
    assert endpoints["conv5"].dtype == precision[len("mixed_") :]
    assert endpoints["pooled"].dtype == endpoints["embedding"].dtype == tf.float32
    assert mixed(clips, training=True)["embedding"].dtype == tf.float32
    assert {variable.dtype for variable in mixed.variables} == {tf.float32}
    difference = endpoints["embedding"] - exact(clips)["embedding"]
    assert 0 < np.linalg.norm(difference, axis=1).max() < BOUNDS[precision]


def test_the_precision_of_one_network_is_not_that_of_the_next():
    toy("single", "mixed_bfloat16")
    assert keras.mixed_precision.global_policy().name == "float32"
    assert toy("single")(random_clips(1))["conv5"].dtype == tf.float32


def test_an_unknown_precision_is_refused():
    with pytest.raises(UserError, match="precision.*int8"):
        models.build("single", precision="int8")


LAYER_CASES = [
    (frames, kernel) for kernel in (3, 5, 7) for frames in range(1, kernel + 1)
]
FAMILY_CASES = [
    *(("3dresnet", frames) for frames in (2, 4, 8, 16)),
    *(("slow", frames) for frames in (2, 3)),
    *(("slowfast", 8), ("trn", 4), ("single", 1)),
]


@pytest.fixture(name="bfloat16_errors", scope="module")
def fixture_bfloat16_errors():
    """Relative errors of gradients of kernels in bfloat16, by case."""
    cases = [*LAYER_CASES, *FAMILY_CASES]
    script = pathlib.Path(__file__).parents[1] / "fixtures/bfloat16_gradients.py"
    ended = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(script.parents[2])},
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return dict(zip(cases, json.loads(ended.stdout.splitlines()[-1])))


@pytest.mark.parametrize("case", LAYER_CASES)
def test_a_short_clip_has_the_gradients_of_float32_in_bfloat16(bfloat16_errors, case):
    # Rounding to 8 bits is an error of up to 2^-8; TensorFlow's own gradient is off by
    # 0.8 or more, or NaN, where 1 < T < frames of the kernel.
    assert bfloat16_errors[case]["kernel"] < 0.03


@pytest.mark.parametrize("case", FAMILY_CASES)
def test_every_kernel_of_a_family_learns_in_bfloat16(bfloat16_errors, case):
    # ReLUs decide differently within rounding, which makes up to 0.3 in small networks.
    worst = max(bfloat16_errors[case].items(), key=lambda item: item[1])
    assert worst[1] < 0.45, worst


# ------------------------------------------------------------ float16: scaled losses


def grid_step(scales_loss, clips, scale=None):
    """Weights before and after a step of `GridEmbedder`."""
    config = run_config("data", learning_rate=0.1)
    bank = MemoryBank(np.zeros(NUM_VIDEOS), 16)
    state = la_state(GridEmbedder(), bank, config, scales_loss=scales_loss)
    state.bank.rows.assign(unit_rows(NUM_VIDEOS))
    if scale:
        state.loss_scaler._loss_scale._current_loss_scale.assign(scale)
    before = state.model.dense.kernel.numpy()
    step = make_step(config, state, "ir")
    scalars = step({"clips": tf.constant(clips), "rows": tf.constant([3, 7, 0, 9])})
    return state, before, float(scalars["loss"])


def test_scaling_the_loss_changes_neither_the_step_nor_what_is_reported():
    clips = random_clips(2, 4, 32)
    plain, _, loss = grid_step(False, clips)
    scaled, _, scaled_loss = grid_step(True, clips)
    assert float(scaled.loss_scaler.loss_scale) == 2**15
    np.testing.assert_allclose(
        scaled.model.dense.kernel, plain.model.dense.kernel, rtol=1e-5, atol=1e-7
    )
    assert scaled_loss == pytest.approx(loss, rel=1e-6)
    np.testing.assert_array_equal(scaled.bank.rows, plain.bank.rows)


def test_a_gradient_that_overflows_is_left_out_and_the_scale_halved():
    state, before, loss = grid_step(True, random_clips(2, 4, 32), scale=3e38)
    assert np.isfinite(loss)
    np.testing.assert_array_equal(state.model.dense.kernel, before)
    assert float(state.loss_scaler.loss_scale) == pytest.approx(1.5e38, rel=1e-3)


# ---------------------------------------------------------------------- whole runs


def test_a_float16_run_goes_on_with_the_same_bits(data_dir, tmp_path, toy_runs):
    model = {"precision": "mixed_float16"}
    training.train(run_config(data_dir, tmp_path / "whole", model=model, train_steps=3))
    for train_steps in (2, 3):
        training.train(
            run_config(
                data_dir, tmp_path / "parts", model=model, train_steps=train_steps
            )
        )
    weights = []
    for name in ("whole", "parts"):
        config, _ = RunDirectory(str(tmp_path / name)).load_config()
        network = build_model(config.model, seed=99)
        assert (
            RunDirectory(str(tmp_path / name)).checkpoint().restore_model(network) == 3
        )
        weights.append(network.get_weights())
    for whole, parts in zip(*weights):
        np.testing.assert_array_equal(whole, parts)


def test_a_float16_run_starts_from_one_of_float32(data_dir, tmp_path, toy_runs):
    training.train(run_config(data_dir, tmp_path / "exact", train_steps=1))
    settings = {"init_from": str(tmp_path / "exact"), "train_steps": 2}
    half = {"precision": "mixed_float16"}
    training.train(run_config(data_dir, tmp_path / "half", model=half, **settings))
    assert RunDirectory(str(tmp_path / "half")).latest().endswith("step-2")


def test_the_precision_of_a_run_cannot_change(data_dir, tmp_path, toy_runs):
    training.train(run_config(data_dir, tmp_path, train_steps=1))
    half = {"precision": "mixed_float16"}
    with pytest.raises(ValueError, match="--precision"):
        training.train(run_config(data_dir, tmp_path, model=half, train_steps=2))
