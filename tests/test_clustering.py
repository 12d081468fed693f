import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans

from vie_tf import clustering


def unit_rows(num_rows, dim=16, seed=0):
    rows = np.random.default_rng(seed).normal(size=(num_rows, dim)).astype("float32")
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_objective_equals_scikit_learns_from_the_same_start():
    rows = unit_rows(3000)
    start = rows[:40]
    ours = clustering.k_means(
        tf.constant(rows), 40, num_iterations=50, start=tf.constant(start)
    )
    theirs = KMeans(40, init=start, n_init=1, max_iter=50, tol=0).fit(rows)
    assert ours.objective == pytest.approx(theirs.inertia_, rel=0.01)


def test_labels_and_objective_are_those_of_the_nearest_centroid():
    rows = unit_rows(500)
    result = clustering.k_means(tf.constant(rows), 9, num_iterations=3)
    squared = ((rows[:, None] - result.centroids.numpy()[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(result.labels, squared.argmin(axis=1))
    assert result.objective == pytest.approx(squared.min(axis=1).sum(), rel=1e-4)


def test_separate_groups_become_the_clusters():
    centers = np.eye(4, 16, dtype="float32") * 10
    noise = np.random.default_rng(0).normal(size=(4, 25, 16)).astype("float32")
    rows = (centers[:, None] + 0.1 * noise).reshape(100, 16)
    result = clustering.k_means(
        tf.constant(rows), 4, start=tf.constant(rows[[0, 25, 50, 75]])
    )
    np.testing.assert_array_equal(result.labels, np.repeat(np.arange(4), 25))


def test_an_empty_cluster_takes_over_a_far_row():
    rows = tf.constant([[0.0], [0.1], [0.2], [9.0]])
    start = tf.constant([[0.1], [100.0]])  # nobody is nearest to the second
    result = clustering.k_means(rows, 2, start=start)
    assert result.num_relocated == 1
    np.testing.assert_array_equal(result.labels, [0, 0, 0, 1])


def test_every_row_can_be_its_own_cluster():
    rows = tf.constant(unit_rows(12))
    result = clustering.k_means(rows, 12)
    assert sorted(result.labels.numpy()) == list(range(12))
    assert result.objective == pytest.approx(0.0, abs=1e-5)


def test_the_same_seed_gives_the_same_clusters():
    rows = tf.constant(unit_rows(300))
    first = clustering.k_means(rows, 7, seed=3).labels
    np.testing.assert_array_equal(first, clustering.k_means(rows, 7, seed=3).labels)
    assert np.any(first != clustering.k_means(rows, 7, seed=4).labels)


def test_blocks_do_not_change_the_result(monkeypatch):
    rows, start = tf.constant(unit_rows(1000)), tf.constant(unit_rows(30, seed=1))
    whole = clustering.k_means(rows, 30, start=start)
    monkeypatch.setattr(clustering, "_SCORES_PER_BLOCK", 0)
    monkeypatch.setattr(clustering, "_MIN_BLOCK", 7)
    # A new graph, since the old one was traced with the block size of the module.
    assign = tf.function(clustering._assign.python_function)
    monkeypatch.setattr(clustering, "_assign", assign)
    blocks = clustering.k_means(rows, 30, start=start)
    np.testing.assert_array_equal(whole.labels, blocks.labels)


@pytest.mark.parametrize("num_clusters", [0, 11])
def test_more_clusters_than_rows_is_an_error(num_clusters):
    with pytest.raises(ValueError, match="between 1 and 10"):
        clustering.k_means(tf.constant(unit_rows(10)), num_clusters)
