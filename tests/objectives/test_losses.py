import numpy as np
import pytest
import tensorflow as tf

from vie_tf.objectives import losses


def slow_instance_recognition(data, noise, num_videos, temperature, normalizer):
    """Loops over every video and every negative, as design.md writes it."""
    partition = normalizer * num_videos
    num_negatives = noise.shape[1]
    density = num_negatives / num_videos
    data_terms, noise_terms = [], []
    for own, others in zip(data, noise):
        p_data = np.exp(own / temperature) / partition
        data_terms.append(-np.log(p_data / (p_data + density + 1e-7)))
        total = 0.0
        for other in others:
            p_noise = np.exp(other / temperature) / partition
            total -= np.log(density / (p_noise + density + 1e-7))
        noise_terms.append(total)
    return np.array(data_terms), np.array(noise_terms)


def slow_local_aggregation(similarities, is_close, temperature):
    result = []
    for row, close in zip(similarities, is_close):
        inside = sum(np.exp(s / temperature) for s, c in zip(row, close) if c)
        total = sum(np.exp(s / temperature) for s in row)
        result.append(-np.log(inside / total + 1e-7))
    return np.array(result)


@pytest.mark.parametrize("num_videos,num_negatives", [(1000, 64), (50, 4), (30, 200)])
def test_ir_loss_equals_its_slow_twin(num_videos, num_negatives):
    rng = np.random.default_rng(0)
    data = rng.uniform(-1, 1, 5).astype("float32")
    noise = rng.uniform(-1, 1, (5, num_negatives)).astype("float32")
    actual = losses.instance_recognition_loss(data, noise, num_videos, 0.07)
    wanted = slow_instance_recognition(
        data.astype("float64"),
        noise.astype("float64"),
        num_videos,
        0.07,
        2876934.2 / 1281167,
    )
    np.testing.assert_allclose(actual[0], wanted[0], rtol=1e-5)
    np.testing.assert_allclose(actual[1], wanted[1], rtol=1e-5)


def test_ir_loss_of_a_bank_of_identical_rows_has_a_closed_form():
    # All similarities are 1 and Z is exact, so every probability is 1 / N.
    num_videos, num_negatives, temperature = 100, 25, 0.07
    ones = tf.ones([3]), tf.ones([3, num_negatives])
    data, noise = losses.instance_recognition_loss(
        *ones, num_videos, temperature, normalizer=np.exp(1 / temperature)
    )
    np.testing.assert_allclose(data, np.full(3, np.log(1 + num_negatives)), rtol=1e-4)
    wanted = num_negatives * np.log(1 + 1 / num_negatives)
    np.testing.assert_allclose(noise, np.full(3, wanted), rtol=1e-4)


def test_the_estimated_normalizer_is_the_mean_exponential():
    noise = np.array([[0.0, 0.07], [0.14, -0.07]], "float32")
    wanted = (1 + np.e + np.e**2 + 1 / np.e) / 4
    np.testing.assert_allclose(losses.estimate_normalizer(noise), wanted, rtol=1e-6)


def test_la_loss_equals_its_slow_twin():
    rng = np.random.default_rng(1)
    similarities = rng.uniform(-1, 1, (6, 20)).astype("float32")
    is_close = rng.uniform(size=(6, 20)) < 0.3
    actual = losses.local_aggregation_loss(similarities, is_close, 0.07)
    wanted = slow_local_aggregation(similarities.astype("float64"), is_close, 0.07)
    np.testing.assert_allclose(actual, wanted, rtol=1e-5)


def test_la_loss_is_nothing_when_all_background_is_close():
    loss = losses.local_aggregation_loss(tf.ones([2, 8]), tf.ones([2, 8], tf.bool))
    np.testing.assert_allclose(loss, [0.0, 0.0], atol=1e-6)


def test_la_loss_of_equal_similarities_counts_close_neighbors():
    is_close = tf.constant([[True, False, False, False], [True, True, False, False]])
    loss = losses.local_aggregation_loss(tf.zeros([2, 4]), is_close)
    np.testing.assert_allclose(loss, [np.log(4), np.log(2)], rtol=1e-5)


def test_la_loss_without_close_neighbors_has_a_value_and_no_gradient():
    similarities = tf.constant([[0.1, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(similarities)
        loss = losses.local_aggregation_loss(similarities, [[False, False]])
    np.testing.assert_allclose(loss, [-np.log(1e-7)], rtol=1e-6)
    np.testing.assert_array_equal(tape.gradient(loss, similarities), [[0.0, 0.0]])


def test_weight_decay_is_half_the_sum_of_squares():
    variables = [tf.Variable([3.0, 4.0]), tf.Variable([[2.0]])]
    assert float(losses.weight_decay_loss(variables, 0.1)) == pytest.approx(1.45)
