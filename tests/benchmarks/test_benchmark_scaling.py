import cv2
import numpy as np

from benchmarks import scaling


def test_the_curves_of_scaling_are_drawn(tmp_path):
    path = tmp_path / "scaling.png"
    curves = {"one": [0.01, 0.1], "two": [1.0, 1.0]}
    scaling.draw([10_000, 100_000], curves, str(path))
    picture = cv2.imread(str(path))
    for color in scaling._COLORS[:2]:
        assert np.any(np.all(picture == color, axis=-1))


def test_a_step_is_timed(monkeypatch):
    # On one replica, as devices cannot be divided in the process of the tests.
    monkeypatch.setattr(scaling, "PIXELS", 32)
    monkeypatch.setattr(scaling, "REPLICA_BATCH_SIZE", 4)
    assert scaling.replica_step_seconds(1, num_videos=9000) > 0
