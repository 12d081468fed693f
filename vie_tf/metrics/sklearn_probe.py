"""Linear probes by scikit-learn: features of clips in, probabilities of videos out.

A quick look that needs no training loop.  Clips of a video are separate examples in
fitting, and never on both sides of a cross-validation; probabilities are averaged.

Letters: V videos, F features, C classes.
"""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vie_tf.storage.errors import UserError

MAX_FOLDS = 5
_MAX_ITERATIONS = 1000
# Of a class that no example was fitted to: below any other.
_NEVER = -1e9


def fitted_probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    tests: np.ndarray,
    num_classes: int,
    inverse_penalty: float = 1.0,
) -> np.ndarray:
    """Computes class probabilities by logistic regression on standardized features.

    Args:
      features: of the clips to fit to, [V, num_clips, F] float32.
      labels: of their videos, [V] integers.
      tests: of the clips to be classified, [W, num_clips, F] float32.
      num_classes: C.
      inverse_penalty: scikit-learn's C.

    Returns:
      [W, C] float64, averaged over clips.
    """
    num_clips, size = features.shape[1:]
    model = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=inverse_penalty, max_iter=_MAX_ITERATIONS),
    )
    model.fit(features.reshape(-1, size), np.repeat(labels, num_clips))
    found = model.decision_function(tests.reshape(-1, size))
    if found.ndim == 1:  # of two classes it gives one number
        found = np.stack([-found / 2, found / 2], axis=1)
    logits = np.full([len(found), num_classes], _NEVER)
    logits[:, model.classes_] = found
    probabilities = tf.nn.softmax(logits).numpy()
    return probabilities.reshape(len(tests), -1, num_classes).mean(axis=1)


def num_folds(labels: np.ndarray) -> int:
    """Folds of a cross-validation: 5, or fewer where classes are small.

    Every fold's training part has to have two classes, so the second largest class has
    to have a video in each.

    Args:
      labels: [V] integers.

    Returns:
      At least 2.

    Raises:
      UserError: there are no two classes of two videos.
    """
    sizes = np.sort(np.bincount(labels))[::-1]
    if len(sizes) < 2 or sizes[1] < 2:
        raise UserError(
            "Cross-validation needs at least two classes of at least two videos each,"
            f" but the largest classes have {', '.join(map(str, sizes[:2]))}. Add"
            " videos."
        )
    return int(min(MAX_FOLDS, sizes[1]))


def cross_validated_probabilities(
    features: np.ndarray, labels: np.ndarray, num_classes: int, seed: int = 0
) -> np.ndarray:
    """Computes class probabilities of each video by a regression on the other folds.

    Args:
      features: [V, num_clips, F] float32.
      labels: [V] integers.
      num_classes: C.
      seed: of the folds.

    Returns:
      [V, C] float64.

    Raises:
      UserError: there are no two classes of two videos.
    """
    folds = StratifiedKFold(num_folds(labels), shuffle=True, random_state=seed)
    probabilities = np.empty([len(labels), num_classes])
    with warnings.catch_warnings():
        # That a class has fewer videos than there are folds.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = list(folds.split(features, labels))
    for fitted, tested in parts:
        probabilities[tested] = fitted_probabilities(
            features[fitted], labels[fitted], features[tested], num_classes
        )
    return probabilities
