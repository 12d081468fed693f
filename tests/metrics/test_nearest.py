import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import unit_rows

from vie_tf.metrics import nearest

# Five unit vectors at these angles in degrees.
ANGLES = np.radians([0, 10, 25, 90, 160])
GALLERY = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype("float32")


def slow_search(gallery, queries, k, own_index=None):
    """Sorts all rows of every query, in float64; equal ones by row."""
    found = []
    for number, query in enumerate(queries.astype("float64")):
        similarities = [float(np.dot(query, row)) for row in gallery.astype("float64")]
        order = sorted(range(len(gallery)), key=lambda row: (-similarities[row], row))
        if own_index is not None:
            order.remove(own_index[number])
        found.append([(row, similarities[row]) for row in order[:k]])
    found = np.array(found)  # [Q, k, 2]
    return found[..., 0].astype(int), found[..., 1]


def check_equals_slow_twin(gallery, queries, k, own_index=None):
    rows, similarities = slow_search(gallery, queries, k, own_index)
    found = nearest.search(gallery, queries, k, own_index)
    np.testing.assert_array_equal(found.neighbor_index, rows)
    np.testing.assert_allclose(found.similarities, similarities, rtol=1e-6)


def test_the_nearest_come_first():
    query = np.array([[np.cos(np.radians(12)), np.sin(np.radians(12))]], "float32")
    found = nearest.search(GALLERY, query, 3)
    # They are 2, 12 and 13 degrees away.
    np.testing.assert_array_equal(found.neighbor_index, [[1, 0, 2]])
    wanted = np.cos(np.radians([[2, 12, 13]]))
    np.testing.assert_allclose(found.similarities, wanted, rtol=1e-5)


def test_a_query_in_the_gallery_does_not_find_itself():
    found = nearest.search(GALLERY, GALLERY, 3, np.arange(5))
    wanted = [[1, 2, 3], [0, 2, 3], [1, 0, 3], [2, 4, 1], [3, 2, 1]]
    np.testing.assert_array_equal(found.neighbor_index, wanted)


def test_a_small_gallery_gives_all_there_is():
    found = nearest.search(GALLERY[:3], GALLERY[:3], 7, np.arange(3))
    np.testing.assert_array_equal(found.neighbor_index, [[1, 2], [0, 2], [1, 0]])
    assert nearest.search(GALLERY[:3], GALLERY, 7).neighbor_index.shape == (5, 3)


def test_an_empty_gallery_is_refused_and_no_queries_find_nothing():
    with pytest.raises(ValueError, match="no video in the gallery"):
        nearest.search(GALLERY[:1], GALLERY[:1], 3, np.arange(1))
    assert nearest.search(GALLERY, GALLERY[:0], 3).neighbor_index.shape == (0, 3)


# Of whole groups, with a rest, of a rest only, and of one row.
@pytest.mark.parametrize("num_rows", [1, 37, 64, 128, 300, 1000])
@pytest.mark.parametrize("k", [1, 5, 50])
def test_the_search_equals_its_slow_twin(num_rows, k):
    gallery, queries = unit_rows(num_rows), unit_rows(20, seed=1)
    check_equals_slow_twin(gallery, queries, k)


def test_leaving_one_out_equals_its_slow_twin():
    gallery = unit_rows(300)
    own_index = np.random.default_rng(0).permutation(300)[:40]
    check_equals_slow_twin(gallery, gallery[own_index], 5, own_index)
    # The own row need not be the nearest.
    check_equals_slow_twin(gallery, gallery[:40], 5, own_index)


def test_neighbors_that_all_lie_in_one_group_are_found():
    gallery = unit_rows(1000)
    query = unit_rows(1, seed=5)
    gallery[192:256] = query + 0.01 * unit_rows(64, seed=6)
    check_equals_slow_twin(gallery, query, 50)


def test_equal_similarities_are_ordered_by_row_wherever_they_lie():
    gallery, query = unit_rows(700), unit_rows(1, seed=5)
    # The same video nine times: as the query, in several groups and in the rest.
    copies = [3, 63, 64, 200, 333, 500, 639, 640, 699]
    gallery[copies] = query
    found = nearest.search(gallery, query, 9)
    np.testing.assert_array_equal(found.neighbor_index, [copies])
    own = nearest.search(gallery, query, 4, np.array([64]))
    np.testing.assert_array_equal(own.neighbor_index, [[3, 63, 200, 333]])
    check_equals_slow_twin(gallery, np.repeat(query, 3, axis=0), 5)


def test_a_gallery_of_one_point_gives_the_first_rows():
    gallery = np.repeat(unit_rows(1), 500, axis=0)
    found = nearest.search(gallery, gallery[:2], 3, np.array([0, 1]))
    np.testing.assert_array_equal(found.neighbor_index, [[1, 2, 3], [0, 2, 3]])


def test_the_sizes_of_blocks_and_groups_change_nothing(monkeypatch):
    gallery, queries = unit_rows(500), unit_rows(30, seed=1)
    gallery[100:200] = gallery[300:400]  # ties
    whole = nearest.search(gallery, queries, 8)
    monkeypatch.setattr(nearest, "_BLOCK_FLOATS", 500 * 7)
    monkeypatch.setattr(nearest, "_GROUP_SIZE", 16)
    assert nearest.queries_at_once(500) == 7
    blocks = nearest.search(tf.constant(gallery), tf.constant(queries), 8)
    np.testing.assert_array_equal(blocks.neighbor_index, whole.neighbor_index)
    np.testing.assert_array_equal(blocks.similarities, whole.similarities)


def test_a_block_has_bounded_products():
    assert nearest.queries_at_once(240_000) * 240_000 <= 2**26
    assert nearest.queries_at_once(10) == 1024
    assert nearest.queries_at_once(10**9) == 1
