import subprocess
import sys

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


def test_a_step_is_timed_on_two_replicas():
    arguments = ["--replicas=2", "--most_videos=9000"]
    code = "from benchmarks import scaling; "
    code += "scaling.PIXELS = 32; scaling.REPLICA_BATCH_SIZE = 4; scaling.main()"
    command = [sys.executable, "-c", code, *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(output.stdout.split()[-1]) > 0
