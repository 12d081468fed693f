import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.neighbors import KNeighborsClassifier

from vie_tf.metrics import leave_one_out
from vie_tf.storage.errors import UserError

ROWS = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [-1, 0.2]])


def test_a_video_is_not_its_own_neighbor():
    # The nearest others of the five are 1, 0, 3, 2 and 2.
    labels = np.array([0, 0, 1, 0, 1])
    found = leave_one_out.is_right(ROWS, labels, k=1)
    assert found.tolist() == [True, True, False, False, True]


def test_videos_without_a_label_or_a_second_one_are_not_asked():
    labels = np.array([0, 0, 1, -1, 2])
    assert leave_one_out.counted(labels).tolist() == [True, True, False, False, False]
    assert leave_one_out.is_right(ROWS, labels, k=1).tolist() == [True, True]
    with pytest.raises(UserError):
        leave_one_out.scores(ROWS, np.arange(5))


def test_the_norm_of_rows_does_not_matter():
    labels = np.array([0, 0, 1, 1, 1])
    sizes = np.array([[3.0], [0.1], [1], [7], [2]])
    assert leave_one_out.scores(ROWS, labels) == leave_one_out.scores(
        sizes * ROWS, labels
    )


def test_scores_equal_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 3
    rows = rng.normal(size=(40, 5)) + np.eye(5)[labels]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    right, precisions = [], []
    for query in range(40):
        others = np.delete(np.arange(40), query)

        def weight(distances):
            return np.exp((1 - distances - 1) / 0.07)

        twin = KNeighborsClassifier(10, metric="cosine", weights=weight)
        twin.fit(rows[others], labels[others])
        right.append(twin.predict(rows[query : query + 1])[0] == labels[query])
        precisions.append(
            average_precision_score(
                labels[others] == labels[query], rows[others] @ rows[query]
            )
        )
    found = leave_one_out.scores(rows, labels)
    assert found["knn10"] == np.mean(right)
    assert abs(found["map"] - np.mean(precisions)) < 1e-6
