from __future__ import annotations

import csv
import pathlib

import numpy as np
import pytest
import video_fixtures as videos

from data_prep import decode_frames
from data_prep.decode_frames import PlayClock, UnreadableVideo, as_bgr, decode_video
from data_prep.opencv import cv2

ODD_CLIPS = pathlib.Path(__file__).parents[1] / "../shared/clips/odd"


def _decode(path, **settings):
    defaults = {"fps": 25.0, "shortest_side": 320, "jpeg_quality": 90}
    return decode_video(str(path), **{**defaults, **settings})


def _numbers(decoded) -> list[int]:
    return [videos.picture_number(jpeg) for jpeg in decoded.frames]


def _secs(stamps, nominal_fps=25.0) -> list[float]:
    clock = PlayClock(nominal_fps)
    shown = []
    for stamp in stamps:
        clock.advance(stamp)
        shown.append(round(clock.secs, 3))
    return shown


@pytest.mark.parametrize("fps", [10, 24, 29.97, 30, 50])
def test_ten_seconds_are_250_frames_of_what_was_on_display(tmp_path, fps):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=round(10 * fps), fps=fps)
    decoded = _decode(path)
    assert len(decoded.frames) == 250
    assert decoded.frames_decoded == round(10 * fps)
    # A picture that comes on up to 1 ms late is on time.
    expected = [int((k / 25 + 0.001) * fps) for k in range(250)]
    assert _numbers(decoded) == expected


def test_variable_rates_follow_the_time_stamps(tmp_path):
    path = tmp_path / "video.mp4"
    videos.write_video(path, num_pictures=50, fps=25)
    videos.set_durations(path, [(25, 0.02), (25, 0.06)])
    # Pictures 0-24 come on every 20 ms, from 500 ms on one comes every 60 ms.
    expected = [2 * k if k <= 12 else 25 + (40 * k - 500) // 60 for k in range(50)]
    assert _numbers(_decode(path)) == expected[:49]  # +-1 at the end


def test_another_output_rate_can_be_asked_for(tmp_path):
    videos.write_video(tmp_path / "video.avi", num_pictures=25)
    decoded = _decode(tmp_path / "video.avi", fps=5.0)
    assert decoded.fps == 5.0
    assert _numbers(decoded) == [0, 5, 10, 15, 20]


def test_missing_time_stamps_are_replaced_by_the_nominal_rate():
    assert _secs([0, 0, 0, 0], nominal_fps=10) == [0, 0.1, 0.2, 0.3]
    nan = float("nan")
    assert _secs([nan, nan, nan], nominal_fps=10) == [0, 0.1, 0.2]


def test_one_wrong_time_stamp_does_not_shift_the_rest():
    assert _secs([0, 0.04, 9e6, 0.12, 0.16]) == [0, 0.04, 0.08, 0.12, 0.16]
    assert _secs([0, 0.04, 0.04, 0.12, 0.16]) == [0, 0.04, 0.08, 0.12, 0.16]


def test_time_goes_on_where_the_stamps_start_again():
    assert _secs([7.0, 7.1, 0.0, 0.1, 0.2]) == [0, 0.1, 0.14, 0.24, 0.34]
    assert _secs([0.0, 0.1, 900.0, 900.1]) == [0, 0.1, 0.14, 0.24]


def test_a_first_stamp_above_zero_is_the_start():
    assert _secs([0.0667, 0.1333, 0.2]) == [0, 0.067, 0.133]


def test_an_absurd_nominal_rate_is_not_believed():
    assert _secs([0, 0.1, 0.0], nominal_fps=90000) == [0, 0.1, 0.2]


def test_no_picture_stays_longer_than_the_limit():
    within = decode_frames.MAX_SECS_ON_DISPLAY - 1
    assert _secs([0, within]) == [0, within]
    assert _secs([0, within + 2]) == [0, 0.04]


@pytest.mark.parametrize(("degrees", "corner"), [(90, 1), (180, 2), (270, 3)])
def test_rotated_videos_are_turned_upright(tmp_path, degrees, corner):
    path = tmp_path / "video.mp4"
    picture = np.zeros((videos.HEIGHT, videos.WIDTH, 3), np.uint8)
    picture[:20, :20] = 255  # The top left corner travels clockwise.
    videos.write_pictures(path, [picture] * 3)
    videos.set_rotation_tag(path, degrees)
    decoded = _decode(path)
    size = (48, 64) if degrees == 180 else (64, 48)
    assert (decoded.height, decoded.width) == size
    frame = cv2.imdecode(np.frombuffer(decoded.frames[0], np.uint8), 0)
    corners = [frame[4, 4], frame[4, -4], frame[-4, -4], frame[-4, 4]]
    assert int(np.argmax(corners)) == corner and min(corners) < 30


def test_frames_are_shrunk_to_the_shortest_side_and_never_enlarged(tmp_path):
    videos.write_video(tmp_path / "video.avi")
    shrunk = _decode(tmp_path / "video.avi", shortest_side=24)
    assert (shrunk.height, shrunk.width) == (24, 32)
    frame = cv2.imdecode(np.frombuffer(shrunk.frames[0], np.uint8), cv2.IMREAD_COLOR)
    assert frame.shape == (24, 32, 3)
    kept = _decode(tmp_path / "video.avi", shortest_side=100)
    assert (kept.height, kept.width) == (48, 64)


def test_grey_alpha_and_16_bit_pictures_become_8_bit_bgr():
    expected = np.full((2, 2, 3), 7, np.uint8)
    grey = np.full((2, 2), 7, np.uint8)
    alpha = np.dstack([expected, np.zeros((2, 2), np.uint8)])
    deep = np.full((2, 2, 1), 7 << 8, np.uint16)
    for picture in (expected, grey, alpha, deep):
        np.testing.assert_array_equal(as_bgr(picture), expected)
    with pytest.raises(UnreadableVideo, match="float32"):
        as_bgr(expected.astype(np.float32))


def test_what_is_no_video_is_refused_with_its_reason(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "folder.mp4").mkdir()
    for name, reason in [
        ("missing.mp4", "no such file"),
        ("empty.mp4", "empty"),
        ("text.mp4", "cannot open"),
        ("folder.mp4", "not a file"),
    ]:
        with pytest.raises(UnreadableVideo, match=reason):
            _decode(tmp_path / name)


def test_videos_with_too_few_frames_are_refused(tmp_path):
    videos.write_video(tmp_path / "video.avi", num_pictures=1)
    assert len(_decode(tmp_path / "video.avi").frames) == 1
    with pytest.raises(UnreadableVideo, match="1 frame.*min_frames=2"):
        _decode(tmp_path / "video.avi", min_frames=2)


def test_videos_too_long_for_a_record_are_refused(tmp_path, monkeypatch):
    videos.write_video(tmp_path / "video.avi", num_pictures=50)
    monkeypatch.setattr(decode_frames, "MAX_RECORD_BYTES", 10_000)
    with pytest.raises(UnreadableVideo, match="too long.*cut it"):
        _decode(tmp_path / "video.avi")


def test_damaged_videos_give_what_decodes_and_print_nothing(tmp_path, capfd):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=50)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    decoded = _decode(path)
    assert 10 < decoded.frames_decoded < 40
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not ODD_CLIPS.exists(), reason="needs the odd clips")
def test_odd_clips_give_as_many_pictures_as_decode(capfd):
    with open(ODD_CLIPS / "expected.csv") as file:
        expected = {
            row["file"]: int(row["frames_decoded"] or 0) for row in csv.DictReader(file)
        }
    decoded = {}
    for name in expected:
        try:  # At 1 fps, because only the count matters here.
            decoded[name] = _decode(ODD_CLIPS / name, fps=1.0).frames_decoded
        except UnreadableVideo:
            decoded[name] = 0
    assert decoded == expected
    assert capfd.readouterr() == ("", "")
