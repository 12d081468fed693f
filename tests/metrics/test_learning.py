import numpy as np
import pytest
from run_fixtures import unit_rows

from vie_tf.metrics.features import unit_norm
from vie_tf.metrics.learning import figures as learning

NO_LABELS = np.full(60, -1)


def figures_of(rows, labels=None, noise=0.0):
    rows = unit_norm(np.asarray(rows, np.float32))
    other = unit_norm(rows + noise * unit_rows(len(rows), rows.shape[1], seed=9))
    halves = np.stack([rows, other], axis=1)
    return learning.figures(rows, halves, NO_LABELS if labels is None else labels)


def test_overlap_is_the_share_of_common_neighbors():
    first = np.array([[1, 2], [0, 2], [0, 1]])
    second = np.array([[2, 1], [2, 3], [4, 3]])
    assert learning.overlap(first, second).tolist() == [1.0, 0.5, 0.0]


def test_halves_that_are_the_same_agree_and_are_aligned():
    same = figures_of(unit_rows(60))
    assert (same.agreement, same.alignment) == (1.0, pytest.approx(0, abs=1e-6))
    other = figures_of(unit_rows(60), noise=50.0)
    # Ten random neighbors of 59 share 10 / 59 with ten others.
    assert other.agreement == pytest.approx(10 / 59, abs=0.05)
    assert other.alignment == pytest.approx(2, abs=0.3)


def test_alignment_and_uniformity_equal_their_slow_twins():
    rows = unit_rows(60)
    found = figures_of(rows, noise=0.5)
    other = unit_norm(rows + 0.5 * unit_rows(60, seed=9))
    squares = np.sum((rows - other) ** 2, axis=1)
    assert found.alignment == pytest.approx(squares.mean(), abs=1e-5)
    pairs = [
        np.exp(-2 * np.sum((rows[i] - rows[j]) ** 2))
        for i in range(60)
        for j in range(60)
        if i != j
    ]
    assert found.uniformity == pytest.approx(np.log(np.mean(pairs)), abs=1e-4)


def test_accuracy_is_there_with_labels_alone():
    labels = np.arange(60) % 3
    found = figures_of(np.eye(3)[labels] + 0.1 * unit_rows(60, 3), labels)
    assert found.values()["knn"] == 1.0
    assert "knn" not in figures_of(unit_rows(60)).values()
    assert "knn" not in figures_of(unit_rows(60), np.arange(60)).values()


def worlds(seed=0, num_scenes=10, num_motions=6):
    """Vectors of the scene and of the motion of 60 videos, and figures of both."""
    scenes, motions = np.divmod(np.arange(num_scenes * num_motions), num_motions)
    scene = unit_rows(num_scenes, 20, seed)[scenes]
    motion = unit_rows(num_motions, 20, seed + 1)[motions]
    noise = 0.1 * unit_rows(60, 20, seed + 2)
    return scene + noise, motion + noise[::-1], scenes, motions


def test_an_embedding_of_scenes_alone_is_told():
    scene, motion, _, _ = worlds()
    pixels, moves = figures_of(scene), figures_of(motion)
    run = figures_of(scene + 0.1 * unit_rows(60, 20, seed=5))
    found = learning.same_scene(run, pixels, moves)
    assert found.nearest > 0.95
    assert found.chance == pytest.approx(6 / 59)
    assert found.motion - found.motion_of_pixels < 2 * found.standard_error


def test_an_embedding_of_motion_or_of_both_is_not():
    scene, motion, _, _ = worlds()
    pixels, moves = figures_of(scene), figures_of(motion)
    found = learning.same_scene(figures_of(motion), pixels, moves)
    assert found.nearest < 0.5 and found.motion > 0.95
    both = figures_of(np.concatenate([1.5 * scene, motion], axis=1))
    found = learning.same_scene(both, pixels, moves)
    assert found.nearest > 0.5  # most alike are videos of the same scene ...
    # ... and yet it knows what moves elsewhere.
    assert found.motion - found.motion_of_pixels > 4 * found.standard_error


def test_few_videos_do_not_tell():
    rows = unit_rows(20)
    few = learning.figures(rows, np.stack([rows, rows], axis=1), NO_LABELS[:20])
    assert learning.same_scene(few, few, few) is None
