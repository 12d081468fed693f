"""A step of training against the authors' numbers, given their embeddings.

The networks that make the embeddings, and the L2 term, are in `test_parity`.
"""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from deterministic_weights import value_of
from run_fixtures import la_state, make_step, run_config

from vie_tf.keras import keras
from vie_tf.objectives.bank.memory_bank import MemoryBank

PARITY = json.loads(
    (pathlib.Path(__file__).parents[1] / "fixtures/parity/parity.json").read_text()
)
NUM_VIDEOS = 1000
LOSS = {"ir_num_negatives": 64, "la_num_background": 64, "la_num_clusterings": 2}
CONFIG = run_config("data", loss={"weight_decay": 0.0, **LOSS}, learning_rate=0.0)


class GivenEmbeddings(keras.Model):
    """Stands in for a network: its embeddings are its only variable."""

    def __init__(self, embeddings):
        super().__init__()
        self.embeddings = tf.Variable(embeddings)

    def call(self, clips, training=False):
        return {"embedding": self.embeddings}


def state_of(expected):
    """The authors' memory bank and cluster labels, before the step."""
    model = GivenEmbeddings(expected["embedding_training"])
    state = la_state(model, MemoryBank(np.zeros(NUM_VIDEOS)), CONFIG)
    state.bank.rows.assign(value_of("instance/memory_bank", [NUM_VIDEOS, 128]))
    clusters = value_of("instance/cluster_labels", [2, NUM_VIDEOS])
    state.objective.cluster_labels.assign(clusters)
    return state


@dataclasses.dataclass
class Step:
    """What a step has computed, and what it should have."""

    scalars: dict
    rows: np.ndarray
    expected: dict


def take_step(name, loss):
    expected = PARITY[name]
    state = state_of(expected)
    # The authors' negatives, which ours are not drawn as.
    noise_rows = tf.constant(expected["noise_rows"])
    state.objective.first.negatives = lambda step: noise_rows
    step = make_step(CONFIG, state, loss)
    scalars = step({"clips": tf.zeros([4]), "rows": tf.constant(expected["rows"])})
    scalars = {name: float(value) for name, value in scalars.items()}
    return Step(scalars, state.bank.rows.numpy(), expected)


@pytest.fixture(name="ir_step", scope="module", params=PARITY)
def fixture_ir_step(request):
    return take_step(request.param, "ir")


@pytest.fixture(name="la_step", scope="module", params=PARITY)
def fixture_la_step(request):
    return take_step(request.param, "la")


def check_rows(step):
    written, old = step.expected["rows"], value_of("instance/memory_bank", [1000, 128])
    wanted = step.expected["new_rows"]
    np.testing.assert_allclose(step.rows[written], wanted, rtol=1e-5, atol=1e-7)
    others = np.setdiff1d(np.arange(NUM_VIDEOS), written)
    np.testing.assert_array_equal(step.rows[others], old[others])


def test_the_ir_loss_and_its_terms_are_the_authors(ir_step):
    scalars, expected = ir_step.scalars, ir_step.expected
    assert scalars["loss"] == pytest.approx(expected["loss"]["IR"], rel=1e-5)
    data_term, noise_term = expected["ir_terms"]
    assert scalars["loss_data"] == pytest.approx(data_term, rel=1e-5)
    assert scalars["loss_noise"] == pytest.approx(noise_term, rel=1e-5)


def test_the_la_loss_is_the_authors(la_step):
    wanted = la_step.expected["loss"]["LA"]
    assert la_step.scalars["loss"] == pytest.approx(wanted, rel=1e-5)


def test_the_rows_that_ir_writes_are_the_authors(ir_step):
    check_rows(ir_step)


def test_the_rows_that_la_writes_are_the_authors(la_step):
    check_rows(la_step)
