"""That `benchmarks.convert` measures what it says."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import video_fixtures as videos

from benchmarks import convert

PROJECT = pathlib.Path(__file__).parents[2]
# In a process of its own: a child starts with the peak of the one that it is made by,
# and this one has TensorFlow in it.
MEASURE = """
import json, sys
from benchmarks import convert
measured = convert.measure(json.loads(sys.argv[1]), sys.argv[2], at_once=2)
print(measured.bytes, measured.peak_bytes, measured.seconds)
"""


def test_bytes_and_memory_are_those_of_the_commands(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    large = "content = b'1' * 2**28"
    commands = [
        [
            sys.executable,
            "-c",
            f"open({str(path / name)!r}, 'w').write('12345'); {more}",
        ]
        for name, more in [("a", large), ("b", "pass"), ("c", "pass")]
    ]
    arguments = [sys.executable, "-c", MEASURE, json.dumps(commands), str(path)]
    done = subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True)
    num_bytes, peak_bytes, seconds = map(float, done.stdout.split())
    assert num_bytes == 15
    assert 2**28 < peak_bytes < 2**29
    assert 0 < seconds < 60


def test_a_command_that_fails_is_not_measured(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no codec')"]
    with pytest.raises(RuntimeError, match="ended with 1: no codec"):
        convert.measure([command], str(tmp_path), at_once=1)


def test_the_authors_scale_the_shortest_side_of_upright_videos_too():
    wide = convert.ffmpeg_command("ffmpeg", "a.mp4", False, "out")
    upright = convert.ffmpeg_command("ffmpeg", "a.mp4", True, "out", ["-q:v", "2"])
    assert "scale=-1:320,fps=25" in wide and "-q:v" not in wide
    assert "scale=320:-1,fps=25" in upright and upright[-3:-1] == ["-q:v", "2"]


def test_videos_of_sub_folders_are_found(tmp_path):
    for name in ("b/2.mp4", "a/1.avi"):
        videos.write_video(tmp_path / name)
    (tmp_path / "labels.csv").touch()
    found = convert.find_videos(str(tmp_path))
    assert found == [str(tmp_path / "a/1.avi"), str(tmp_path / "b/2.mp4")]


def test_generated_videos_decode_to_detailed_frames(tmp_path):
    path = str(tmp_path / "made" / "video.mp4")
    convert.make_video(path, 1.0, (320, 240), 0)
    num_frames, num_bytes, peak_bytes = convert.decode(path)
    assert num_frames == 25
    assert num_bytes / num_frames > 3_000  # A blank frame has 2 kB.
    assert peak_bytes > num_bytes
