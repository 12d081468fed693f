"""Which stream of a file is the film, and the shape of its pixels."""

from __future__ import annotations

import pathlib

import mp4_fixtures as mp4
import numpy as np
import pytest
import video_fixtures as videos

from data_prep.config import FrameSettings
from data_prep.decode import video_streams
from data_prep.decode.decode_video import UnreadableVideo, decode_video
from data_prep.decode.opencv import cv2
from data_prep.decode.video_streams import PatchedFile, VideoStream, choose

FAULTS = pathlib.Path(__file__).parents[3] / "../shared/faults"


def _decode(path, **settings):
    return decode_video(str(path), FrameSettings(25.0, 320, 90, 2, **settings))


def _numbers(decoded) -> list[int]:
    return [videos.picture_number(jpeg) for jpeg in decoded.frames]


@pytest.mark.skipif(not FAULTS.exists(), reason="needs the faulty clips")
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("two_streams.mp4", (96, 72)),
        ("cover_first.mp4", (96, 72)),
        ("sar.mp4", (128, 72)),
    ],
)
def test_faulty_clips_give_the_film_with_square_pixels(name, size):
    decoded = _decode(FAULTS / name)
    assert (decoded.width, decoded.height) == size
    assert len(decoded.frames) == 75


def test_the_default_stream_is_taken_though_a_preview_is_first(tmp_path):
    film, preview = tmp_path / "film.mp4", tmp_path / "preview.mp4"
    videos.write_video(film, num_pictures=20, first=5)
    videos.write_pictures(preview, [np.zeros((96, 128, 3), np.uint8)] * 20)
    mp4.put_before(film, preview)
    first, second = video_streams.find(str(film))
    assert (first.is_default, second.is_default) == (False, True)
    decoded = _decode(film)
    assert (decoded.width, decoded.height) == (64, 48)
    assert _numbers(decoded) == list(range(5, 25))


def test_a_cover_before_the_film_is_not_the_film(tmp_path):
    path = tmp_path / "film.mp4"
    videos.write_video(path, num_pictures=20)
    mp4.add_cover(path, np.zeros((200, 200, 3), np.uint8))
    decoded = _decode(path)
    assert (decoded.width, decoded.height) == (64, 48)
    assert _numbers(decoded) == list(range(20))


def test_sound_with_a_cover_is_refused_as_sound(tmp_path):
    path = tmp_path / "song.mp4"
    videos.write_video(path, num_pictures=20)
    mp4.add_cover(path, np.zeros((200, 200, 3), np.uint8))
    mp4.replace(path, b"vide", b"soun")
    mp4.replace(path, b"mp4v", b"mp4a")
    with pytest.raises(UnreadableVideo, match="sound and a cover"):
        _decode(path, max_missing_share=1.0)


def test_the_film_is_default_and_large_and_no_cover():
    small, large = VideoStream(pixels=10, pictures=9), VideoStream(pixels=10**4)
    assert choose([small, large]) is large
    hidden = VideoStream(pixels=10**6, is_default=False)
    assert choose([hidden, small]) is small
    assert choose([VideoStream(pixels=10**6, is_cover=True), small]) is small
    still = VideoStream(pixels=10**6, pictures=1, codec=b"jpeg")
    unknown = VideoStream(pixels=10**6, codec=b"V_MJPEG")
    assert choose([still, unknown, small]) is small
    assert choose([unknown]) is unknown
    assert choose([VideoStream(is_cover=True)]) is None


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_the_stream_of_an_ordinary_video_is_known(tmp_path, ending):
    path = tmp_path / f"video.{ending}"
    videos.write_video(path)
    (stream,) = video_streams.find(str(path))
    assert stream.pixels == 64 * 48 and not stream.is_cover
    assert not video_streams.patches([stream])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_stream_that_is_hidden_is_not_opened(tmp_path, ending):
    path = tmp_path / f"video.{ending}"
    videos.write_video(path)
    (stream,) = video_streams.find(str(path))
    with PatchedFile(str(path), [stream.hiding]) as file:
        assert not cv2.VideoCapture().open(file, cv2.CAP_FFMPEG, [])


def test_a_patched_file_differs_where_it_should(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    with PatchedFile(str(tmp_path / "file"), [(3, b"abc"), (9, b"z")]) as file:
        assert file.read() == b"012abc678z"
        file.seek(4)
        assert (file.read(1), file.read(3), file.read(9)) == (b"b", b"c67", b"8z")


@pytest.mark.parametrize(
    ("aspect", "size"),
    [((4, 3), (85, 48)), ((1, 2), (32, 48)), ((64, 63), (64, 48)), ((9, 1), (64, 48))],
)
def test_pixels_become_square_by_the_width(tmp_path, aspect, size):
    path = tmp_path / "video.mp4"
    videos.write_video(path)
    mp4.set_pixel_aspect(path, *aspect)
    decoded = _decode(path)
    assert (decoded.width, decoded.height) == size
    assert _numbers(decoded) == list(range(10))
