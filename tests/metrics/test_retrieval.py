import numpy as np
import pytest
from run_fixtures import unit_rows
from sklearn.metrics import average_precision_score

from vie_tf.metrics import retrieval


def test_recall_counts_queries_with_a_right_video_among_the_k_nearest():
    neighbor_labels = np.array([[1, 0, 2], [0, 2, 1], [2, 2, 2], [0, 0, 0]])
    labels = np.array([1, 1, 1, 0])
    # Found at places 1, 3, never and 1.
    wanted = {"1": 0.5, "2": 0.5, "3": 0.75, "50": 0.75}
    assert retrieval.recalls(neighbor_labels, labels, (1, 2, 3, 50)) == wanted


def test_a_neighbor_without_a_label_is_right_for_nobody():
    recalls = retrieval.recalls(np.array([[-1, -1]]), np.array([0]), (1, 2))
    assert recalls == {"1": 0.0, "2": 0.0}


def test_average_precision_by_hand():
    # Ranked: right, wrong, right, wrong, so precisions 1/1 and 2/3.
    similarities = np.array([0.9, 0.1, 0.5, 0.7], "float32")
    is_right = np.array([True, False, True, False])
    actual = retrieval.average_precision(similarities, is_right)
    assert actual == pytest.approx((1 + 2 / 3) / 2)


def test_equal_similarities_share_their_place():
    # All four are at least as similar as the right one among them.
    equal = np.full(4, 0.5, "float32")
    is_right = np.array([False, True, False, False])
    actual = retrieval.average_precision(equal, is_right)
    assert actual == pytest.approx(1 / 4)


def test_a_query_without_a_right_video_counts_as_nothing():
    none = np.zeros(3, bool)
    assert retrieval.average_precision(np.arange(3.0), none) == 0.0


@pytest.mark.parametrize("num_videos", [1, 2, 30, 5000])
@pytest.mark.parametrize("decimals", [1, 7])  # with many ties, with none
def test_average_precision_equals_scikit_learn(num_videos, decimals):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        similarities = rng.normal(size=num_videos).astype("float32").round(decimals)
        is_right = rng.random(num_videos) < 0.2
        is_right[rng.integers(num_videos)] = True
        actual = retrieval.average_precision(similarities, is_right)
        wanted = average_precision_score(is_right, similarities)
        assert actual == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("leaves_one_out", [False, True])
def test_the_mean_equals_scikit_learn_in_blocks_of_any_size(
    leaves_one_out, monkeypatch
):
    rng = np.random.default_rng(0)
    gallery, gallery_labels = unit_rows(60), rng.integers(-1, 4, 60)
    own_index = np.arange(10, 33) if leaves_one_out else None
    queries = gallery[10:33] if leaves_one_out else unit_rows(23, seed=1)
    labels = rng.integers(0, 4, 23)
    wanted = []
    for number, query in enumerate(queries):
        others = np.ones(60, bool)
        if leaves_one_out:
            others[own_index[number]] = False
        is_right = gallery_labels[others] == labels[number]
        wanted.append(average_precision_score(is_right, gallery[others] @ query))
    for block_floats in (2**24, 60 * 7):
        monkeypatch.setattr(retrieval, "_BLOCK_FLOATS", block_floats)
        actual = retrieval.mean_average_precision(
            gallery, gallery_labels, queries, labels, own_index
        )
        assert actual == pytest.approx(np.mean(wanted), rel=1e-6)
