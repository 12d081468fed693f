"""Forty steps of training against those of the authors' TF1 graph.

24 steps of IR and then 16 of LA, at a rate of 1e-6: at the paper's rate rounding grows
about tenfold in each step.  Numbers and tolerances are those of `trajectory.json`; the
inputs are made by `trajectory_inputs`.
"""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
import trajectory_inputs as inputs
from run_fixtures import la_state, make_step, run_config

from vie_tf import models
from vie_tf.objectives.bank.memory_bank import MemoryBank

TRAJECTORIES = json.loads(
    (pathlib.Path(__file__).parents[1] / "fixtures" / "trajectory.json").read_text()
)
SETTINGS = TRAJECTORIES["settings"]
# Where two neighbors are equally far, rounding decides which one is taken.
NUM_TIED, TIED = 2, 5e-2


@dataclasses.dataclass
class Trajectory:
    """What our steps came to, beside the authors'.

    Attributes:
      losses: losses and their terms of every step.
      banks: bank times the projection after IR and after LA, [N, 3] each.
      weights: norms of value, way from the start, and momentum, by TF1 name.
      moving_statistics: norms by TF1 name.
      expected: the same of the authors' graph.
    """

    losses: list[dict[str, float]]
    banks: list[np.ndarray]
    weights: dict[str, list[float]]
    moving_statistics: dict[str, float]
    expected: dict


def first_state(name, config):
    """The state before the first step, and its variables by TF1 name."""
    model = models.build(name)
    variables = models.tf1_names(model)
    for known, variable in variables.items():
        variable.assign(inputs.value_of(known, list(variable.shape)))
    labels = np.zeros(inputs.NUM_VIDEOS)
    state = la_state(model, MemoryBank(labels), config)
    bank = inputs.value_of("instance/memory_bank", [inputs.NUM_VIDEOS, 128])
    state.bank.rows.assign(bank)
    state.objective.cluster_labels.assign(inputs.cluster_labels())
    return state, variables


@pytest.fixture(name="trajectory", scope="module", params=TRAJECTORIES["families"])
def fixture_trajectory(request):
    name = request.param
    expected = TRAJECTORIES["families"][name]["slow_rate"]
    loss = {
        "ir_num_negatives": SETTINGS["negatives"],
        "la_num_background": SETTINGS["background"],
        "la_num_clusterings": len(SETTINGS["clusters"]),
        "la_num_clusters": max(SETTINGS["clusters"]),
        "weight_decay": SETTINGS["weight_decay"],
    }
    rate = expected["learning_rate"]
    config = run_config(
        "data", loss=loss, batch_size=inputs.BATCH_SIZE, learning_rate=rate
    )
    state, variables = first_state(name, config)
    start = {known: variable.numpy() for known, variable in variables.items()}
    noise = tf.Variable(tf.zeros([inputs.BATCH_SIZE, SETTINGS["negatives"]], tf.int32))
    # The authors' negatives, which ours are not drawn as.
    state.objective.first.negatives = lambda step: noise
    steps = {loss: make_step(config, state, loss) for loss in ("ir", "la")}
    num_ir, num_la = expected["ir_steps"], expected["la_steps"]
    losses, banks = [], []
    for step, videos in enumerate(inputs.rows(num_ir + num_la)):
        noise.assign(inputs.negatives(step, SETTINGS["negatives"]))
        clips = inputs.clips(videos, step, inputs.NUM_FRAMES[name])
        batch = {"clips": tf.constant(clips), "rows": tf.constant(videos)}
        scalars = steps["ir" if step < num_ir else "la"](batch)
        losses.append({key: float(value) for key, value in scalars.items()})
        if step + 1 in (num_ir, num_ir + num_la):
            banks.append(state.bank.rows.numpy() @ inputs.projection())
    trained = state.model.trainable_variables
    momentum = {v.ref(): a for v, a in zip(trained, state.optimizer.accumulators)}
    norm = np.linalg.norm
    return Trajectory(
        losses=losses,
        banks=banks,
        weights={
            known: [norm(v), norm(v - start[known]), norm(momentum[v.ref()])]
            for known, v in variables.items()
            if v.ref() in momentum
        },
        moving_statistics={n: norm(v) for n, v in variables.items() if "moving" in n},
        expected=expected,
    )


def differences(trajectory, key, steps):
    """Differences of a loss or a term of it in these steps, in units of the loss."""
    pairs = zip(trajectory.losses[steps], trajectory.expected["steps"][steps])
    found = [abs(our[key] - their[key]) / their["loss"] for our, their in pairs]
    return np.array(found)


@pytest.mark.parametrize(
    ("key", "limit"), [("loss", 1e-6), ("loss_data", 3e-6), ("loss_noise", 3e-6)]
)
def test_the_losses_of_24_ir_steps_are_the_authors(trajectory, key, limit):
    # Rounding in one term is in part made up for by the other.
    steps = slice(0, trajectory.expected["ir_steps"])
    assert differences(trajectory, key, steps).max() < limit


def test_the_losses_of_16_la_steps_are_the_authors(trajectory):
    steps = slice(trajectory.expected["ir_steps"], None)
    found = np.sort(differences(trajectory, "loss", steps))
    assert len(found) == 16
    assert found[:-NUM_TIED].max() < 4e-5
    assert found.max() < TIED


@pytest.mark.parametrize(
    ("number", "key"), [(0, "bank_after_ir"), (1, "bank_after_la")]
)
def test_the_memory_bank_is_the_authors(trajectory, number, key):
    wanted = np.array(trajectory.expected[key])
    assert np.abs(trajectory.banks[number] - wanted).max() < 1e-3


def test_the_weights_went_the_authors_way(trajectory):
    assert trajectory.weights.keys() == trajectory.expected["weights"].keys()
    for name, (size, way, momentum) in trajectory.weights.items():
        theirs = trajectory.expected["weights"][name]
        assert size == pytest.approx(theirs[0], rel=1e-5), name
        assert way == pytest.approx(theirs[1], rel=1e-2), name
        assert momentum == pytest.approx(theirs[2], rel=2e-2), name


def test_the_moving_statistics_are_the_authors(trajectory):
    wanted = trajectory.expected["moving_statistics"]
    assert trajectory.moving_statistics.keys() == wanted.keys()
    for name, size in trajectory.moving_statistics.items():
        assert size == pytest.approx(wanted[name], rel=1e-4), name
