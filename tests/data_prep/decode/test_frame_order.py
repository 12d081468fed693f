from __future__ import annotations

import csv

import mp4_fixtures as mp4
import pytest
import video_fixtures as videos

from data_prep.config import ConversionConfig
from data_prep.convert.conversion import convert
from data_prep.decode.frame_order import order
from data_prep.decode.opencv import MAPS_HDR


@pytest.mark.parametrize(
    "names",
    [
        ["0.jpg", "0.04.jpg", "0.08.jpg", "0.12.jpg", "0.16.jpg", "0.2.jpg"],
        ["t_0.04s.png", "t_0.08s.png", "t_0.1s.png"],
        ["1.1.jpg", "1.2.jpg", "1.10.jpg", "1.11.jpg"],
        ["1.jpg", "2.jpg", "10.jpg"],
        ["2024.1.5.jpg", "2024.2.5.jpg", "2024.10.5.jpg"],
    ],
)
def test_pictures_come_in_the_order_of_their_numbers(names):
    assert order(sorted(names))[0] == names
    assert order(names[::-1])[0] == names


@pytest.mark.parametrize(
    ("names", "gap"),
    [
        (["1.jpg", "2.jpg", "3.jpg", "5.jpg"], "3.jpg and 5.jpg"),
        (["0.04.jpg", "0.08.jpg", "0.12.jpg", "0.4.jpg"], "0.12.jpg and 0.4.jpg"),
        (["0.jpg", "10.jpg", "20.jpg", "30.jpg"], ""),
        (["a.jpg", "b.jpg"], ""),
    ],
)
def test_gaps_are_noted_and_regular_steps_are_none(names, gap):
    taken, notes = order(names)
    assert taken == names
    assert len(notes) == bool(gap) and all(gap in note for note in notes)


def test_of_doubles_the_usual_ending_is_taken():
    names = ["001.jpg", "001.png", "002.jpg", "2.jpg", "003.jpg"]
    taken, (note,) = order(names)
    assert taken == ["001.jpg", "002.jpg", "003.jpg"]
    assert "2, such as" in note


def test_notes_are_counted_and_listed(tmp_path, capsys):
    root, data = tmp_path / "frames", tmp_path / "data"
    for number in (1, 2, 3, 7):
        videos.write_picture(root / "a" / f"{number}.jpg", number)
    for number in (1, 2, 3):
        videos.write_picture(root / "b" / f"{number}.jpg", number)
    config = ConversionConfig(str(root), str(data), media="frames", num_processes=1)
    convert(config)
    assert "1 video, such as a" in capsys.readouterr().out
    with open(data / "notes.csv") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["a"]


def test_pictures_of_high_dynamic_range_are_noted(tmp_path, capsys):
    root, data = tmp_path / "videos", tmp_path / "data"
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        videos.write_video(root / name)
    for name in ("a.mp4", "b.mp4"):
        mp4.set_transfer(root / name, 16)
    convert(ConversionConfig(str(root), str(data), num_processes=1))
    output = capsys.readouterr().out
    assert "2 videos, such as a.mp4: PQ" in output
    assert ("dark and pale" in output) != MAPS_HDR
