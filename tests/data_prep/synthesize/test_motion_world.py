from __future__ import annotations

import dataclasses
import math
import os
import pathlib

import numpy as np
import pytest

from data_prep.config import SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.synthesize.motions import MOTIONS, Draw
from data_prep.synthesize.render import VideoTask, random_placement, render
from data_prep.synthesize.textures import random_texture, texture_side
from data_prep.synthesize.write_videos import synthesize
from vie_tf.storage.errors import UserError

DRAW = Draw(direction=1, strength=0.5, period=10.0, phase=0.3, pixel=1.0)
# How a motion is drawn to be another's mirror image; the others are their own.
MIRRORED = {
    "pan": {"direction": -1},
    "rotate": {"direction": -1},
    "orbit": {"direction": -1},
    "shake": {"phase": 0.3 + math.pi},
    "swing": {"phase": 0.3 + math.pi},
}


def _config(output_dir, **settings) -> SynthesisConfig:
    defaults = {"num_videos": 4, "num_classes": 2, "size": 48, "seconds": 0.8}
    defaults.update(scenes=1, num_processes=1)
    return SynthesisConfig(output_dir=str(output_dir), **{**defaults, **settings})


def _files(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.mp4")
    }


def test_videos_lie_in_class_folders_with_the_size_and_length_asked_for(tmp_path):
    synthesize(_config(tmp_path))
    assert sorted(_files(tmp_path)) == [
        "pan/pan_00000.mp4",
        "pan/pan_00001.mp4",
        "rise/rise_00000.mp4",
        "rise/rise_00001.mp4",
    ]
    capture = cv2.VideoCapture(str(tmp_path / "pan" / "pan_00000.mp4"))
    pictures = []
    while (read := capture.read())[0]:
        pictures.append(read[1])
        # Prediction from other frames would leave traces of the motion in each.
        assert chr(int(capture.get(cv2.CAP_PROP_FRAME_TYPE))) == "I"
    assert [picture.shape for picture in pictures] == [(48, 64, 3)] * 20
    assert capture.get(cv2.CAP_PROP_FPS) == 25


def test_same_seed_same_bytes_and_other_seed_other_videos(tmp_path):
    synthesize(_config(tmp_path / "a"))
    synthesize(_config(tmp_path / "b", num_processes=2))
    synthesize(_config(tmp_path / "c", seed=1))
    assert _files(tmp_path / "a") == _files(tmp_path / "b")
    for name, content in _files(tmp_path / "c").items():
        assert content != _files(tmp_path / "a")[name]


def test_a_second_run_makes_only_what_is_missing(tmp_path, capfd):
    synthesize(_config(tmp_path))
    before = _files(tmp_path)
    os.remove(tmp_path / "pan" / "pan_00001.mp4")
    kept = tmp_path / "rise" / "rise_00001.mp4"
    time_of_kept = kept.stat().st_mtime_ns
    synthesize(_config(tmp_path, num_videos=6))
    assert before.items() <= _files(tmp_path).items()
    assert len(_files(tmp_path)) == 6
    assert kept.stat().st_mtime_ns == time_of_kept
    assert "3 of 6 videos" in capfd.readouterr().out


def test_a_folder_of_other_videos_is_left_alone(tmp_path):
    synthesize(_config(tmp_path))
    with pytest.raises(UserError, match="--output_dir"):
        synthesize(_config(tmp_path, seed=3))
    with pytest.raises(UserError, match="2 files.*--output_dir"):
        synthesize(_config(tmp_path, num_videos=2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 13, "num_videos": 20}, "1 to 12.*orbit"),
        ({"num_videos": 1}, "--num_classes=2"),
        ({"size": 49}, "--size=49"),
        ({"seconds": 4, "scenes": 2}, "--scenes=3"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        synthesize(_config(tmp_path, **settings))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_the_users_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="--output_dir"):
        synthesize(_config(tmp_path / "file"))


@pytest.mark.parametrize("name", MOTIONS)
def test_a_class_seen_in_a_mirror_is_the_same_class(name):
    mirror = np.diag([-1.0, 1.0, 1.0])
    twin = dataclasses.replace(DRAW, **MIRRORED.get(name, {}))
    for frame in (0, 3, 7.5):
        seen = mirror @ np.vstack([MOTIONS[name](DRAW, frame), [0, 0, 1]]) @ mirror
        np.testing.assert_allclose(MOTIONS[name](twin, frame), seen[:2], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pan", [[1, 0, 1.65], [0, 1, 0]]),
        ("rise", [[1, 0, 0], [0, 1, -1.65]]),
        ("fall", [[1, 0, 0], [0, 1, 1.65]]),
        ("zoom_in", np.diag([math.exp(0.03)] * 2 + [0])[:2]),
        ("zoom_out", np.diag([math.exp(-0.03)] * 2 + [0])[:2]),
        ("still", [[1, 0, 0], [0, 1, 0]]),
    ],
)
def test_motions_move_by_the_middle_of_their_range_in_a_frame(name, expected):
    np.testing.assert_allclose(MOTIONS[name](DRAW, 1), expected)


@pytest.mark.parametrize("name", ["pan", "rise", "fall"])
def test_pictures_move_as_the_motion_says(tmp_path, name):
    config = _config(tmp_path, size=192, seconds=1.2, num_classes=12)
    gray = [
        cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)
        for frame in render(VideoTask(config, name, 0))
    ]
    window = cv2.createHanningWindow(gray[0].shape[::-1], cv2.CV_32F)
    shifts = [
        cv2.phaseCorrelate(old, new, window)[0] for old, new in zip(gray, gray[1:])
    ]
    right, down = np.median(shifts, axis=0)
    along, across = (right, down) if name == "pan" else (down, right)
    sign = {"pan": np.sign(along), "rise": -1, "fall": 1}[name]
    assert 0.7 < sign * along / 2 < 2.6  # for frames of 96 pixels
    assert abs(across) < 0.1


def test_scale_says_nothing_of_the_class_at_any_frame():
    def scale_at_start(motion: str, number: int) -> float:
        rng = np.random.default_rng(number)
        start = -rng.uniform(0, 25)  # Of a scene of 25 frames.
        placement = random_placement(motion, rng, 25, side=256)
        draw = Draw.random(rng, pixel=1.0)
        moved = MOTIONS[motion](draw, -(start + 12.5))
        return (
            math.log(np.linalg.det(moved[:, :2]) / np.linalg.det(placement[:2, :2])) / 2
        )

    for motion in ("pan", "zoom_in", "zoom_out"):
        scales = [scale_at_start(motion, number) for number in range(2000)]
        assert np.mean(scales) == pytest.approx(0, abs=0.02)
        assert np.std(scales) == pytest.approx(0.264, abs=0.02)


def test_textures_tile_without_a_seam():
    for seed in range(8):
        texture = random_texture(np.random.default_rng(seed), 256, 1.0).astype(int)
        inside = np.abs(np.diff(texture, axis=0)).mean()
        seam = np.abs(texture[0] - texture[-1]).mean()
        assert seam < 2 * inside
        assert texture.std() > 20
    assert texture_side(96) == 256
