"""A small collection of videos, its conversion, and what that has written."""

from __future__ import annotations

import pathlib

import video_fixtures as videos

from data_prep.config import ConversionConfig


def write_collection(root: pathlib.Path) -> pathlib.Path:
    """Two classes of four videos, the first pictures of which are 0, 10, 20, ..."""
    for label in range(2):
        for number in range(4):
            path = root / ["run", "walk"][label] / f"{number}.avi"
            videos.write_video(path, first=10 * (4 * label + number))
    return root


def config(root, output_dir, **settings) -> ConversionConfig:
    """Six videos for training and two for validation, in four shards."""
    defaults = {"val_fraction": 0.25, "videos_per_shard": 2, "num_processes": 1}
    return ConversionConfig(
        videos=str(root), output_dir=str(output_dir), **{**defaults, **settings}
    )


def contents(data_dir) -> dict[str, bytes]:
    """All files that a reader sees."""
    return {
        path.name: path.read_bytes()
        for path in pathlib.Path(data_dir).iterdir()
        if path.is_file()
    }


def shard_times(data_dir) -> dict[str, int]:
    """When the shards were written, in nanoseconds."""
    shards = pathlib.Path(data_dir).glob("*.tfrecord")
    return {path.name: path.stat().st_mtime_ns for path in shards}
