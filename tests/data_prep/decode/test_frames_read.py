"""Of a video, only the frames that will be read are encoded."""

import pathlib
import subprocess
import sys

import pytest
import video_fixtures as videos

from data_prep.config import FrameSettings
from data_prep.decode import frame_encoder, video_frames
from data_prep.decode.decode_video import decode_video
from data_prep.decode.opencv import cv2
from vie_tf.input.fixed_clips import FramesOfClips

SETTINGS = FrameSettings(25.0, 320, 90, 1)


@pytest.fixture(name="passes")
def fixture_passes(monkeypatch):
    """The runs through a file, one entry each."""
    passes = []
    run = video_frames.FrameSampler.run

    def counted(self, convert_all):
        passes.append(convert_all)
        return run(self, convert_all)

    monkeypatch.setattr(video_frames.FrameSampler, "run", counted)
    return passes


@pytest.fixture(name="num_encoded")
def fixture_num_encoded(monkeypatch):
    """The pictures that were encoded, one entry each."""
    encoded = []
    encode = frame_encoder.FrameEncoder._encode

    def counted(self, picture):
        encoded.append(len(self.frames))
        return encode(self, picture)

    monkeypatch.setattr(frame_encoder.FrameEncoder, "_encode", counted)
    return encoded


def last_ones(count):
    """The last three frames of a video."""
    return range(count - 3, count)


def assert_same(part, whole, frames_read):
    """Facts are equal, and frames that are read; others may be empty."""
    facts = ("fps", "height", "width", "frames_decoded", "notes")
    assert [getattr(part, f) for f in facts] == [getattr(whole, f) for f in facts]
    assert len(part.frames) == len(whole.frames)
    wanted = {0, *frames_read(len(whole.frames))}
    for number, (one, other) in enumerate(zip(part.frames, whole.frames)):
        # A picture that is repeated is encoded once.
        assert one == other or (not one and number not in wanted), number


@pytest.mark.parametrize("fps", [10, 25, 29.97, 60])
def test_frames_that_are_read_are_as_ever_and_the_others_empty(
    tmp_path, fps, passes, num_encoded
):
    videos.write_video(tmp_path / "video.mp4", num_pictures=120, fps=fps)
    whole = decode_video(str(tmp_path / "video.mp4"), SETTINGS)
    del passes[:], num_encoded[:]
    part = decode_video(
        str(tmp_path / "video.mp4"), SETTINGS, frames_read=lambda count: [5, count // 2]
    )
    assert_same(part, whole, lambda count: [5, count // 2])
    assert len(passes) == 1 and len(num_encoded) == 3


def test_a_file_that_claims_another_length_is_decoded_again(
    tmp_path, passes, monkeypatch
):
    path = str(tmp_path / "video.mp4")
    videos.write_video(pathlib.Path(path), num_pictures=30)
    whole = decode_video(path, SETTINGS)
    monkeypatch.setattr(video_frames.FrameSampler, "predicted_frames", lambda _: 40)
    del passes[:]
    assert_same(decode_video(path, SETTINGS, frames_read=last_ones), whole, last_ones)
    assert len(passes) == 2


def test_a_file_that_claims_no_length_is_encoded_whole(tmp_path, passes, monkeypatch):
    path = str(tmp_path / "video.mp4")
    videos.write_video(pathlib.Path(path), num_pictures=30)
    whole = decode_video(path, SETTINGS)
    monkeypatch.setattr(video_frames.FrameSampler, "predicted_frames", lambda _: 0)
    del passes[:]
    part = decode_video(path, SETTINGS, frames_read=last_ones)
    assert list(part.frames) == list(whole.frames) and len(passes) == 1


@pytest.mark.parametrize("durations", [[(25, 0.02), (25, 0.06)], [(49, 0.02), (1, 1)]])
def test_irregular_pictures_give_the_same_frames(tmp_path, durations):
    path = tmp_path / "video.mp4"
    videos.write_video(path, num_pictures=50, fps=25)
    videos.set_durations(path, durations)
    whole = decode_video(str(path), SETTINGS)
    for frames_read in (last_ones, lambda count: range(0, count, 7)):
        part = decode_video(str(path), SETTINGS, frames_read=frames_read)
        assert_same(part, whole, frames_read)


def test_of_a_segment_the_same_holds(tmp_path):
    videos.write_video(tmp_path / "video.mp4", num_pictures=100)
    segment = (str(tmp_path / "video.mp4"), SETTINGS, 1.0, 3.0)
    whole = decode_video(*segment)
    assert_same(decode_video(*segment, frames_read=last_ones), whole, last_ones)


def test_of_a_folder_of_pictures_the_same_holds(tmp_path):
    for number in range(8):
        picture = videos.numbered_picture(number)
        cv2.imwrite(
            str(tmp_path / f"{number}.{'jpg' if number % 2 else 'png'}"), picture
        )
    settings = FrameSettings(25.0, 320, 90, 1, media="frames")
    whole = decode_video(str(tmp_path), settings)
    part = decode_video(str(tmp_path), settings, frames_read=last_ones)
    assert_same(part, whole, last_ones)


def test_processes_that_decode_do_not_import_tensorflow():
    modules = (decode_video.__module__, FramesOfClips.__module__)
    imports = "import data_prep.convert.decode_blocks, data_prep.convert.conversion"
    program = (
        f"import sys, {', '.join(modules)}; {imports};"
        " sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
