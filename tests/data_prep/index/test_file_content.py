"""Videos and pictures whose ending does not say what they are."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import video_fixtures as videos
from list_fixtures import touch

from data_prep.config import ConversionConfig
from data_prep.convert.conversion import convert
from data_prep.decode.opencv import cv2
from data_prep.index.folder import read_folder
from data_prep.index.media_tree import MediaTree


def _sources(root, media="videos") -> list[str]:
    return [video.source for video in read_folder(MediaTree(str(root), media))]


def _write_animation(path):
    animation = cv2.Animation()
    animation.frames = [np.full((48, 64, 4), 20 * i, np.uint8) for i in range(5)]
    animation.durations = [100] * 5
    assert cv2.imwriteanimation(str(path), animation)


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
@pytest.mark.parametrize("name", ["clip", "clip.dat", "clip.1"])
def test_a_video_of_any_name_is_taken(tmp_path, name, ending):
    videos.write_video(tmp_path / f"clip{ending}")
    (tmp_path / f"clip{ending}").rename(tmp_path / name)
    assert _sources(tmp_path) == [name]


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\1\x67\x42\0\x1e",
        b"\0\0\1\x09\xf0",
        b"\0\0\0\1\x40\1\x0c\1",
        b"\0\0\1\xba!\0\1",
        b"FLV\1\1",
        b"DHAV\xfd",
        b"OggS\0\2" + bytes(22) + b"\1\x2a\x80theora",
        (b"G" + bytes(187)) * 3,
        (bytes(4) + b"G" + bytes(187)) * 3,
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x12" + bytes(9) + b"ANIM",
    ],
)
def test_the_beginning_of_a_video_is_recognized(tmp_path, head):
    (tmp_path / "unknown").write_bytes(head)
    assert _sources(tmp_path) == ["unknown"]


def test_what_is_no_video_is_left_out_and_known(tmp_path):
    touch(tmp_path, "a.mp4", "Thumbs.db")
    (tmp_path / "notes.txt").write_text("GGG, a note")
    (tmp_path / "sound").write_bytes(b"\0\0\0\x18ftypM4A \0\0\0\0")
    videos.write_picture(tmp_path / "still.webp", 3)
    videos.write_picture(tmp_path / "still.png", 3)
    tree = MediaTree(str(tmp_path), "videos")
    assert tree.sources == ("a.mp4",)
    assert tree.left_out == ("notes.txt", "sound", "still.png", "still.webp")


def test_a_moving_png_is_a_video_and_a_moving_webp_is_tried(tmp_path):
    _write_animation(tmp_path / "moving.png")
    _write_animation(tmp_path / "moving.webp")
    assert _sources(tmp_path) == ["moving.png", "moving.webp"]
    data = tmp_path.parent / f"{tmp_path.name}-data"
    manifest = convert(ConversionConfig(str(tmp_path), str(data), num_processes=1))
    assert [video.source for video in manifest.videos] == ["moving.png"]
    (refused,) = manifest.refused
    assert refused.source == "moving.webp" and "WebP" in refused.reason


def test_pictures_are_known_by_their_bytes_too(tmp_path):
    videos.write_picture(tmp_path / "a.png", 1)
    (tmp_path / "a.png").rename(tmp_path / "a")
    for name, brand in [("b.heic", b"heic"), ("c.avif", b"avif"), ("d", b"heix")]:
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(8))
    touch(tmp_path, "film.mp4")
    tree = MediaTree(str(tmp_path), "images")
    assert tree.sources == ("a", "b.heic", "c.avif", "d")
    assert tree.left_out == ("film.mp4",)


def test_what_is_left_out_is_counted_and_listed(tmp_path, capsys):
    root, data = tmp_path / "videos", tmp_path / "data"
    videos.write_video(root / "a.avi")
    (root / "notes.txt").write_text("a note")
    (root / "disc.iso").write_bytes(bytes(100))
    manifest = convert(ConversionConfig(str(root), str(data), num_processes=1))
    assert not manifest.refused
    assert "2 files" in capsys.readouterr().out
    with open(data / "refused.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["disc.iso", "notes.txt"]
    assert all("left out" in row["reason"] for row in rows)


def test_pictures_of_phones_are_refused_with_the_way_out(tmp_path):
    root, data = tmp_path / "pictures", tmp_path / "data"
    videos.write_picture(root / "a.jpg", 1)
    (root / "b.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    config = ConversionConfig(str(root), str(data), media="images", num_processes=1)
    (refused,) = convert(config).refused
    assert refused.source == "b.heic" and "convert it to JPEG" in refused.reason
