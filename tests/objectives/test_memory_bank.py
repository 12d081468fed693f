import numpy as np
import pytest
import tensorflow as tf

from vie_tf.objectives.bank.memory_bank import (
    MemoryBank,
    last_of_each,
    nearest_rows,
    random_rows,
)


def unit_rows(num_rows, dim=16, seed=0):
    rows = np.random.default_rng(seed).normal(size=(num_rows, dim)).astype("float32")
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(name="bank")
def fixture_bank():
    bank = MemoryBank(labels=np.arange(50) % 3, dim=16)
    bank.rows.assign(unit_rows(50))
    return bank


def test_rows_start_uniform_in_the_authors_range():
    rows = random_rows(2000, 128, seed=0).numpy()
    limit = 1 / np.sqrt(128 / 3)
    assert -limit <= rows.min() < -0.999 * limit
    assert 0.999 * limit < rows.max() <= limit
    assert np.linalg.norm(rows, axis=1).mean() == pytest.approx(1.0, abs=0.01)


def test_the_same_seed_starts_the_same_rows():
    np.testing.assert_array_equal(random_rows(9, 4, 1), random_rows(9, 4, 1))
    assert not np.allclose(random_rows(9, 4, 1), random_rows(9, 4, 2))


def test_similarities_are_dot_products_with_the_chosen_rows(bank):
    embeddings = unit_rows(4, seed=1)
    rows = bank.rows.numpy()
    own = bank.similarities(embeddings, tf.constant([3, 7, 7, 0]))
    np.testing.assert_allclose(
        own, [embeddings[b] @ rows[i] for b, i in enumerate([3, 7, 7, 0])], rtol=1e-5
    )
    chosen = np.random.default_rng(0).integers(0, 50, (4, 6))
    wanted = [[embeddings[b] @ rows[i] for i in chosen[b]] for b in range(4)]
    actual = bank.similarities(embeddings, tf.constant(chosen))
    np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-6)


def test_nearest_rows_are_found_exactly(bank):
    embeddings = unit_rows(5, seed=2)
    similarities, rows = bank.nearest(embeddings, 7)
    for b in range(5):
        all_similarities = bank.rows.numpy() @ embeddings[b]
        wanted = np.argsort(-all_similarities)[:7]
        np.testing.assert_array_equal(rows[b], wanted)
        np.testing.assert_allclose(similarities[b], all_similarities[wanted], rtol=1e-5)


def test_no_gradient_flows_through_the_choice_of_neighbors():
    embeddings = tf.constant(unit_rows(2))
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        similarities, _ = nearest_rows(tf.constant(unit_rows(9)), embeddings, 3)
    assert tape.gradient(similarities, embeddings) is None


def test_a_new_row_is_the_normalized_mean_of_old_row_and_embedding(bank):
    embeddings = unit_rows(2, seed=3)
    new_rows = bank.updated_rows(embeddings, tf.constant([4, 9]))
    for b, index in enumerate([4, 9]):
        mean = 0.5 * bank.rows.numpy()[index] + 0.5 * embeddings[b]
        np.testing.assert_allclose(
            new_rows[b], mean / np.linalg.norm(mean), rtol=1e-5, atol=1e-7
        )


def test_writing_changes_the_written_rows_only(bank):
    before = bank.rows.numpy()
    bank.write(tf.constant([5, 2]), tf.constant(unit_rows(2, seed=4)))
    after = bank.rows.numpy()
    np.testing.assert_array_equal(after[[5, 2]], unit_rows(2, seed=4))
    untouched = np.setdiff1d(np.arange(50), [5, 2])
    np.testing.assert_array_equal(after[untouched], before[untouched])


def test_a_video_twice_in_a_batch_gets_its_last_row(bank):
    rows = unit_rows(4, seed=5)
    bank.write(tf.constant([8, 1, 8, 8]), tf.constant(rows))
    np.testing.assert_array_equal(bank.rows.numpy()[8], rows[3])
    np.testing.assert_array_equal(bank.rows.numpy()[1], rows[1])


def test_last_of_each_keeps_every_index_once():
    indices, values = last_of_each(tf.constant([3, 1, 3]), tf.constant([10, 20, 30]))
    assert dict(zip(indices.numpy(), values.numpy())) == {3: 30, 1: 20}


def embeddings_and_rows():
    return tf.constant(unit_rows(4, seed=1)), tf.constant([3, 7, 11, 0])


@pytest.mark.parametrize(("dtype", "error"), [("bfloat16", 4e-3), ("float16", 5e-4)])
def test_rows_of_sixteen_bits_are_the_rows_rounded(bank, dtype, error):
    short = MemoryBank(labels=np.arange(50) % 3, dim=16, dtype=dtype)
    short.rows.assign(tf.cast(bank.rows, dtype))
    embeddings, indices = embeddings_and_rows()
    exact = bank.similarities(embeddings, indices)
    rounded = short.similarities(embeddings, indices)
    assert rounded.dtype == tf.float32
    np.testing.assert_allclose(rounded, exact, atol=2 * error)
    similarities, rows = short.nearest(embeddings, 5)
    wanted = tf.cast(bank.rows, dtype).numpy().astype("float32") @ embeddings.numpy().T
    np.testing.assert_array_equal(rows, np.argsort(-wanted.T, axis=1)[:, :5])
    np.testing.assert_allclose(similarities, -np.sort(-wanted.T)[:, :5], rtol=1e-5)
    new = short.updated_rows(embeddings, indices)
    short.write(indices, new)
    bank.write(indices, bank.updated_rows(embeddings, indices))
    np.testing.assert_allclose(short.float_rows(), bank.rows, atol=2 * error)
    assert short.rows.dtype == dtype


def test_rows_of_sixteen_bits_take_over_those_of_another_bank(bank):
    larger = MemoryBank(labels=np.zeros(60), dim=16, dtype="bfloat16")
    rest = larger.float_rows()[50:]
    larger.set_first_rows(bank.rows)
    np.testing.assert_allclose(larger.float_rows()[:50], bank.rows, atol=4e-3)
    np.testing.assert_array_equal(larger.float_rows()[50:], rest)


@pytest.mark.parametrize("num_rows", [255, 256, 257, 300, 320])
def test_neighbors_are_those_of_sorting_all_rows(num_rows):
    """Beyond 256 rows, groups of rows are compared first."""
    rng = np.random.default_rng(num_rows)
    rows = rng.normal(size=(num_rows, 8)).astype("f")
    rows[200:240] = rows[40:80]  # equal ones: the first row comes first
    rows[-3:] = rows[:3]
    embeddings = np.concatenate([rows[:3], rows[200:210], rows[50:60]])
    found, places = nearest_rows(tf.constant(rows), tf.constant(embeddings), 2)
    products = tf.transpose(tf.matmul(rows, embeddings, transpose_b=True)).numpy()
    expected = np.argsort(-products, axis=1, kind="stable")[:, :2]
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_array_equal(found, np.take_along_axis(products, expected, 1))


def test_a_shard_without_rows_has_no_neighbors():
    found, places = nearest_rows(tf.zeros([0, 8]), tf.zeros([3, 8]), 0)
    assert found.shape == places.shape == (3, 0)
