"""A step of training against the authors' numbers, given their embeddings.

The networks that make the embeddings, and the L2 term, are in `test_parity`.
"""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from deterministic_weights import value_of
from run_fixtures import run_config

from vie_tf import train_step
from vie_tf.checkpoints import TrainState
from vie_tf.memory_bank import MemoryBank
from vie_tf.schedules import Momentum

PARITY = json.loads(
    pathlib.Path(__file__).with_name("parity").joinpath("parity.json").read_text()
)
NUM_VIDEOS = 1000
LOSS = {"ir_num_negatives": 64, "la_num_background": 64, "la_num_clusterings": 2}


class GivenEmbeddings(tf.keras.Model):
    """Stands in for a network: its embeddings are its only variable."""

    def __init__(self, embeddings):
        super().__init__()
        self.embeddings = tf.Variable(embeddings)

    def call(self, clips, training=False):
        return {"embedding": self.embeddings}


def state_of(expected):
    """The authors' memory bank and cluster labels, before the step."""
    state = TrainState(
        model=GivenEmbeddings(expected["embedding_training"]),
        optimizer=Momentum(0.0, 0.9),
        bank=MemoryBank(np.zeros(NUM_VIDEOS)),
        num_clusterings=2,
    )
    state.bank.rows.assign(value_of("instance/memory_bank", [NUM_VIDEOS, 128]))
    state.cluster_labels.assign(value_of("instance/cluster_labels", [2, NUM_VIDEOS]))
    return state


@pytest.fixture(name="expected", params=PARITY)
def fixture_expected(request):
    return PARITY[request.param]


@pytest.fixture(name="take_step")
def fixture_take_step(expected, monkeypatch):
    """A function that takes a step of IR or LA and returns scalars and the state."""
    # The authors' negatives, which ours are not drawn as.
    noise_rows = tf.constant(expected["noise_rows"])
    monkeypatch.setattr(train_step, "draw_negatives", lambda config, state: noise_rows)

    def take_step(loss):
        config = run_config("data", loss={"weight_decay": 0.0, **LOSS})
        strategy = tf.distribute.get_strategy()
        state = state_of(expected)
        step = train_step.make_train_step(config, state, strategy, loss)
        batch = {"clips": tf.zeros([4]), "rows": tf.constant(expected["rows"])}
        return {name: float(value) for name, value in step(batch).items()}, state

    return take_step


def test_the_ir_loss_and_its_terms_are_the_authors(expected, take_step):
    scalars, _ = take_step("ir")
    assert scalars["loss"] == pytest.approx(expected["loss"]["IR"], rel=1e-5)
    data_term, noise_term = expected["ir_terms"]
    assert scalars["loss_data"] == pytest.approx(data_term, rel=1e-5)
    assert scalars["loss_noise"] == pytest.approx(noise_term, rel=1e-5)


def test_the_la_loss_is_the_authors(expected, take_step):
    scalars, _ = take_step("la")
    assert scalars["loss"] == pytest.approx(expected["loss"]["LA"], rel=1e-5)


@pytest.mark.parametrize("loss", ["ir", "la"])
def test_the_new_rows_of_the_bank_are_the_authors(expected, take_step, loss):
    _, state = take_step(loss)
    rows, old = state.bank.rows.numpy(), value_of("instance/memory_bank", [1000, 128])
    np.testing.assert_allclose(
        rows[expected["rows"]], expected["new_rows"], rtol=1e-5, atol=1e-7
    )
    others = np.setdiff1d(np.arange(NUM_VIDEOS), expected["rows"])
    np.testing.assert_array_equal(rows[others], old[others])
