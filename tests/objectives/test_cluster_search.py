"""The search for neighbors in the nearest clusters, beside a slow twin in numpy."""

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import grid_state, random_clips, run_config, unit_rows

from vie_tf.objectives import OBJECTIVES, clustering
from vie_tf.objectives.bank.memory_bank import MemoryBank, nearest_rows
from vie_tf.objectives.cluster_search import NOTHING, ClusterSearch
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.storage.errors import UserError

NUM_VIDEOS, NUM_CLUSTERS, K = 400, 20, 15


@pytest.fixture(name="bank", scope="module")
def fixture_bank():
    """A bank and its clusters."""
    bank = MemoryBank(np.zeros(NUM_VIDEOS), dim=16)
    bank.rows.assign(unit_rows(NUM_VIDEOS))
    return bank, clustering.k_means(bank.rows, NUM_CLUSTERS)


def search_in(bank, clusters, embeddings, num_searched, k=K):
    search = ClusterSearch(NUM_VIDEOS, NUM_CLUSTERS, num_searched)
    search.take(clusters.labels, clusters.centroids)
    find = tf.function(
        lambda given: search.nearest(clusters.centroids, given, bank, k)[1]
    )
    return find(tf.constant(embeddings)).numpy()


def slow_search(rows, labels, centroids, embedding, num_searched, k):
    """The nearest k rows of the nearest clusters, one row at a time."""
    squared = ((centroids - embedding) ** 2).sum(axis=1)
    searched = set(np.argsort(squared)[:num_searched])
    candidates = [row for row in range(len(rows)) if labels[row] in searched]
    candidates.sort(key=lambda row: -float(rows[row] @ embedding))
    return (candidates + k * [NOTHING])[:k]


@pytest.mark.parametrize("num_searched", [1, 2, 5, NUM_CLUSTERS])
def test_the_nearest_rows_of_the_nearest_clusters_are_found(bank, num_searched):
    bank, clusters = bank
    embeddings = unit_rows(7, seed=1)
    found = search_in(bank, clusters, embeddings, num_searched)
    for embedding, neighbors in zip(embeddings, found):
        wanted = slow_search(
            bank.rows.numpy(),
            clusters.labels.numpy(),
            clusters.centroids.numpy(),
            embedding,
            num_searched,
            K,
        )
        np.testing.assert_array_equal(neighbors, wanted)


def test_a_search_in_all_clusters_is_exact(bank):
    bank, clusters = bank
    embeddings = unit_rows(9, seed=2)
    found = search_in(bank, clusters, embeddings, NUM_CLUSTERS)
    np.testing.assert_array_equal(found, nearest_rows(bank.rows, embeddings, K)[1])


def test_more_clusters_find_more_of_the_true_neighbors(bank):
    bank, clusters = bank
    embeddings = unit_rows(30, seed=3)
    exact = nearest_rows(bank.rows, embeddings, K)[1].numpy()
    recalls = []
    for num_searched in (1, 4, 10, NUM_CLUSTERS):
        found = search_in(bank, clusters, embeddings, num_searched)
        recalls.append(np.mean([np.isin(a, b).mean() for a, b in zip(exact, found)]))
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.5 < 0.8 < recalls[2] < recalls[3] == 1


def test_where_clusters_have_too_few_rows_the_rest_is_nothing(bank):
    bank, clusters = bank
    found = search_in(bank, clusters, unit_rows(5, seed=4), 1, k=100)
    sizes = np.bincount(clusters.labels, minlength=NUM_CLUSTERS)
    for neighbors in found:
        is_found = neighbors != NOTHING
        cluster = clusters.labels.numpy()[neighbors[0]]
        assert is_found.sum() == sizes[cluster] == is_found.argmin()


def test_blocks_of_embeddings_do_not_change_the_result(bank, monkeypatch):
    bank, clusters = bank
    embeddings = unit_rows(6, seed=5)
    whole = search_in(bank, clusters, embeddings, 3)
    monkeypatch.setattr("vie_tf.objectives.cluster_search._NUMBERS_PER_BLOCK", 1)
    np.testing.assert_array_equal(search_in(bank, clusters, embeddings, 3), whole)


def la_loss(searched, **loss):
    """Loss and gradient of LA on embeddings of a bank whose clusters are known."""
    if searched:
        loss.update(la_search="clusters", la_searched_clusters=searched)
    state = grid_state(np.zeros(60), num_clusters=6, **loss)
    objective = state.objective
    objective.bank.rows.assign(unit_rows(60))
    objective.before_step(0)
    embeddings = tf.constant(unit_rows(8, seed=6))
    batch = {"rows": tf.range(8, dtype=tf.int64)}
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        value, parts = objective.loss(
            {"embedding": embeddings}, batch, tf.constant(0, tf.int64)
        )
    return objective, value, tape.gradient(value, embeddings), parts


def test_the_loss_in_all_clusters_is_the_exact_loss():
    _, exact, exact_gradient, _ = la_loss(None)
    _, value, gradient, _ = la_loss(6)
    np.testing.assert_array_equal(value, exact)
    np.testing.assert_array_equal(gradient, exact_gradient)


def test_the_loss_counts_the_neighbors_that_were_found_and_no_others():
    objective, value, gradient, parts = la_loss(1, la_num_background=50)
    embeddings, rows = unit_rows(8, seed=6), unit_rows(60)
    labels = objective.cluster_labels[0].numpy()
    centroids = objective.cluster_centroids[0].numpy()
    for b, embedding in enumerate(embeddings):
        found = slow_search(rows, labels, centroids, embedding, 1, 50)
        found = [row for row in found if row != NOTHING]
        terms = np.exp(rows[found] @ embedding / 0.07)
        close = terms[labels[found] == labels[b]].sum()
        wanted = -np.log(close / terms.sum() + 1e-7)
        assert float(value[b]) == pytest.approx(wanted, rel=1e-4, abs=1e-5)
        share = (labels[found] == labels[b]).sum() / 50
        assert float(parts["close_share"][b]) == pytest.approx(share)
    assert np.isfinite(gradient).all()


def test_a_step_trains_with_the_search_in_clusters():
    state = grid_state(
        np.zeros(60), num_clusters=6, la_search="clusters", la_searched_clusters=2
    )
    objective = state.objective
    objective.bank.rows.assign(unit_rows(60))
    objective.before_step(0)
    rows = tf.range(4, dtype=tf.int64)

    @tf.function
    def loss():
        endpoints = state.model(random_clips(), training=True)
        return objective.loss(endpoints, {"rows": rows}, tf.constant(0, tf.int64))[0]

    assert np.isfinite(loss()).all()


def test_a_run_that_goes_on_lists_the_clusters_of_its_checkpoint():
    objective, *_ = la_loss(2)
    listed = objective.search.rows_by_cluster.numpy()
    other, *_ = la_loss(2)
    other.search.rows_by_cluster.assign(tf.zeros([60], tf.int32))
    other._listed_at = -1  # as after reading a checkpoint in a new process
    assert other.before_step(3) == ()
    np.testing.assert_array_equal(other.search.rows_by_cluster, listed)
    assert not {"rows_by_cluster", "starts"} & other.checkpoint().keys()


def complete(num_videos=240, **loss):
    config = run_config("data", loss={"name": "la", "la_search": "clusters", **loss})
    return OBJECTIVES["la"].complete(config.loss, num_videos)


def test_the_number_of_searched_clusters_is_chosen_by_the_candidates(capsys):
    settings = complete(2400, la_num_clusters=80, la_num_background=15)
    assert settings.la_searched_clusters == 8  # 16 * 15 of 2400 videos
    assert "--la_searched_clusters=auto: 8 of 80 clusters." in capsys.readouterr().out
    few = complete(la_num_clusters=3, la_num_background=200)
    assert few.la_searched_clusters == 3


def test_more_searched_clusters_than_there_are_is_an_error():
    with pytest.raises(UserError, match="--la_searched_clusters=4 is more than the 3"):
        complete(la_searched_clusters=4)


def test_an_exact_search_keeps_no_lists():
    objective = grid_state(np.zeros(60), num_clusters=6).objective
    assert isinstance(objective, LocalAggregation)
    assert objective.search is None
