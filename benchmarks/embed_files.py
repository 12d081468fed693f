"""CPU seconds of embedding a video, from the file to the vector, beside PyTorch.

    python -m benchmarks.embed_files --videos=FOLDER --model_dir=RUN --torch_python=PATH

Runs `embed.py`, and the same network in PyTorch with frames of OpenCV or PyAV, on N
files and on twice as many, in turns; the difference is the cost of N videos without the
start of a program.  N has to keep all processes that decode at work: with fewer videos,
2 N would start more of them.  CPU seconds are those of all processes, so other work on
the machine changes them little.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from benchmarks import machine
from data_prep.convert import decode_blocks
from vie_tf.models.from_config import clip_recipe
from vie_tf.runs.run_directory import RunDirectory

ROOT = pathlib.Path(__file__).parents[1]
DECODERS = ("opencv", "pyav")
_SUFFIXES = (".mp4", ".avi", ".webm", ".mkv", ".mov")


def main() -> None:
    """Reads the command line and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed_files")
    parser.add_argument("--videos", required=True, help="folder of video files")
    parser.add_argument("--model_dir", required=True, help="a run of `train.py`")
    parser.add_argument("--torch_python", help="a Python with torch, OpenCV and PyAV")
    parser.add_argument("--num_videos", type=int, default=40, help="N")
    parser.add_argument("--num_clips", type=int, default=10, help="of a video")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    paths = sorted(pathlib.Path(arguments.videos).resolve().rglob("*"))
    files = [str(path) for path in paths if path.suffix in _SUFFIXES]
    if len(files) < 2 * arguments.num_videos:
        parser.error(
            f"--videos={arguments.videos} has {len(files)} videos; give twice"
            f" --num_videos={arguments.num_videos}, or fewer of them"
        )
    if arguments.torch_python and not shutil.which(arguments.torch_python):
        parser.error(f"--torch_python={arguments.torch_python} is no program")
    print(machine.cpu_facts())
    if not arguments.torch_python:
        print("Without --torch_python=PATH, embed.py is measured alone.")
    fewest = machine.num_cores() * decode_blocks.block_size(1)
    if arguments.num_videos < fewest:
        print(
            f"--num_videos={arguments.num_videos} is less than {fewest}: ours includes"
            " the start of processes that twice as many videos need."
        )
    costs = measure(arguments, files)
    for name, values in costs.items():
        ratios = [value / own for value, own in zip(values, costs["vie_tf"])]
        print(
            f"{name:14}{statistics.median(values):8.3f} CPU s a video,"
            f" {statistics.median(ratios):.2f} times ours"
            f" ({min(ratios):.2f} to {max(ratios):.2f} in {len(values)} rounds)"
        )


def measure(arguments: argparse.Namespace, files: list[str]) -> dict[str, list[float]]:
    """Returns CPU seconds of a video for each program, one for each round."""
    costs: dict[str, list[float]] = {"vie_tf": []}
    if arguments.torch_python:
        costs.update({f"torch, {decoder}": [] for decoder in DECODERS})
    count = arguments.num_videos
    for _ in range(arguments.rounds):
        for name, values in costs.items():
            once, twice = (
                _cpu_seconds(name, files[:number], arguments)
                for number in (count, 2 * count)
            )
            values.append((twice - once) / count)
    return costs


def _cpu_seconds(name: str, files: list[str], arguments: argparse.Namespace) -> float:
    """Runs a program on some files; returns the CPU seconds of all its processes."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "vie_tf":
            for number, path in enumerate(files):
                link = f"{number:05}{pathlib.Path(path).suffix}"
                os.makedirs(os.path.join(folder, "videos"), exist_ok=True)
                os.symlink(path, os.path.join(folder, "videos", link))
            command = [
                *(sys.executable, "embed.py", f"--videos={folder}/videos"),
                *(f"--model_dir={arguments.model_dir}", f"--output={folder}/output"),
                f"--num_clips={arguments.num_clips}",
            ]
        else:
            model = RunDirectory(arguments.model_dir).load_config()[0].model
            recipe = clip_recipe(model)
            numbers = recipe.num_frames, recipe.frame_interval, recipe.crop_size
            command = [
                *(arguments.torch_python, "-m", "benchmarks.peers.torch_embed"),
                *(model.name, *map(str, numbers), str(arguments.num_clips)),
                *(name.split()[-1], *files),
            ]
        before = os.times()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        after = os.times()
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        sys.exit(f"{name} failed: {lines[-1]}")
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


if __name__ == "__main__":
    main()
