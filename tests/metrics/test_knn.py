import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import unit_rows
from sklearn.neighbors import KNeighborsClassifier

from vie_tf.metrics import knn, nearest
from vie_tf.metrics.nearest import Nearest

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"

# Four unit vectors on a quarter of a circle, at 0, 30, 60 and 90 degrees.  Seen from
# 0 degrees the similarities are 1, 0.866, 0.5 and 0.
ANGLES = np.radians([0, 30, 60, 90])
GALLERY = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype("float32")
LABELS = np.array([0, 1, 1, 2])


def slow_classification(gallery, labels, queries, num_classes, k, temperature, own):
    """Loops over videos, clips and neighbors."""
    result = np.zeros((len(queries), num_classes))
    for video, clips in enumerate(queries.astype("float64")):
        for clip in clips:
            similarities = gallery.astype("float64") @ clip
            order = list(np.argsort(-similarities))
            if own is not None:
                order.remove(own[video])
            for row in order[:k]:
                result[video, labels[row]] += np.exp(similarities[row] / temperature)
    return result / result.sum(axis=1, keepdims=True)


def at(*degrees):
    """One video whose clips lie at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)[None].astype("float32")


def classify(queries, **settings):
    return knn.classify_videos(
        tf.constant(GALLERY), LABELS, queries, 3, temperature=0.5, **settings
    )


def test_votes_are_weighted_by_the_exponential_of_similarity():
    # Weights e^2, e^1 and e^1 for classes 1, 0 and 1.
    probabilities = knn.class_probabilities(
        np.array([[[1.0, 0.5, 0.5]]]), np.array([[[1, 0, 1]]]), 3, temperature=0.5
    )
    total = np.e**2 + 2 * np.e
    wanted = [[np.e / total, (np.e**2 + np.e) / total, 0.0]]
    np.testing.assert_allclose(probabilities, wanted, rtol=1e-5)


def test_a_neighbor_without_a_label_has_no_vote():
    similarities = np.array([[[0.9, 0.2]], [[0.9, 0.2]]])
    labels = np.array([[[-1, 1]], [[-1, -1]]])
    probabilities = knn.class_probabilities(similarities, labels, 2)
    np.testing.assert_allclose(probabilities, [[0.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize("temperature", [0.02, 0.001])
def test_a_low_temperature_leaves_the_vote_to_the_nearest(temperature):
    # e^(1 / 0.001) is beyond float32, and so would be that of a neighbor without vote.
    similarities = np.array([[[1.0, 0.9, 0.8]], [[-0.9, -1.0, -1.0]]])
    labels = np.array([[[-1, 1, 0]], [[2, 0, 1]]])
    probabilities = knn.class_probabilities(similarities, labels, 3, temperature)
    wanted = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(probabilities, wanted, atol=0.02)


def test_a_query_without_votes_is_wrong_for_every_class():
    probabilities = np.array([[0.0, 0.0, 0.0], [0.9, 0.1, 0.0]])
    assert knn.accuracies(probabilities, np.array([0, 0])) == {"top1": 0.5, "top5": 0.5}


def test_accuracy_counts_labels_among_the_k_most_probable_classes():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3]])
    labels = np.array([0, 0, 2])
    # The third video's classes 0 and 2 tie, and the first of them comes first.
    assert knn.top_k_accuracy(probabilities, labels, 1) == pytest.approx(1 / 3)
    assert knn.top_k_accuracy(probabilities, labels, 2) == pytest.approx(1 / 3)
    assert knn.top_k_accuracy(probabilities, labels, 3) == 1.0
    assert knn.top_k_accuracy(probabilities, labels, 5) == 1.0


def test_the_nearest_vote_and_the_others_do_not():
    # 20 degrees: nearest are 30 (class 1) and 0 (class 0).
    probabilities = classify(at(20), k=2)
    weights = np.exp(np.cos(np.radians([20, 10])) / 0.5)
    np.testing.assert_allclose(
        probabilities, [[*(weights / weights.sum()), 0.0]], rtol=1e-5
    )
    np.testing.assert_allclose(classify(at(20), k=1), [[0.0, 1.0, 0.0]])


def test_votes_not_embeddings_are_added_over_clips():
    # One clip next to class 0, one next to class 2.  Their mean lies at 45 degrees,
    # next to class 1, which gets no vote here.
    np.testing.assert_allclose(classify(at(0, 90), k=1), [[0.5, 0.0, 0.5]])


def test_a_clip_with_nearer_neighbors_counts_more():
    # Clips at 0 degrees (similarity 1 to class 0) and at 110 (cos 20 to class 2).
    weights = np.exp(np.array([1.0, np.cos(np.radians(20))]) / 0.5)
    wanted = weights / weights.sum()
    actual = classify(at(0, 110), k=1)
    np.testing.assert_allclose(actual, [[wanted[0], 0.0, wanted[1]]], rtol=1e-5)


def test_predictions_are_those_of_the_authors_validation():
    known = json.loads((FIXTURES / "knn_votes.json").read_text())
    similarities = np.array(known["similarities"])  # [16, 5, 40]
    order = np.argsort(-similarities, axis=-1, kind="stable")
    found = Nearest(order, np.take_along_axis(similarities, order, axis=-1))
    probabilities = knn.video_probabilities(
        found,
        np.array(known["labels"]),
        known["num_classes"],
        k=known["k"],
        temperature=known["temperature"],
    )
    assert probabilities.argmax(axis=1).tolist() == known["predicted"]


def test_a_class_without_votes_is_not_among_the_first_five():
    # One vote for the wrong class, whatever the names of the others.
    probabilities = classify(at(20), k=1)  # class 1
    for label in (0, 2):
        scores = knn.accuracies(probabilities, np.array([label]))
        assert scores == {"top1": 0.0, "top5": 0.0}
    assert knn.accuracies(probabilities, np.array([1])) == {"top1": 1.0, "top5": 1.0}


def test_a_vote_that_underflows_is_still_a_vote():
    similarities, labels = np.array([[[1.0, -1.0]]]), np.array([[[0, 1]]])
    probabilities = knn.class_probabilities(similarities, labels, 3, 0.001)
    assert knn.top_k_accuracy(probabilities, np.array([1]), 2) == 1.0
    assert knn.top_k_accuracy(probabilities, np.array([2]), 3) == 0.0


def test_leave_one_out_takes_the_own_row_out_of_the_vote():
    # Clips at 0 and 30 of video 0: without row 0, row 1 is nearest to both.
    own = np.array([0])
    np.testing.assert_allclose(
        classify(at(0, 30), k=1, own_index=own), [[0.0, 1.0, 0.0]]
    )
    np.testing.assert_allclose(classify(at(0, 30), k=1), [[0.5, 0.5, 0.0]])


def test_leave_one_out_still_has_k_votes_when_the_own_row_is_far():
    # Row 3 is the farthest from 0 degrees, so all of the two nearest vote.
    actual = classify(at(0), k=2, own_index=np.array([3]))
    np.testing.assert_allclose(actual, classify(at(0), k=2), rtol=1e-6)


def test_a_k_beyond_the_gallery_takes_all_of_it():
    np.testing.assert_allclose(classify(at(10), k=50), classify(at(10), k=4))
    own = np.array([0])
    actual = classify(at(0), k=50, own_index=own)
    np.testing.assert_allclose(actual, classify(at(0), k=3, own_index=own))
    assert actual[0, 0] == 0.0


@pytest.mark.parametrize("own_index", [None, np.arange(9)])
def test_classification_equals_its_slow_twin(own_index):
    labels = np.random.default_rng(1).integers(0, 4, 40)
    gallery, queries = unit_rows(40), unit_rows(27, seed=2).reshape(9, 3, -1)
    actual = knn.classify_videos(
        tf.constant(gallery), labels, queries, 4, k=5, own_index=own_index
    )
    wanted = slow_classification(gallery, labels, queries, 4, 5, 0.07, own_index)
    np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-6)


def test_classification_agrees_with_scikit_learn():
    labels = np.random.default_rng(3).integers(0, 5, 200)
    gallery, queries = unit_rows(200), unit_rows(50, seed=4)
    # On the sphere the euclidean distance d has similarity 1 - d^2 / 2.
    theirs = KNeighborsClassifier(10, weights=lambda d: np.exp((1 - d**2 / 2) / 0.07))
    theirs.fit(gallery, labels)
    ours = knn.classify_videos(tf.constant(gallery), labels, queries[:, None], 5, k=10)
    np.testing.assert_allclose(ours, theirs.predict_proba(queries), atol=1e-5)


def test_blocks_of_queries_do_not_change_the_result(monkeypatch):
    labels, own_index = np.arange(20) % 3, np.arange(20)
    gallery, queries = tf.constant(unit_rows(20)), unit_rows(40).reshape(20, 2, -1)
    settings = {"k": 4, "own_index": own_index}
    whole = knn.classify_videos(gallery, labels, queries, 3, **settings)
    monkeypatch.setattr(nearest, "_BLOCK_FLOATS", 20 * 7)
    blocks = knn.classify_videos(gallery, labels, queries, 3, **settings)
    np.testing.assert_allclose(blocks, whole, rtol=1e-5)


def test_neighbors_are_looked_for_once_for_many_settings_of_the_votes():
    labels = np.random.default_rng(1).integers(0, 4, 40)
    gallery, queries = unit_rows(40), unit_rows(27, seed=2).reshape(9, 3, -1)
    neighbors = knn.neighbors_of_clips(gallery, queries, 20, np.arange(9))
    for k, temperature in [(1, 0.07), (5, 0.5), (20, 0.07)]:
        actual = knn.video_probabilities(
            neighbors, labels, 4, k=k, temperature=temperature
        )
        wanted = slow_classification(
            gallery, labels, queries, 4, k, temperature, np.arange(9)
        )
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-6)
