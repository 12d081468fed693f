"""Places of videos on a map: two dimensions for the eye.

Letters: V videos, D dimension.
"""

from __future__ import annotations

import numpy as np
import threadpoolctl
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

_SEED = 0
# Of t-SNE, about the number of neighbors that a video keeps.
_PERPLEXITIES = (5.0, 30.0)
_FEWEST_FOR_TSNE = 6
_LEAST_SPREAD = 1e-6  # of videos that are not all at one point
_PCA_DIMENSIONS = 50  # t-SNE sees no more, as its authors advise


def pca_map(vectors: np.ndarray) -> np.ndarray:
    """Projects vectors [V, D] on the two directions of their largest variance.

    Returns:
      [V, 2] float64 within 0 .. 1; the middle where there is nothing to spread.
    """
    if len(vectors) < 2:
        return _within_unit(np.zeros([len(vectors), 2]))
    count = min(2, *vectors.shape)
    places = PCA(count, random_state=_SEED, svd_solver="full").fit_transform(vectors)
    return _within_unit(np.pad(places, [(0, 0), (0, 2 - count)]))


def tsne_map(vectors: np.ndarray) -> np.ndarray:
    """Places vectors [V, D] so that neighbors stay neighbors, by t-SNE.

    Returns:
      [V, 2] float64 within 0 .. 1; those of PCA for fewer than six videos.
    """
    if len(vectors) < _FEWEST_FOR_TSNE or np.ptp(vectors, axis=0).max() < _LEAST_SPREAD:
        return pca_map(vectors)
    reduced = vectors
    if min(vectors.shape) > _PCA_DIMENSIONS:
        reduced = PCA(_PCA_DIMENSIONS, random_state=_SEED).fit_transform(vectors)
    perplexity = float(np.clip(np.sqrt(len(vectors)), *_PERPLEXITIES))
    tsne = TSNE(
        init="pca",
        perplexity=min(perplexity, (len(vectors) - 1) / 3),
        random_state=_SEED,
    )
    # Several threads wait for each other in loops, for minutes beside other programs.
    with threadpoolctl.threadpool_limits(1):
        return _within_unit(tsne.fit_transform(reduced.astype(np.float32)))


def _within_unit(places: np.ndarray) -> np.ndarray:
    """Scales places [V, 2] into the unit square, the same way in both directions."""
    if not len(places) or not np.isfinite(places).all():
        return np.full([len(places), 2], 0.5)
    low, high = places.min(axis=0), places.max(axis=0)
    size = float((high - low).max())
    if size < _LEAST_SPREAD:
        return np.full([len(places), 2], 0.5)
    return np.asarray((places - (low + high) / 2) / size + 0.5, np.float64)
