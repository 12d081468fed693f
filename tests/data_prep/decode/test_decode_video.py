from __future__ import annotations

import csv
import pathlib
import wave

import numpy as np
import pytest
import video_fixtures as videos

from data_prep.config import FrameSettings
from data_prep.decode import play_clock
from data_prep.decode.decode_video import UnreadableVideo, decode_video
from data_prep.decode.frame_encoder import as_bgr
from data_prep.decode.opencv import cv2
from data_prep.decode.play_clock import PlayClock
from data_prep.decode.video_file import VideoFile

ODD_CLIPS = pathlib.Path(__file__).parents[3] / "../shared/clips/odd"


def _decode(path, start=None, end=None, **settings):
    defaults = {"fps": 25.0, "shortest_side": 320, "jpeg_quality": 90, "min_frames": 1}
    return decode_video(
        str(path), FrameSettings(**{**defaults, **settings}), start, end
    )


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


@pytest.mark.parametrize("fps", [59.94, 60])
def test_of_many_pictures_those_on_display_are_taken(tmp_path, fps):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=480, fps=fps)
    expected = [int((k / 25 + 0.001) * fps) for k in range(200)]
    assert _numbers(_decode(path)) == expected


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
    within = play_clock.MAX_SECS_ON_DISPLAY - 1
    assert _secs([0, within]) == [0, within]
    assert _secs([0, within + 2]) == [0, 0.04]


def test_the_last_rows_of_pictures_with_ten_bits_are_theirs():
    # 40 x 40, gray of 100, 130, 160 and 190.  OpenCV up to 4.12 leaves 3 rows out.
    decoded = _decode(pathlib.Path(__file__).parents[2] / "fixtures/ten_bits.mp4")
    for gray, jpeg in zip((100, 130, 160, 190), decoded.frames):
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        np.testing.assert_allclose(picture[-8:], gray, atol=4)


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


def test_gray_alpha_and_16_bit_pictures_become_8_bit_bgr():
    expected = np.full((2, 2, 3), 7, np.uint8)
    gray = np.full((2, 2), 7, np.uint8)
    alpha = np.dstack([expected, np.zeros((2, 2), np.uint8)])
    deep = np.full((2, 2, 1), 7 << 8, np.uint16)
    for picture in (expected, gray, alpha, deep):
        np.testing.assert_array_equal(as_bgr(picture), expected)
    with pytest.raises(UnreadableVideo, match="float32"):
        as_bgr(expected.astype(np.float32))


def test_what_is_no_video_is_refused_with_its_reason(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "folder.mp4").mkdir()
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))
    for name, reason in [
        ("sound.wav", "sound but no picture"),
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
    monkeypatch.setattr(FrameSettings, "max_record_bytes", 10_000)
    with pytest.raises(UnreadableVideo, match="too long.*cut it"):
        _decode(tmp_path / "video.avi")


def test_damaged_videos_give_what_decodes_and_print_nothing(tmp_path, capfd):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=50)
    videos.cut(path, 0.6)
    decoded = _decode(path, max_missing_share=0.9)
    assert 10 < decoded.frames_decoded < 40
    assert capfd.readouterr() == ("", "")


def test_only_pictures_that_are_shown_are_converted(tmp_path, monkeypatch):
    converted = []
    convert = VideoFile.picture
    monkeypatch.setattr(
        VideoFile, "picture", lambda file: converted.append(1) or convert(file)
    )
    videos.write_video(tmp_path / "video.avi", num_pictures=100, fps=50)
    assert len(_decode(tmp_path / "video.avi").frames) == 50
    assert len(converted) <= 51
    converted.clear()
    assert len(_decode(tmp_path / "video.avi", start=1.0, end=1.2).frames) == 5
    assert len(converted) == 5


def test_a_segment_is_what_was_on_display_within_it(tmp_path):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=100, fps=50)
    assert _numbers(_decode(path, start=1.0, end=1.2)) == [50, 52, 54, 56, 58]
    # Between two pictures it starts with the earlier one.
    assert _numbers(_decode(path, start=0.33, end=0.41)) == [16, 18]
    assert _numbers(_decode(path, end=0.12)) == [0, 2, 4]


def test_a_segment_ends_with_the_video(tmp_path):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=50)
    assert _numbers(_decode(path, start=1.8)) == [45, 46, 47, 48, 49]
    assert _numbers(_decode(path, start=1.8, end=90.0)) == [45, 46, 47, 48, 49]


def test_no_picture_after_a_segment_is_decoded(tmp_path):
    videos.write_video(tmp_path / "video.avi", num_pictures=100)
    assert _decode(tmp_path / "video.avi", end=0.4).frames_decoded == 11


def test_segments_that_hold_nothing_are_refused(tmp_path):
    videos.write_video(tmp_path / "video.avi", num_pictures=50)
    with pytest.raises(UnreadableVideo, match="starts at 2 s.*video ends at 2 s"):
        _decode(tmp_path / "video.avi", start=2.0, end=3.0)
    for start, end in [(1.0, 1.0), (3.0, 1.0), (-1.0, 1.0), (float("nan"), None)]:
        with pytest.raises(UnreadableVideo, match="end above it"):
            _decode(tmp_path / "video.avi", start=start, end=end)


@pytest.mark.parametrize("factor", [1.5, 1.9, 2.0, 3.4])
def test_fine_patterns_do_not_turn_into_coarse_ones(tmp_path, factor):
    side = round(100 * factor)
    stripes = np.zeros((side, side, 3), np.uint8)
    stripes[:, ::2] = 200  # Of one pixel each: gray, seen from far away.
    assert cv2.imwrite(str(tmp_path / "stripes.png"), stripes)
    settings = {"media": "images", "shortest_side": 100, "jpeg_quality": 100}
    jpeg = _decode(tmp_path / "stripes.png", **settings).frames[0]
    frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert frame.shape == (100, 100)
    assert abs(frame.mean() - 100) < 3
    # In the picture it is 100, of linear interpolation 50, of areas 33.
    assert frame[5:-5, 5:-5].std() < 34


def test_frames_are_enlarged_if_asked(tmp_path):
    videos.write_video(tmp_path / "video.avi")
    decoded = _decode(tmp_path / "video.avi", shortest_side=96, enlarge=True)
    assert (decoded.height, decoded.width) == (96, 128)
    assert _numbers(decoded) == list(range(10))


def test_a_line_of_pixels_is_kept_but_not_blown_up(tmp_path):
    assert cv2.imwrite(str(tmp_path / "line.png"), np.zeros((1, 3000, 3), np.uint8))
    kept = _decode(tmp_path / "line.png", media="images")
    assert (kept.height, kept.width) == (1, 3000)
    with pytest.raises(UnreadableVideo, match="3000 x 1 pixels.*960000 x 320"):
        _decode(tmp_path / "line.png", media="images", enlarge=True)


def test_a_long_picture_keeps_at_least_one_pixel(tmp_path):
    videos.write_picture(tmp_path / "long.png", 5, size=(2000, 4))
    decoded = _decode(tmp_path / "long.png", media="images", shortest_side=1)
    assert (decoded.height, decoded.width) == (1, 500)


def _web_video(path):
    videos.write_video(path, num_pictures=250)
    videos.put_index_first(path)


def test_videos_of_which_too_much_is_missing_are_refused(tmp_path):
    path = tmp_path / "video.mp4"
    _web_video(path)
    assert _decode(path).frames_decoded == 250
    videos.cut(path, 0.4)
    with pytest.raises(UnreadableVideo, match=r"^truncated: \d\d of 250 frames.* 10 s"):
        _decode(path)
    kept = _decode(path, max_missing_share=0.8)
    assert kept.frames_decoded == len(kept.frames)
    assert 50 < len(kept.frames) < 125
    assert _numbers(kept) == list(range(len(kept.frames)))


def test_of_a_segment_only_its_own_part_has_to_be_there(tmp_path):
    path = tmp_path / "video.mp4"
    _web_video(path)
    videos.cut(path, 0.4)
    assert _numbers(_decode(path, end=1.0)) == list(range(25))
    with pytest.raises(UnreadableVideo, match=r"truncated: 0 of 2 s of its segment"):
        _decode(path, start=7.0, end=9.0)


def test_holes_are_truncation_too(tmp_path):
    path = tmp_path / "video.mp4"
    _web_video(path)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(len(content) - half))
    assert _decode(path, max_missing_share=0.7).frames_decoded < 150
    with pytest.raises(UnreadableVideo, match="truncated"):
        _decode(path, max_missing_share=0.3)


def test_containers_that_promise_too_much_are_not_believed(tmp_path):
    path = tmp_path / "video.avi"
    videos.write_video(path, num_pictures=20)
    content = bytearray(path.read_bytes())
    # Length of the stream: behind its name and 32 bytes of other fields.
    place = content.index(b"strh") + 8 + 32
    assert content[place : place + 4] == (20).to_bytes(4, "little")
    content[place : place + 4] = (500).to_bytes(4, "little")
    path.write_bytes(content)
    with VideoFile(str(path)) as file:
        assert file.claimed_pictures == 500
    assert _decode(path).frames_decoded == 20


def test_cut_videos_without_an_index_say_so(tmp_path):
    videos.write_video(tmp_path / "video.mp4", num_pictures=50)
    videos.cut(tmp_path / "video.mp4", 0.5)
    with pytest.raises(UnreadableVideo, match="cut short.*index"):
        _decode(tmp_path / "video.mp4")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"mp4v", b"encv", "encrypted"),
        (b"vide", b"soun", "sound but no picture"),
        (b"mp4v", b"av01", "AV1"),
    ],
)
def test_what_cannot_be_decoded_is_named(tmp_path, old, new, reason):
    path = tmp_path / "video.mp4"
    videos.write_video(path)
    content = path.read_bytes().replace(old, new)
    # The description of the stream would give the codec away.
    path.write_bytes(content.replace(b"esds", b"free"))
    with pytest.raises(UnreadableVideo, match=reason):
        _decode(path)


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
