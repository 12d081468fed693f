"""Small frames of video files: which are read, and from where."""

import numpy as np
import pytest
from video_fixtures import write_pictures

from data_prep.decode.video_file import VideoFile
from data_prep.thumbnails.read_file import read_file
from vie_tf.drawing import frame_series
from vie_tf.drawing.thumbnails import FrameRequest

SECS, FPS = 100, 5
_CODEC = 4  # gray levels by which a codec may be wrong
SERIES_ALONE = FrameRequest(1.0, 0, 48, 64, with_series=True)


@pytest.fixture(name="long_video", scope="module", params=["long.avi", "long.mp4"])
def fixture_long_video(request, tmp_path_factory):
    """A hundred seconds, in each of which pictures are two gray levels brighter."""
    path = tmp_path_factory.mktemp("videos") / request.param
    grays = [20 + 2 * (number // FPS) for number in range(SECS * FPS)]
    write_pictures(path, [np.full([48, 64, 3], g, np.uint8) for g in grays], fps=FPS)
    return str(path)


@pytest.fixture(name="grabbed")
def fixture_grabbed(monkeypatch):
    """Collects a place of every picture that is decoded."""
    grabbed, grab = [], VideoFile.grab

    def counted(self):
        grabbed.append(self)
        return grab(self)

    monkeypatch.setattr(VideoFile, "grab", counted)
    return grabbed


def test_stretches_of_a_long_file_are_read_at_their_own_moments(long_video, grabbed):
    series = read_file(long_video, SERIES_ALONE).series
    secs = series.moments / frame_series.PER_SECOND
    stretches = [(0, 24), (40, 44), (60, 64), (80, 84)]
    assert frame_series.stretches(float(SECS)) == stretches
    wanted = [np.arange(start * FPS, end * FPS) / FPS for start, end in stretches]
    np.testing.assert_allclose(secs, np.concatenate(wanted), atol=1e-6)
    grays = series.pixels().mean(axis=(1, 2))
    assert np.abs(grays - (20 + 2 * np.floor(secs + 1e-6))).max() <= _CODEC
    # Of 500 pictures, those of 36 s and a few beyond each stretch.
    assert len(grabbed) <= 36 * FPS + 4 * FPS


def test_thumbnails_of_a_long_file_are_those_of_its_middle(long_video, grabbed):
    request = FrameRequest(4.0, 8, 48, 64, from_middle=True)
    found = read_file(long_video, request)
    assert found.duration == pytest.approx(SECS)
    grays = found.frames.mean(axis=(1, 2, 3))
    assert len(grays) == 8 and np.abs(grays - (20 + 2 * 49.5)).max() <= 1 + _CODEC
    assert len(grabbed) <= 4 * FPS
