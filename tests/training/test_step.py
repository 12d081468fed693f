"""One step against its slow twin in plain numpy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import (
    BATCH_SIZE,
    DIM,
    GridEmbedder,
    grid_state,
    la_state,
    make_step,
    random_clips,
    run_config,
    unit_rows,
)

from vie_tf.models.layers import BatchNormRelu
from vie_tf.objectives import losses
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.training import step as train_step

NUM_VIDEOS = 10  # so an epoch has three steps of BATCH_SIZE
ROWS = np.array([3, 7, 0, 9])
NOISE_ROWS = np.array([[1, 2, 3], [0, 0, 5], [9, 8, 7], [4, 6, 2]])
CLUSTERS = np.array([[0, 0, 0, 1, 1, 1, 2, 2, 2, 1], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]])
RATE, DECAY, TEMPERATURE = 0.1, 0.01, 0.07


def slow_ir(embeddings, bank):
    """Loops over videos and their negatives."""
    partition, density = losses.IMAGENET_NORMALIZER * NUM_VIDEOS, 3 / NUM_VIDEOS
    values = []
    for embedding, row, noise_rows in zip(embeddings, ROWS, NOISE_ROWS):
        own = tf.exp(tf.tensordot(embedding, bank[row], 1) / TEMPERATURE) / partition
        value = -tf.math.log(own / (own + density + 1e-7))
        for noise_row in noise_rows:
            other = tf.tensordot(embedding, bank[noise_row], 1) / TEMPERATURE
            noise = tf.exp(other) / partition
            value -= tf.math.log(density / (noise + density + 1e-7))
        values.append(value)
    return tf.add_n(values) / BATCH_SIZE


def slow_la(embeddings, bank):
    """Loops over videos and their five background neighbors."""
    values = []
    for embedding, row in zip(embeddings, ROWS):
        nearest = np.argsort(-(bank @ embedding.numpy()))[:5]
        close, background = 0.0, 0.0
        for other in nearest:
            density = tf.exp(tf.tensordot(embedding, bank[other], 1) / TEMPERATURE)
            background += density
            if np.any(CLUSTERS[:, other] == CLUSTERS[:, row]):
                close += density
        values.append(-tf.math.log(close / background + 1e-7))
    return tf.add_n(values) / BATCH_SIZE


TWINS = {"ir": slow_ir, "la": slow_la}


class Step:
    """One step of `GridEmbedder`, and what its slow twin says it should do."""

    def __init__(self, loss):
        config = run_config(
            "data", loss={"weight_decay": DECAY}, learning_rate=RATE, momentum=0.9
        )
        strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
        with strategy.scope():
            state = grid_state(np.zeros(NUM_VIDEOS), num_clusterings=2)
        state.objective.first.negatives = lambda step: tf.constant(NOISE_ROWS)
        self.old_bank = unit_rows(NUM_VIDEOS)
        state.bank.rows.assign(self.old_bank)
        state.objective.cluster_labels.assign(CLUSTERS)
        clips, weights = random_clips(), state.model.trainable_variables
        with tf.GradientTape() as tape:
            embeddings = state.model(clips)["embedding"]
            decay = DECAY * sum(tf.reduce_sum(weight**2) / 2 for weight in weights)
            total = TWINS[loss](embeddings, self.old_bank) + decay
        gradients = tape.gradient(total, weights)
        self.embeddings, self.wanted_loss = embeddings.numpy(), float(total)
        self.wanted_weights = [
            (w - RATE * g).numpy() for w, g in zip(weights, gradients)
        ]
        step = make_step(config, state, loss, strategy)
        batch = {"clips": tf.constant(clips), "rows": tf.constant(ROWS)}
        self.scalars = {name: float(value) for name, value in step(batch).items()}
        self.state = state


@pytest.fixture(name="step", scope="module", params=["ir", "la"])
def fixture_step(request):
    return Step(request.param)


def test_the_loss_equals_its_slow_twin_on_the_old_rows(step):
    assert step.scalars["loss"] == pytest.approx(step.wanted_loss, rel=1e-5)


def test_the_weights_move_against_the_gradient_of_the_slow_twin(step):
    for actual, wanted in zip(step.state.model.variables, step.wanted_weights):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-6)


def test_the_new_rows_lie_between_the_old_ones_and_the_embeddings(step):
    wanted = step.old_bank.copy()
    wanted[ROWS] = 0.5 * wanted[ROWS] + 0.5 * step.embeddings
    wanted[ROWS] /= np.linalg.norm(wanted[ROWS], axis=1, keepdims=True)
    np.testing.assert_allclose(step.state.bank.rows, wanted, rtol=1e-5, atol=1e-6)


def test_similarities_are_those_of_the_old_rows(step):
    own = np.sum(step.embeddings * step.old_bank[ROWS], axis=1).mean()
    assert step.scalars["similarity_to_own_row"] == pytest.approx(own, rel=1e-4)


def test_embeddings_are_compared_with_those_of_the_other_videos(step):
    pairs = itertools.combinations(step.embeddings, 2)
    between = np.mean([left @ right for left, right in pairs])
    assert step.scalars["similarity_between_videos"] == pytest.approx(between, rel=1e-4)


def test_the_standard_deviation_is_that_of_a_dimension_of_the_batch(step):
    wanted = np.sqrt(step.embeddings.var(axis=0).mean())
    assert step.scalars["embedding_std"] == pytest.approx(wanted, rel=1e-3)


def test_embeddings_that_are_spread_evenly_have_the_largest_standard_deviation():
    rows = unit_rows(5000)
    spread = train_step.spread_of_embeddings(rows.sum(axis=0), len(rows))
    assert float(spread["similarity_between_videos"]) == pytest.approx(0.0, abs=1e-3)
    assert float(spread["embedding_std"]) == pytest.approx(DIM**-0.5, rel=1e-3)


def test_embeddings_on_one_point_have_similarity_one_and_no_deviation():
    one_point = tf.math.l2_normalize(tf.range(1.0, DIM + 1.0))
    spread = train_step.spread_of_embeddings(128 * one_point, 128)
    assert float(spread["similarity_between_videos"]) == pytest.approx(1.0, rel=1e-6)
    assert float(spread["embedding_std"]) == pytest.approx(0.0, abs=1e-3)


def test_a_batch_of_one_video_has_no_other_to_be_compared_with():
    state = grid_state(np.zeros(NUM_VIDEOS))
    config = run_config("data", batch_size=1)
    step = make_step(config, state, "ir")
    batch = {"clips": tf.constant(random_clips(1)), "rows": tf.constant(ROWS[:1])}
    scalars = step(batch)
    assert "similarity_to_own_row" in scalars
    assert not {"similarity_between_videos", "embedding_std"} & set(scalars)


def test_a_step_counts_itself(step):
    assert step.state.steps_taken() == 1
    assert step.scalars["learning_rate"] == pytest.approx(RATE)


def test_the_weights_outlive_a_loss_that_is_not_finite():
    state = grid_state(np.zeros(NUM_VIDEOS))
    state.bank.rows.assign(np.full([NUM_VIDEOS, 16], np.nan, np.float32))
    kernel = state.model.dense.kernel.numpy()
    step = make_step(run_config("data"), state, "ir")
    batch = {"clips": tf.constant(random_clips()), "rows": tf.constant(ROWS)}
    with pytest.raises(tf.errors.InvalidArgumentError, match="loss : Tensor had NaN"):
        step(batch)
    np.testing.assert_array_equal(state.model.dense.kernel, kernel)


class WithUnusedNorm(GridEmbedder):
    """A network whose first variables do not change its embeddings."""

    def __init__(self):
        super().__init__()
        used = self.dense
        self.dense = self.norm = None
        self.norm = BatchNormRelu()
        self.norm.build(tf.TensorShape([None, 4]))
        self.dense = used


def test_variables_that_nothing_reads_leave_the_momentum_of_others_alone():
    kernels = []
    for model in (GridEmbedder(), WithUnusedNorm()):
        config = run_config("data", learning_rate=RATE)
        state = la_state(model, MemoryBank(np.zeros(NUM_VIDEOS), DIM), config)
        step = make_step(config, state, "ir")
        for _ in range(3):
            step({"clips": tf.constant(random_clips()), "rows": tf.constant(ROWS)})
        kernels.append(model.dense.kernel.numpy())
    assert "gamma" in model.trainable_variables[0].name
    np.testing.assert_array_equal(model.trainable_variables[0], np.ones(4))
    np.testing.assert_allclose(kernels[1], kernels[0], rtol=1e-5, atol=1e-6)


def test_negatives_are_uniform_and_others_at_every_step():
    state = grid_state(np.zeros(NUM_VIDEOS), ir_num_negatives=2000)

    def negatives(step):
        return state.objective.first.negatives(tf.constant(step, tf.int64)).numpy()

    first = negatives(0)
    np.testing.assert_array_equal(first, negatives(0))
    assert first.shape == (BATCH_SIZE, 2000)
    np.testing.assert_allclose(np.bincount(first.ravel()) / 8000, 0.1, atol=0.02)
    assert np.mean(first == negatives(1)) < 0.2
