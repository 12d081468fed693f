"""Pictures on display for long, as in screen recordings and slide shows."""

from __future__ import annotations

import pathlib

import mp4_fixtures as mp4
import pytest
import video_fixtures as videos

from data_prep.config import FrameSettings
from data_prep.decode.decode_video import UnreadableVideo, decode_video
from data_prep.decode.play_clock import MAX_SECS_ON_DISPLAY, PlayClock

FAULTS = pathlib.Path(__file__).parents[3] / "../shared/faults"


def _decode(path, start=None, end=None):
    return decode_video(str(path), FrameSettings(25.0, 320, 90, 2), start, end)


def _numbers(decoded) -> list[int]:
    return [videos.picture_number(jpeg) for jpeg in decoded.frames]


def _write_recording(path, durations):
    """Writes an .mp4 whose pictures have these durations, which its header sums up."""
    pictures = sum(count for count, _ in durations)
    secs = sum(count * duration for count, duration in durations)
    videos.write_video(path, num_pictures=pictures, fps=pictures / secs)
    videos.set_durations(path, durations)


@pytest.mark.skipif(not FAULTS.exists(), reason="needs the faulty clips")
def test_faulty_clips_keep_their_length():
    assert abs(len(_decode(FAULTS / "still30.mp4").frames) - 850) <= 1
    assert abs(len(_decode(FAULTS / "slides20.mp4").frames) - 3000) <= 1
    assert len(_decode(FAULTS / "still30.mp4", 32.0, 34.0).frames) == 50


def test_a_picture_stays_until_the_next(tmp_path):
    path = tmp_path / "recording.mp4"
    _write_recording(path, [(49, 0.04), (1, 30.04), (50, 0.04)])
    decoded = _decode(path)
    assert decoded.frames_decoded == 100
    numbers = _numbers(decoded)
    assert abs(len(numbers) - 850) <= 1
    # Ticks of the file are coarse, so that pictures come on a frame early or late.
    assert all(abs(number - k) <= 1 for k, number in enumerate(numbers[:49]))
    assert set(numbers[50:799]) == {49}
    assert all(abs(number - k) <= 2 for k, number in enumerate(numbers[801:], 51))


def test_a_segment_after_a_long_display_can_be_cut(tmp_path):
    path = tmp_path / "recording.mp4"
    _write_recording(path, [(49, 0.04), (1, 30.04), (50, 0.04)])
    numbers = _numbers(_decode(path, 32.2, 33.2))
    assert len(numbers) == 25 and abs(numbers[0] - 55) <= 1
    with pytest.raises(UnreadableVideo, match="ends at 34 s"):
        _decode(path, 35.0, 36.0)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_slides_have_their_time(tmp_path, ending):
    path = tmp_path / f"slides.{ending}"
    videos.write_video(path, num_pictures=6, fps=0.05)
    numbers = _numbers(_decode(path))
    assert abs(len(numbers) - 3000) <= 1
    assert [numbers.count(slide) for slide in range(5)] == [500] * 5


def test_the_last_picture_stays_to_the_end(tmp_path):
    path = tmp_path / "recording.mp4"
    _write_recording(path, [(49, 0.04), (1, 8.04)])
    numbers = _numbers(_decode(path))
    assert abs(len(numbers) - 250) <= 1 and set(numbers[50:]) == {49}


def test_of_a_file_that_is_cut_short_the_last_picture_does_not_stay(tmp_path):
    path = tmp_path / "recording.mp4"
    videos.write_video(path, num_pictures=100)
    videos.put_index_first(path)
    videos.cut(path, 0.7)
    decoded = _decode(path)
    assert len(decoded.frames) == decoded.frames_decoded < 90


def test_stamps_that_jump_out_of_the_file_are_not_believed(tmp_path):
    path = tmp_path / "broken.mp4"
    videos.write_video(path, num_pictures=100)  # 4 s, by its header.
    videos.set_durations(path, [(49, 0.04), (1, 3600.0), (50, 0.04)])
    mp4.replace(path, b"edts", b"free")  # FFmpeg would cut what exceeds an edit.
    assert abs(len(_decode(path).frames) - 100) <= 1


def test_the_clock_asks_once_a_display_is_long_and_heeds_the_answer():
    asked = []

    def longest() -> float:
        asked.append(True)
        return 60.0

    clock = PlayClock(25.0, longest)
    for stamp in (0.0, 1.0, 1.0 + MAX_SECS_ON_DISPLAY):
        clock.advance(stamp)
    assert not asked and not clock.saw_long_display
    clock.advance(50.0)
    assert asked and clock.saw_long_display and clock.secs == 50.0
    clock.advance(1000.0)
    assert clock.secs == pytest.approx(50.04)
