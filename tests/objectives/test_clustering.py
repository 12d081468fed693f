import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans

from benchmarks.bank.clustering import MovingBank
from vie_tf.config import LossConfig
from vie_tf.objectives import assignment, clustering


def unit_rows(num_rows, dim=16, seed=0):
    rows = np.random.default_rng(seed).normal(size=(num_rows, dim)).astype("float32")
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slow_k_means(rows, start, tolerance, num_iterations=20):
    """Loops over clusters and rows, in float64.

    Returns labels, centroids and the number of iterations.
    """
    rows, centroids = rows.astype(float), start.astype(float)

    def nearest():
        squared = ((rows[:, None] - centroids[None]) ** 2).sum(axis=2)
        return squared.argmin(axis=1), squared.min(axis=1)

    labels, distances = nearest()
    iteration, changed, is_full = 0, 1.0, False
    while iteration < num_iterations and changed > (tolerance if is_full else 0):
        iteration += 1
        members = [set(np.flatnonzero(labels == c)) for c in range(len(start))]
        far = iter(np.argsort(-distances, kind="stable"))
        for cluster in [c for c, rows_of_it in enumerate(members) if not rows_of_it]:
            row = next(far)
            members[labels[row]].discard(row)
            members[cluster] = {row}
        for cluster, rows_of_it in enumerate(members):
            if rows_of_it:
                centroids[cluster] = rows[sorted(rows_of_it)].mean(axis=0)
        previous = labels
        labels, distances = nearest()
        changed = np.mean(labels != previous)
        is_full = len(np.unique(labels)) == len(start)
    return labels, centroids, iteration


def grouped_bank(num_rows=1500, num_groups=50, seed=0):
    """Unit rows around the centers of groups that overlap."""
    rng = np.random.default_rng(seed)
    centers = unit_rows(num_groups, seed=seed + 1)
    noise = rng.normal(size=(num_rows, 16)) * 0.35
    rows = centers[rng.integers(0, num_groups, num_rows)] + noise
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("float32")


def moved(rows, seed=3):
    """Every row halfway to a new embedding of its video, as in an epoch."""
    noise = np.random.default_rng(seed).normal(size=rows.shape) * 0.15
    new = rows + noise
    new = 0.5 * rows + 0.5 * new / np.linalg.norm(new, axis=1, keepdims=True)
    return (new / np.linalg.norm(new, axis=1, keepdims=True)).astype("float32")


@pytest.fixture(name="bank", scope="module")
def fixture_bank():
    """Rows of a bank, their clusters, and the rows after an epoch."""
    rows = grouped_bank()
    return rows, clustering.k_means(tf.constant(rows), 50), moved(rows)


@pytest.mark.parametrize("tolerance", [0.0, 0.005, 0.05])
def test_a_warm_start_does_what_its_slow_twin_does(bank, tolerance):
    _, first, rows = bank
    start = first.centroids
    result = clustering.k_means(tf.constant(rows), 50, tolerance=tolerance, start=start)
    labels, centroids, iterations = slow_k_means(rows, start.numpy(), tolerance)
    np.testing.assert_array_equal(result.labels, labels)
    np.testing.assert_allclose(result.centroids, centroids, atol=1e-5)
    assert result.num_iterations == iterations


def test_a_warm_start_with_empty_clusters_does_what_its_slow_twin_does(bank):
    _, first, rows = bank
    start = first.centroids.numpy()
    start[[4, 30, 31]] += 100
    result = clustering.k_means(
        tf.constant(rows), 50, tolerance=0.05, start=tf.constant(start)
    )
    labels, centroids, iterations = slow_k_means(rows, start, 0.05)
    assert result.num_relocated >= 3
    np.testing.assert_array_equal(result.labels, labels)
    np.testing.assert_allclose(result.centroids, centroids, atol=1e-5)
    assert result.num_iterations == iterations


@pytest.fixture(name="epochs", scope="module")
def fixture_epochs():
    """Rows of a bank after each of three epochs."""
    bank = MovingBank(num_videos=4000, num_groups=130)
    rows = [bank.rows]
    for _ in range(2):
        bank.take_epoch()
        rows.append(bank.rows)
    return rows


def test_warm_starts_are_as_good_as_twenty_cold_iterations_and_cheaper(epochs):
    share = LossConfig.la_kmeans_tolerance
    warm = clustering.k_means(epochs[0], 130, tolerance=share)
    for epoch, rows in enumerate(epochs[1:]):
        cold = clustering.k_means(rows, 130, seed=epoch + 1)
        warm = clustering.k_means(rows, 130, tolerance=share, start=warm.centroids)
        assert warm.objective <= 1.005 * cold.objective
        assert warm.num_iterations < cold.num_iterations
        assert 3 * (warm.num_iterations + 1) <= 20 + 1  # passes over the rows


@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.3, 1.0])
def test_labels_that_settle_early_are_no_worse_than_those_of_one_iteration(
    bank, tolerance
):
    _, first, rows = bank
    rows = tf.constant(rows)
    for start in (None, first.centroids):
        one = clustering.k_means(rows, 50, num_iterations=1, start=start)
        early = clustering.k_means(rows, 50, tolerance=tolerance, start=start)
        assert early.objective <= one.objective * (1 + 1e-6)


def test_labels_have_settled_when_few_of_them_change(bank):
    rows = tf.constant(bank[0])
    early = clustering.k_means(rows, 50, tolerance=0.02)
    assert 0 < early.changed_fraction <= 0.02
    longer = clustering.k_means(rows, 50, num_iterations=early.num_iterations - 1)
    assert longer.changed_fraction > 0.02


def test_rows_that_coincide_do_not_keep_k_means_going():
    result = clustering.k_means(tf.ones([50, 4]), 10, tolerance=0.01)
    assert result.num_iterations == 1
    assert result.objective == pytest.approx(0.0, abs=1e-5)


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


@pytest.mark.parametrize("num_clusters", [1, 2, 63, 64, 65, 200])
def test_the_nearest_centroid_is_the_first_of_equal_ones(num_clusters):
    rng = np.random.default_rng(num_clusters)
    rows = rng.normal(size=(300, 4)).astype("f")
    different = rng.normal(size=(-(-num_clusters // 2), 4)).astype("f")
    centroids = np.concatenate([different, different])[:num_clusters]
    labels, scores = assignment.nearest_centroids(
        tf.constant(rows), tf.constant(centroids)
    )
    distances = ((rows[:, None] - centroids) ** 2).sum(axis=2)
    expected = distances[:, : len(different)].argmin(axis=1)
    np.testing.assert_array_equal(labels, expected)
    nearest = (rows**2).sum(axis=1) - 2 * scores.numpy()
    np.testing.assert_allclose(nearest, distances.min(axis=1), rtol=1e-4, atol=1e-4)


def test_blocks_do_not_change_the_result(monkeypatch):
    rows, start = tf.constant(unit_rows(1000)), tf.constant(unit_rows(30, seed=1))
    whole = clustering.k_means(rows, 30, start=start)
    monkeypatch.setattr(assignment, "_SCORES_PER_BLOCK", 0)
    monkeypatch.setattr(assignment, "_MIN_BLOCK", 7)
    # A new graph, since the old one was traced with the block size of the module.
    assign = tf.function(assignment.assign_exactly.python_function)
    monkeypatch.setattr(clustering, "assign_exactly", assign)
    blocks = clustering.k_means(rows, 30, start=start)
    np.testing.assert_array_equal(whole.labels, blocks.labels)


@pytest.mark.parametrize("num_clusters", [0, 11])
def test_more_clusters_than_rows_is_an_error(num_clusters):
    with pytest.raises(ValueError, match="between 1 and 10"):
        clustering.k_means(tf.constant(unit_rows(10)), num_clusters)


def test_rows_compared_with_all_groups_get_the_labels_of_the_exact_k_means(bank):
    rows = tf.constant(bank[0])
    exact = clustering.k_means(rows, 50, num_iterations=4)
    grouped = clustering.k_means(rows, 50, num_iterations=4, searched_groups=50)
    np.testing.assert_array_equal(grouped.labels, exact.labels)
    np.testing.assert_allclose(grouped.centroids, exact.centroids, atol=1e-6)


def slow_grouped_labels(rows, centroids, centers, group_of, num_searched):
    """The nearest centroid of the groups near to each row's own, in float64."""
    rows, centroids, centers = (x.astype(float) for x in (rows, centroids, centers))
    labels = []
    for row in rows:
        home = ((centers - row) ** 2).sum(axis=1).argmin()
        near = np.argsort(((centers - centers[home]) ** 2).sum(axis=1))[:num_searched]
        candidates = np.flatnonzero(np.isin(group_of, near))
        distances = ((centroids[candidates] - row) ** 2).sum(axis=1)
        labels.append(candidates[distances.argmin()])
    return labels


@pytest.mark.parametrize("num_searched", [1, 2, 6])
def test_rows_are_compared_with_the_centroids_of_near_groups(bank, num_searched):
    rows, first, _ = bank
    centroids = first.centroids
    groups = clustering.k_means(centroids, 6)
    found = assignment.assign_in_groups(
        tf.constant(rows), centroids, groups.centroids, groups.labels, num_searched
    )
    labels, distances, sums, counts = (part.numpy() for part in found)
    wanted = slow_grouped_labels(
        rows,
        centroids.numpy(),
        groups.centroids.numpy(),
        groups.labels.numpy(),
        num_searched,
    )
    np.testing.assert_array_equal(labels, wanted)
    squared = ((rows - centroids.numpy()[labels]) ** 2).sum(axis=1)
    np.testing.assert_allclose(distances, squared, atol=1e-5)
    np.testing.assert_array_equal(counts, np.bincount(labels, minlength=50))
    for cluster in range(50):
        own_sum = rows[labels == cluster].sum(axis=0)
        np.testing.assert_allclose(sums[cluster], own_sum, atol=1e-4)


def test_sixteen_groups_cost_a_few_percent_of_the_objective_of_a_small_bank():
    rows = MovingBank(num_videos=6000, num_groups=300).rows
    exact = clustering.k_means(rows, 300, num_iterations=8)
    grouped = clustering.k_means(rows, 300, num_iterations=8, searched_groups=16)
    assert grouped.objective <= 1.03 * exact.objective


def test_groups_of_rows_that_coincide_are_one_group():
    result = clustering.k_means(tf.ones([50, 4]), 10, searched_groups=2)
    assert result.objective == pytest.approx(0.0, abs=1e-5)
