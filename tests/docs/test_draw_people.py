"""The picture of people in the README."""

import importlib.util
import os
import pathlib

import pytest

from data_prep.decode.opencv import cv2
from docs import draw_people

PICTURE = pathlib.Path(__file__).parents[2] / "docs" / "pictures" / "people.jpg"


def test_the_picture_is_small_and_has_a_row_for_each_action():
    assert os.path.getsize(PICTURE) <= 200_000
    height, width = cv2.imread(str(PICTURE)).shape[:2]
    (wide, high), rows = draw_people.SIZE, len(draw_people.MOMENTS)
    gap = draw_people.GAP
    assert width == draw_people.COLUMNS * (wide + gap) - gap
    assert height == rows * (high + gap) - gap


@pytest.mark.skipif(
    importlib.util.find_spec("pybullet") is None,
    reason="needs pybullet, the extra [world]",
)
def test_people_of_a_row_are_others_in_other_scenes(tmp_path, monkeypatch):
    monkeypatch.setattr(draw_people, "MOMENTS", {"kick": 0.5})
    videos = list(draw_people.videos("kick", 3))
    assert len({video.person for video in videos}) == 3
    assert len({video.shots[0].scene for video in videos}) == 3
    picture = draw_people.sheet(columns=3, size=(42, 32))
    assert picture.shape == (32, 3 * 42 + 2 * draw_people.GAP, 3)
