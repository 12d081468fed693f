"""Components of features: against scikit-learn, and where there are few videos."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from vie_tf.metrics import components
from vie_tf.metrics.features import unit_norm


def features(num_videos, size, seed=0):
    """Features of correlated columns whose variances differ by a factor of 100."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=[num_videos, size]) * np.geomspace(10, 0.1, size)
    turn, _ = np.linalg.qr(rng.normal(size=[size, size]))
    return (mixed @ turn + rng.normal(size=size)).astype(np.float32)


@pytest.mark.parametrize("num_videos, size", [(60, 12), (10, 40)])
def test_components_are_half_whitened_principal_components(num_videos, size):
    rows = features(num_videos, size)
    space = components.fit(rows, 5)
    pca = PCA(5, svd_solver="full").fit(rows.astype(np.float64))
    wanted = pca.transform(rows) / pca.explained_variance_**0.25
    found, wanted = space.project(rows), unit_norm(wanted)
    np.testing.assert_allclose(found @ found.T, wanted @ wanted.T, atol=1e-4)
    np.testing.assert_allclose(space.mean, rows.mean(0), rtol=1e-4, atol=1e-4)


def test_blocks_weigh_the_same_whatever_their_scale():
    rows = np.concatenate([features(40, 6), features(40, 3, seed=1)], axis=1)
    louder = rows * np.repeat([1, 1000], [6, 3]).astype(np.float32)
    one = components.fit(rows, 9, [6, 3])
    other = components.fit(louder, 9, [6, 3])
    a, b = one.project(rows), other.project(louder)
    np.testing.assert_allclose(a @ a.T, b @ b.T, atol=1e-3)
    both = (rows - rows.mean(0)) * np.repeat(
        [1 / np.sqrt(rows[:, :6].var(0).sum()), 1 / np.sqrt(rows[:, 6:].var(0).sum())],
        [6, 3],
    )
    pca = PCA(9, svd_solver="full").fit(both)
    wanted = unit_norm(pca.transform(both) / pca.explained_variance_**0.25)
    np.testing.assert_allclose(a @ a.T, wanted @ wanted.T, atol=1e-3)


@pytest.mark.parametrize(
    "rows, num_components",
    [(features(4, 20), 3), (features(30, 2), 2), (np.ones([5, 3], np.float32), 0)],
)
def test_there_are_no_more_components_than_the_rows_have(rows, num_components):
    space = components.fit(rows, 128)
    assert space.directions.shape == (rows.shape[1], num_components)
    assert np.isfinite(space.project(rows)).all()


def test_a_constant_block_does_not_matter():
    rows = features(20, 5)
    padded = np.concatenate([rows, np.full([20, 4], 7, np.float32)], axis=1)
    a = components.fit(rows, 5).project(rows)
    b = components.fit(padded, 5, [5, 4]).project(padded)
    np.testing.assert_allclose(a @ a.T, b @ b.T, atol=1e-4)


def test_the_same_rows_give_the_same_bits_and_many_rows_are_sampled(monkeypatch):
    rows = features(50, 6)
    one, again = components.fit(rows, 4), components.fit(rows.copy(), 4)
    assert one.directions.tobytes() == again.directions.tobytes()
    assert (one.directions[np.abs(one.directions).argmax(0), range(4)] > 0).all()
    monkeypatch.setattr(components, "MAX_FITTED", 10)
    monkeypatch.setattr(components, "_ROWS_AT_ONCE", 7)
    few = components.fit(rows, 4)
    chosen = rows[np.linspace(0, 49, 10).round().astype(int)]
    assert few.directions.tobytes() == components.fit(chosen, 4).directions.tobytes()
    assert few.project(rows).shape == (50, 4)
