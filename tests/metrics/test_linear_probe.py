"""The mathematics of linear probes, against slow twins and scikit-learn."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

from vie_tf.metrics import linear_probe, sklearn_probe
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.metrics.split_probabilities import split_probabilities
from vie_tf.objectives import losses
from vie_tf.runs.schedules import TF1MomentumSGD


def activations(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


# ------------------------------------------------------------------------ features


def test_features_are_averaged_over_time_and_not_over_space():
    values = activations(2, 4, 3, 5, 6)
    wanted = np.zeros([2, 3 * 5 * 6])
    for clip in range(2):
        for frame in range(4):
            wanted[clip] += values[clip, frame].ravel() / 4
    np.testing.assert_allclose(linear_probe.layer_features(values), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "channels", "num_features"),
    [
        (56, 64, 28 * 28 * 64),  # 200,704 features of conv1 and conv2 of single
        (56, 80, 28 * 28 * 80),  # of slowfast
        (28, 128, 28 * 28 * 128),  # 100,352 of conv3
        (50, 80, 50 * 50 * 80),  # 200,000 are not more than 200,000
    ],
)
def test_a_layer_of_more_than_200_000_features_is_pooled(size, channels, num_features):
    features = linear_probe.layer_features(tf.zeros([1, 2, size, size, channels]))
    assert features.shape == (1, num_features)


def test_the_limit_of_200_000_features_is_that_of_each_stream():
    streams = [tf.zeros([1, 2, 28, 28, channels]) for channels in (128, 160)]
    assert linear_probe.layer_features(*streams).shape == (1, 225_792)
    streams = [tf.zeros([1, 2, size, size, 64]) for size in (56, 28)]
    assert linear_probe.layer_features(*streams).shape == (1, 2 * 28 * 28 * 64)


def test_streams_stand_side_by_side():
    static, dynamic = activations(2, 1, 3, 3, 4), activations(2, 4, 2, 2, 5, seed=1)
    features = linear_probe.layer_features(static, dynamic)
    wanted = [s.mean(axis=1).reshape(2, -1) for s in (static, dynamic)]
    np.testing.assert_allclose(features, np.hstack(wanted), atol=1e-6)


def test_features_over_space_are_one_for_each_channel():
    values = activations(2, 4, 7, 7, 512)
    features = linear_probe.layer_features(values, over_space=True)
    assert features.shape == (2, 512)
    np.testing.assert_allclose(features, values.mean(axis=(1, 2, 3)), atol=1e-6)


def test_pooling_averages_two_by_two_positions_at_odd_sizes_too():
    values = activations(1, 2, 57, 57, 64)
    mean = values.mean(axis=1)[0]
    features = linear_probe.layer_features(values).numpy().reshape(29, 29, 64)
    for row, column in ((0, 0), (13, 7), (28, 28), (28, 3)):
        part = mean[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        wanted = part.reshape(-1, 64).mean(axis=0)
        # At one side the last windows are half outside, which counts for nothing.
        np.testing.assert_allclose(features[row, column], wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "num_features"),
    [
        ((7, 7, 512), 2 * 2 * 512),  # pooled by 4, the least that fits
        ((4, 4, 8), 4 * 4 * 8),  # fits as it is
        ((3, 3, 5000), 5000),  # channels stay
    ],
)
def test_few_features_are_pooled_no_more_than_the_limit_asks_for(shape, num_features):
    features = linear_probe.few_features(tf.zeros([1, 2, *shape]), limit=2048)
    assert features.shape == (1, num_features)


def test_16_bit_activations_are_averaged_in_32_bits():
    values = tf.cast(activations(2, 4, 3, 3, 2), tf.bfloat16)
    features = linear_probe.layer_features(values)
    assert features.dtype == tf.float32
    wanted = tf.cast(values, tf.float32).numpy().mean(axis=1).reshape(2, -1)
    np.testing.assert_allclose(features, wanted, atol=1e-6)


# ----------------------------------------------------------------- a trained probe


def clusters(num_examples, seed):
    """Features [V, 20] of four classes that overlap, and their labels."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(0).normal(size=(4, 20))
    labels = rng.integers(0, 4, num_examples)
    features = centers[labels] + 2.5 * rng.normal(size=(num_examples, 20))
    return features.astype("float32"), labels


def test_a_converged_probe_is_that_of_scikit_learn():
    (features, labels), (tests, test_labels) = clusters(400, 1), clusters(1000, 2)
    decay = 1e-3
    heads = linear_probe.LinearProbes({"a": 20}, 4)
    optimizer = TF1MomentumSGD(0.1, 0.9)
    optimizer.build(heads.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = losses.softmax_loss(heads({"a": features})["a"], labels)
            # scikit-learn leaves the bias alone.
            decayed = losses.weight_decay_loss([heads.kernels["a"]], decay)
            total = tf.reduce_mean(loss) + decayed
        gradients = tape.gradient(total, heads.trainable_variables)
        optimizer.apply_gradients(zip(gradients, heads.trainable_variables))

    for _ in range(1500):
        step()
    twin = LogisticRegression(C=1 / (len(labels) * decay), max_iter=2000, tol=1e-8)
    twin.fit(features, labels)
    ours = heads({"a": tests})["a"].numpy().argmax(axis=1)
    theirs = twin.predict(tests)
    accuracy = np.mean(ours == test_labels)
    assert 0.6 < accuracy < 0.95
    assert accuracy == pytest.approx(np.mean(theirs == test_labels), abs=0.01)
    assert np.mean(ours == theirs) > 0.99


def test_probes_of_layers_do_not_know_each_other():
    heads = linear_probe.LinearProbes({"a": 3, "b": 2}, 4)
    heads.kernels["a"].assign(activations(3, 4))
    heads.biases["b"].assign([1.0, 2.0, 3.0, 4.0])
    features = {"a": activations(5, 3, seed=1), "b": activations(5, 2, seed=2)}
    logits = heads(features)
    np.testing.assert_allclose(
        logits["a"], features["a"] @ heads.kernels["a"].numpy(), atol=1e-5
    )
    np.testing.assert_allclose(logits["b"], np.tile([[1, 2, 3, 4]], [5, 1]))


# ------------------------------------------------------- probabilities of whole videos


def brightness(clips):
    """Logits [B, 2] whose probabilities are g / (1 + g) and 1 / (1 + g) for level g."""
    level = tf.reduce_mean(tf.cast(clips, tf.float32), axis=[1, 2, 3, 4])
    return {"odds": tf.stack([tf.math.log(level), tf.zeros_like(level)], axis=1)}


def batches_of(elements):
    """Batches of `clips` and `rows`, from lists of gray levels and a row each."""
    for levels, row in elements:
        clip = np.ones([1, len(levels), 1, 2, 2, 3], np.uint8)
        clip *= np.array(levels, np.uint8).reshape(1, -1, 1, 1, 1, 1)
        yield {"clips": tf.constant(clip), "rows": tf.constant([row], tf.int64)}


def test_probabilities_not_logits_are_averaged_over_the_clips_of_a_video():
    batches = batches_of([([1, 3], 1), ([4], 0)])
    found = split_probabilities(SplitPass(brightness), batches, 2)
    wanted = [[4 / 5, 1 / 5], [(1 / 2 + 3 / 4) / 2, (1 / 2 + 1 / 4) / 2]]
    np.testing.assert_allclose(found.values["odds"], wanted, rtol=1e-6)


def test_clips_of_a_video_may_come_one_after_the_other():
    elements = [([1], 0), ([3], 0), ([4], 2), ([1], 0)]
    found = split_probabilities(SplitPass(brightness), batches_of(elements), 3)
    first = [(1 / 2 + 3 / 4 + 1 / 2) / 3, (1 / 2 + 1 / 4 + 1 / 2) / 3]
    np.testing.assert_allclose(found.values["odds"], [first, [0.8, 0.2]], rtol=1e-6)
    assert found.video_index.tolist() == [0, 2]  # the video between them was skipped


# -------------------------------------------------------------- the quick look's fits


def separable(num_videos, num_classes, num_clips=2):
    """Features [V, clips, F] that name the class, and labels."""
    labels = np.arange(num_videos) % num_classes
    noise = activations(num_videos, num_clips, num_classes)
    return 10 * np.eye(num_classes)[labels][:, None] + noise, labels


@pytest.mark.parametrize("num_classes", [2, 3])
def test_cross_validation_finds_what_the_features_say(num_classes):
    features, labels = separable(12, num_classes)
    logits = sklearn_probe.cross_validated_probabilities(features, labels, num_classes)
    assert logits.argmax(axis=1).tolist() == labels.tolist()


def test_a_video_is_not_fitted_to_by_its_own_fold():
    """Features that only name the video say nothing of its class."""
    labels = np.repeat([0, 1], 10)
    features = np.repeat(np.eye(20)[:, None], 3, axis=1).astype("float32")
    logits = sklearn_probe.cross_validated_probabilities(features, labels, 2)
    assert np.mean(logits.argmax(axis=1) == labels) <= 0.5


def test_fits_equal_scikit_learn_on_standardized_clips():
    features, labels = clusters(60, 1)
    tests, _ = clusters(30, 2)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    twin = LogisticRegression(max_iter=1000)
    twin.fit((features - mean) / deviation, labels)
    per_clip = twin.predict_proba((tests - mean) / deviation)
    wanted = (per_clip[0::2] + per_clip[1::2]) / 2
    actual = sklearn_probe.fitted_probabilities(
        features.reshape(60, 1, 20), labels, tests.reshape(15, 2, 20), 5
    )
    np.testing.assert_allclose(actual[:, :4], wanted, atol=1e-2)
    assert np.all(actual[:, 4] == 0)  # a class without examples


@pytest.mark.parametrize(
    ("labels", "folds"),
    [([0] * 9 + [1] * 7, 5), ([0] * 9 + [1] * 3 + [2], 3), ([0, 0, 1, 1], 2)],
)
def test_small_classes_make_fewer_folds(labels, folds):
    assert sklearn_probe.num_folds(np.array(labels)) == folds


def test_a_class_of_one_video_is_tolerated_beside_two_larger_ones():
    features, _ = separable(9, 3)
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    logits = sklearn_probe.cross_validated_probabilities(features, labels, 3)
    assert np.all(np.isfinite(logits))


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 0, 1], [0, 1, 2]])
def test_what_cannot_be_divided_is_refused(labels):
    with pytest.raises(ValueError, match="at least two classes of at least two videos"):
        sklearn_probe.num_folds(np.array(labels))
