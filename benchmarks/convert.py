"""Costs of converting videos, beside the frame extraction of the authors of VIE.

python -m benchmarks.convert [--videos=FOLDER] [--ffmpeg=PATH] [--long_video]

Each way converts the same videos (generated ones without --videos):

- `vie_tf`: python -m data_prep.convert with its defaults, and the start of Python;
- `enlarged`: the same with --enlarge, as ffmpeg enlarges videos below 320 pixels;
- `ffmpeg`: the authors' extraction, one ffmpeg process for each video, as many at once
  as there are cores: `-vf scale=-1:320,fps=25` (320:-1 for upright videos) into a
  folder of JPEG files, at ffmpeg's default quality;
- `ffmpeg q2`: the same with `-q:v 2`, ffmpeg's best quality and closest to our 90.  The
  default aims at 200 kbit/s for any picture, and is much coarser.

`videos/s` divides the number of videos by the wall time, `CPU s` is the time of all
processes (which other load changes less), and `peak MB` the largest resident memory of
a process.

--long_video measures our peak memory on a generated video of 10 minutes at 1920 x 1080:
of decoding alone, and of the whole command.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent import futures
from typing import Any, Callable, Sequence

ROOT = pathlib.Path(__file__).parents[1]
LONG_SECONDS = 600.0
NUM_GENERATED = 8
COLUMNS = (
    f"{'way':<12}{'videos/s':>10}{'seconds':>10}{'CPU s':>9}{'MB':>9}{'peak MB':>10}"
)
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
VIDEO_ENDINGS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".mpg")

# This process has to stay small: a child starts with its memory, and would count it.
# So TensorFlow and OpenCV are loaded in others only.


@dataclasses.dataclass(frozen=True)
class Measured:
    """What one way of conversion has cost.

    Attributes:
      seconds: wall time.
      cpu_seconds: of all processes.
      bytes: on the disk.
      peak_bytes: largest resident memory of any process.
    """

    seconds: float
    cpu_seconds: float
    bytes: int
    peak_bytes: int


def main() -> None:
    """Prints one row for each way."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="convert-", dir=arguments.work_dir) as work:
        folder = arguments.videos or _generated_videos(pathlib.Path(work, "videos"))
        videos = find_videos(folder)
        if not videos:
            sys.exit(f"--videos={folder} has no videos ({' '.join(VIDEO_ENDINGS)}).")
        print(f"{len(videos)} videos, {num_cores()} cores")
        print(COLUMNS)
        _print_row("vie_tf", convert_ours(folder, work), len(videos))
        enlarged = convert_ours(folder, work, "--enlarge")
        _print_row("enlarged", enlarged, len(videos))
        ffmpeg = shutil.which(arguments.ffmpeg)
        if ffmpeg is None:
            print(f"There is no {arguments.ffmpeg} here (--ffmpeg): only ours was run.")
        else:
            sizes = _in_fresh_process(_upright, videos)
            for name, quality in [("ffmpeg", []), ("ffmpeg q2", ["-q:v", "2"])]:
                measured = convert_by_ffmpeg(ffmpeg, sizes, work, quality)
                _print_row(name, measured, len(videos))
        if arguments.long_video:
            _measure_long_video(work)


def find_videos(folder: str) -> list[str]:
    """Returns the videos of a folder and its sub-folders, in order of their paths."""
    paths = sorted(pathlib.Path(folder).rglob("*"))
    return [str(path) for path in paths if path.suffix.lower() in VIDEO_ENDINGS]


def num_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def convert_ours(folder: str, work: str, *flags: str) -> Measured:
    """Converts with `data_prep.convert`, on all cores.

    Args:
      folder: of the videos.
      work: where the data set may stand for a while.
      flags: for `data_prep.convert`.
    """
    command = [sys.executable, "-m", "data_prep.convert", f"--videos={folder}", *flags]
    with tempfile.TemporaryDirectory(dir=work) as data:
        # Small shards, so that few videos keep all cores busy.
        command += [f"--output_dir={data}/data", "--videos_per_shard=4"]
        return measure([command], data, at_once=1)


def convert_by_ffmpeg(
    ffmpeg: str, videos: Sequence[tuple[str, bool]], work: str, flags: Sequence[str]
) -> Measured:
    """Extracts frames as the authors did, one process at a time for each core.

    Args:
      ffmpeg: path of the program.
      videos: path of each, and whether it is higher than wide.
      work: where the frames may stand for a while.
      flags: for the encoder.
    """
    with tempfile.TemporaryDirectory(dir=work) as frames:
        commands = []
        for number, (video, is_upright) in enumerate(videos):
            folder = os.path.join(frames, str(number))
            os.mkdir(folder)
            commands.append(ffmpeg_command(ffmpeg, video, is_upright, folder, flags))
        return measure(commands, frames, at_once=num_cores())


def ffmpeg_command(
    ffmpeg: str, video: str, is_upright: bool, folder: str, flags: Sequence[str] = ()
) -> list[str]:
    """Returns the authors' command (build_data/kinetics/extract_frames.py)."""
    size = "320:-1" if is_upright else "-1:320"
    filters = ["-vf", f"scale={size},fps=25"]
    target = os.path.join(folder, "%06d.jpg")
    quiet = ["-nostdin", "-loglevel", "error"]
    return [ffmpeg, *quiet, "-i", video, *filters, *flags, target]


def measure(commands: Sequence[Sequence[str]], folder: str, at_once: int) -> Measured:
    """Runs commands, some at once, and says what they have cost.

    Args:
      commands: argument lists.
      folder: that holds nothing but what they write.
      at_once: number of processes.

    Raises:
      RuntimeError: a command has failed.
    """
    start = time.perf_counter()
    with futures.ThreadPoolExecutor(at_once) as pool:
        usages = list(pool.map(_run, commands))
    seconds = time.perf_counter() - start
    return Measured(
        seconds=seconds,
        cpu_seconds=sum(usage.ru_utime + usage.ru_stime for usage in usages),
        bytes=_bytes_in(folder),
        peak_bytes=max(usage.ru_maxrss for usage in usages) * MAXRSS_UNIT,
    )


def _run(command: Sequence[str]) -> resource.struct_rusage:
    """Runs a command; returns what it and the children it waited for have used."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    with process.stderr:
        errors = process.stderr.read().decode(errors="replace").strip()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {errors}")
    return usage


def _bytes_in(folder: str) -> int:
    files = (path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)


def _print_row(name: str, measured: Measured, num_videos: int) -> None:
    print(
        f"{name:<12}{num_videos / measured.seconds:>10.2f}{measured.seconds:>10.1f}"
        f"{measured.cpu_seconds:>9.1f}{measured.bytes / 1e6:>9.1f}"
        f"{measured.peak_bytes / 2**20:>10.0f}",
        flush=True,
    )


def _measure_long_video(work: str) -> None:
    folder = pathlib.Path(work, "long")
    path = str(folder / "long.mp4")
    _in_fresh_process(make_video, path, LONG_SECONDS, (1920, 1080), 0)
    print(
        f"{LONG_SECONDS / 60:g} minutes at 1920 x 1080, {os.path.getsize(path)} bytes"
    )
    start = time.perf_counter()
    num_frames, num_bytes, peak = _in_fresh_process(decode, path)
    print(
        f"decoding: {num_frames} frames of {num_bytes / num_frames / 1e3:.1f} kB in"
        f" {time.perf_counter() - start:.0f} s, peak {peak / 2**20:.0f} MB"
    )
    _print_row("vie_tf", convert_ours(str(folder), work, "--val_fraction=0"), 1)


def decode(path: str) -> tuple[int, int, int]:
    """Decodes a video: number of frames, their bytes, peak memory of this process."""
    from data_prep.config import ConversionConfig
    from data_prep.decode.decode_video import decode_video

    video = decode_video(path, ConversionConfig("", "").frame_settings())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
    return len(video.frames), sum(map(len, video.frames)), peak


def make_video(*values: Any) -> None:
    """Calls `generated_video.make_video`."""
    from benchmarks import generated_video

    generated_video.make_video(*values)


def _generated_videos(folder: pathlib.Path) -> str:
    for number in range(NUM_GENERATED):
        path = str(folder / f"{number}.mp4")
        _in_fresh_process(make_video, path, 10.0, (1280, 720), number)
    return str(folder)


def _upright(videos: Sequence[str]) -> list[tuple[str, bool]]:
    """Says of each video whether it is shown higher than wide."""
    from data_prep.decode.opencv import cv2

    found = []
    for video in videos:
        capture = cv2.VideoCapture(video, cv2.CAP_FFMPEG)
        width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        is_turned = capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 90
        found.append((video, (width < height) != is_turned))
    return found


def _in_fresh_process(function: Callable[..., Any], *values: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, values)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--videos", help="folder of videos; generated ones without it")
    parser.add_argument("--ffmpeg", default="ffmpeg", help="the program")
    parser.add_argument(
        "--long_video", action="store_true", help="measure the peak on a long video"
    )
    parser.add_argument(
        "--work_dir", help="folder with room for all frames; the system's by default"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
