from __future__ import annotations

import struct

import numpy as np
import pytest
import video_fixtures as videos

from data_prep.config import FrameSettings
from data_prep.decode.decode_video import UnreadableVideo, decode_video
from data_prep.decode.opencv import cv2


def _decode(path, media, start=None, end=None, **settings):
    defaults = {"fps": 25.0, "shortest_side": 320, "jpeg_quality": 90, "min_frames": 2}
    settings = FrameSettings(media=media, **{**defaults, **settings})
    return decode_video(str(path), settings, start, end)


def _numbers(decoded) -> list[int]:
    return [videos.picture_number(jpeg) for jpeg in decoded.frames]


def _with_orientation(jpeg: bytes, orientation: int, order: str = ">") -> bytes:
    tiff = {">": b"MM", "<": b"II"}[order]
    # One entry: the orientation, a number of two bytes.
    tiff += struct.pack(f"{order}HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + struct.pack(">HH", 0xFFE1, 2 + len(body)) + body + jpeg[2:]


def test_a_folder_of_jpegs_is_stored_byte_for_byte_in_the_order_of_numbers(tmp_path):
    names = [f"{number}.jpg" for number in range(1, 13)]
    contents = [videos.write_picture(tmp_path / n, i) for i, n in enumerate(names)]
    (tmp_path / ".3.jpg").write_text("hidden")
    (tmp_path / "notes.txt").write_text("no picture")
    decoded = _decode(tmp_path, "frames")
    assert list(decoded.frames) == contents
    assert (decoded.height, decoded.width, decoded.fps) == (48, 64, 25.0)
    assert decoded.frames_decoded == 12


def test_other_pictures_are_encoded(tmp_path):
    endings = ["png", "BMP", "webp", "tif", "ppm", "JPEG"]
    for number, ending in enumerate(endings):
        videos.write_picture(tmp_path / f"frame{number}.{ending}", number)
    assert _numbers(_decode(tmp_path, "frames")) == list(range(6))


def test_jpegs_of_another_size_are_fitted(tmp_path):
    for number in range(3):
        size = (64, 48) if number != 1 else (128, 96)
        videos.write_picture(tmp_path / f"{number}.jpg", number, size)
    decoded = _decode(tmp_path, "frames")
    assert _numbers(decoded) == [0, 1, 2]
    shrunk = _decode(tmp_path, "frames", shortest_side=24)
    for strip, shape in [(decoded, (48, 64, 3)), (shrunk, (24, 32, 3))]:
        for jpeg in strip.frames:
            frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert frame.shape == shape


def test_a_segment_of_a_folder_counts_at_the_rate_of_the_frames(tmp_path):
    for number in range(20):
        videos.write_picture(tmp_path / f"{number}.jpg", number)
    assert _numbers(_decode(tmp_path, "frames", start=0.3, end=0.5, fps=10.0)) == [3, 4]
    assert _numbers(_decode(tmp_path, "frames", start=1.8, fps=10.0)) == [18, 19]
    with pytest.raises(UnreadableVideo, match="starts at 3 s.*end at 2 s"):
        _decode(tmp_path, "frames", start=3.0, fps=10.0)


def test_a_broken_picture_refuses_the_folder_and_is_named(tmp_path):
    for number in range(4):
        content = videos.write_picture(tmp_path / f"{number}.jpg", number)
    for broken in (content[: len(content) // 2], content[:-2], b"no picture", b""):
        (tmp_path / "2.jpg").write_bytes(broken)
        with pytest.raises(UnreadableVideo, match=r"^2\.jpg is (broken|empty)"):
            _decode(tmp_path, "frames")


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(UnreadableVideo, match="has no pictures"):
        _decode(tmp_path, "frames")
    with pytest.raises(UnreadableVideo, match="No such file"):
        _decode(tmp_path / "missing", "frames")
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableVideo, match="Not a directory"):
        _decode(tmp_path / "file", "frames")


def test_a_short_folder_is_refused(tmp_path):
    videos.write_picture(tmp_path / "0.jpg", 0)
    with pytest.raises(UnreadableVideo, match="1 frame.*min_frames=2"):
        _decode(tmp_path, "frames")


def test_an_image_is_one_frame_whatever_the_minimum(tmp_path):
    content = videos.write_picture(tmp_path / "image.JPEG", 7)
    assert list(_decode(tmp_path / "image.JPEG", "images").frames) == [content]
    with pytest.raises(UnreadableVideo, match="no such file"):
        _decode(tmp_path / "missing.jpg", "images")


@pytest.mark.parametrize("order", ["<", ">"])
def test_images_are_turned_as_their_tag_says(tmp_path, order):
    path = tmp_path / "image.jpg"
    content = _with_orientation(videos.write_picture(path, 7), 6, order)
    path.write_bytes(content)
    decoded = _decode(path, "images")
    assert (decoded.height, decoded.width) == (64, 48)
    assert b"Exif" not in decoded.frames[0]
    frame = cv2.imdecode(np.frombuffer(decoded.frames[0], np.uint8), cv2.IMREAD_COLOR)
    assert frame.shape == (64, 48, 3)
    # The dark left half of the picture is on top after a turn clockwise.
    assert frame[:28].max() < 20 and frame[36:].min() > 60


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_upright_tag_changes_nothing(tmp_path, order):
    path = tmp_path / "image.jpg"
    content = _with_orientation(videos.write_picture(path, 7), 1, order)
    path.write_bytes(content)
    assert list(_decode(path, "images").frames) == [content]


def test_gray_deep_and_clear_pictures_have_three_channels(tmp_path):
    picture = videos.numbered_picture(30)
    clear = np.dstack([picture, np.zeros((48, 64), np.uint8)])
    cv2.imwrite(str(tmp_path / "0.jpg"), picture[:, :, 0])
    cv2.imwrite(str(tmp_path / "1.png"), clear)
    cv2.imwrite(str(tmp_path / "2.png"), picture.astype(np.uint16) * 257)
    decoded = _decode(tmp_path, "frames")
    assert _numbers(decoded) == [30, 30, 30]
    for jpeg in decoded.frames:
        frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
        assert frame.shape == (48, 64, 3)
