"""Scores of embeddings: leave-one-out kNN, mean average precision, linear probe."""

from __future__ import annotations

import numpy as np

from vie_tf.metrics import knn, leave_one_out, sklearn_probe
from vie_tf.search import search_space
from vie_tf.search.embedder import DIRECTIONS
from vie_tf.search.embedding_index import EmbeddingIndex

SEARCH = "search"  # what `embed.py --query` compares by


def rows_of(folder: str, representation: str) -> np.ndarray:
    """Reads what stands for each video in a folder of `embed.py`, [N, D] float32.

    Args:
      folder: its --output.
      representation: one of its --endpoints, or `search`.  The features of a layer keep
        their places, and their mean over the videos is removed.
    """
    index = EmbeddingIndex.load(folder)
    if representation == SEARCH:
        if search_space.is_possible(index):
            return search_space.load(index)[0]
        return np.asarray(index.array(index.endpoint()))
    rows = np.asarray(index.array(representation))
    rows = rows.reshape(len(rows), -1)
    return rows if representation in DIRECTIONS else rows - rows.mean(axis=0)


def labels_of(folder: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Reads the labels of a folder of `embed.py`, [N] int, and the class names."""
    names = [video["label"] for video in EmbeddingIndex.load(folder).videos()]
    classes = tuple(sorted(set(filter(None, names))))
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers.get(name, -1) for name in names]), classes


def scores(
    rows: np.ndarray, labels: np.ndarray, probe: bool = True
) -> dict[str, float]:
    """Computes all scores of one vector for each video, as fractions.

    Args:
      rows: [N, D] floats.
      labels: [N] integers, -1 without a label.
      probe: whether to cross-validate scikit-learn's logistic regression as well.

    Returns:
      `knn1`, `knn10`, `map`, and `probe` if it was asked for.

    Raises:
      UserError: there are no two videos of a class.
    """
    found = leave_one_out.scores(rows, labels)
    if probe:
        known = labels >= 0
        num_classes = int(labels.max()) + 1
        probabilities = sklearn_probe.cross_validated_probabilities(
            rows[known, None].astype(np.float32), labels[known], num_classes
        )
        found["probe"] = knn.top_k_accuracy(probabilities, labels[known], 1)
    return found
