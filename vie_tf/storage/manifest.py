"""The manifest of a data set: its videos, classes and shards, in `manifest.json`.

`data_prep.convert` writes it, and everything in `vie_tf` reads it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from typing import Any

from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError

MANIFEST_NAME = "manifest.json"
SCHEMA_VERSION = 1
TRAIN_SPLIT = "train"
VAL_SPLIT = "val"
TEST_SPLIT = "test"  # stored where a list has it; nothing reads it by default
SPLITS = (TRAIN_SPLIT, VAL_SPLIT, TEST_SPLIT)
NO_LABEL = -1
_FIELDS = {
    **{name: "list" for name in ("class_names", "videos", "shards", "refused")},
    "settings": "dict",
}
_MOST = 2**62  # of numbers that are added up in 64 bits
_ADVICE = (
    "Run the command that converted the videos again: it writes the manifest again."
)


@dataclasses.dataclass(frozen=True)
class VideoEntry:
    """One video of a data set.

    Attributes:
      id: number given by `data_prep.index.index_videos`; never given twice, and not
        contiguous where videos were refused.
      label: index into `Manifest.class_names`, or `NO_LABEL`.
      split: `train`, `val` or `test`.
      source: path of the video relative to the folder that was converted.
      shard: file name of the shard that holds it.
      frames: number of JPEG frames in the record.
      fps: frames per second of the record (not of the source file).
      height: height of every frame in pixels.
      width: width of every frame in pixels.
      bytes: size of all JPEG frames together.
    """

    id: int
    label: int
    split: str
    source: str
    shard: str
    frames: int
    fps: float
    height: int
    width: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class ShardEntry:
    """One TFRecord file: its name, split, number of videos, size and checksum."""

    name: str
    split: str
    videos: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class RefusedEntry:
    """One video that is not in the shards, and the reason in words."""

    source: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Metadata of a data set, for which no shard is opened.

    Attributes:
      class_names: names of the classes, sorted once for all splits, followed by those
        of appended videos; empty when there are no labels.
      videos: all videos, sorted by id.
      shards: all shards, sorted by name.
      refused: videos that were left out, sorted by source.
      settings: settings of the conversion (fps, shortest side, ...).
      schema_version: version of this file and of the records.
    """

    class_names: tuple[str, ...]
    videos: tuple[VideoEntry, ...]
    shards: tuple[ShardEntry, ...]
    refused: tuple[RefusedEntry, ...]
    settings: dict[str, Any]
    schema_version: int = SCHEMA_VERSION

    def split(self, name: str) -> tuple[VideoEntry, ...]:
        """Returns the videos of one split, sorted by id.

        The position of a training video in this tuple is its index in the memory bank.
        """
        return tuple(video for video in self.videos if video.split == name)

    def fingerprint(self) -> str:
        """Returns a short hash of which videos are in which split.

        Data sets with the same fingerprint give a memory bank the same rows.
        """
        videos = [(v.id, v.label, v.split, v.source, v.frames) for v in self.videos]
        text = json.dumps([self.class_names, videos], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def prefix(self, num_videos: int, num_classes: int) -> Manifest:
        """Returns the data set as it was before videos were appended to it.

        Appended videos have higher ids and their new classes come last, so the earlier
        data set is the beginning of this one.
        """
        return dataclasses.replace(
            self,
            videos=self.videos[:num_videos],
            class_names=self.class_names[:num_classes],
        )

    def save(self, data_dir: str) -> None:
        """Writes `data_dir/manifest.json` atomically."""
        files.write_atomically(
            os.path.join(data_dir, MANIFEST_NAME),
            json.dumps(dataclasses.asdict(self), indent=1) + "\n",
        )

    @classmethod
    def load(cls, data_dir: str) -> Manifest:
        """Reads `data_dir/manifest.json`.

        Raises:
          UserError: the folder or the file is missing, cannot be read, or has another
            schema version.
        """
        path = os.path.join(data_dir, MANIFEST_NAME)
        if not is_data_set(data_dir):
            # An existing folder may hold the videos, into which nothing is written.
            output_dir = "DATA" if files.is_folder(data_dir) else data_dir
            raise UserError(
                f"There is no {MANIFEST_NAME} in the data directory {data_dir!r}. Make"
                " a data set with: python -m data_prep.convert --videos=FOLDER"
                f" --output_dir={output_dir}"
            )
        content = small_files.read_json(path, _ADVICE)
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version != SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema version {version}, this program reads version"
                f" {SCHEMA_VERSION}. Convert the videos again."
            )
        fault = small_files.fault_of_fields(content, _FIELDS)
        try:
            manifest = cls(
                class_names=tuple(content.get("class_names", ())),
                videos=small_files.entries_of(VideoEntry, content.get("videos")),
                shards=small_files.entries_of(ShardEntry, content.get("shards")),
                refused=small_files.entries_of(RefusedEntry, content.get("refused")),
                settings=content.get("settings", {}),
            )
            fault = fault or _fault(manifest)
        except (TypeError, ValueError) as error:
            fault = fault or str(error)
        if fault:
            raise small_files.DamagedFile(path, fault, _ADVICE)
        return manifest


def _fault(manifest: Manifest) -> str:
    """Says what cannot be in a manifest; empty where nothing is."""
    for shard in manifest.shards:
        small_files.check_plain_name(shard.name)
        if not (0 <= shard.bytes < _MOST and 0 <= shard.videos < _MOST):
            return f"{shard.name} has {shard.videos} videos in {shard.bytes} bytes"
    bytes_of = {shard.name: shard.bytes for shard in manifest.shards}
    if len(bytes_of) < len(manifest.shards):
        return "two shards have one name"
    if not all(isinstance(name, str) for name in manifest.class_names):
        return "the name of a class is no text"
    num_classes, previous_id = len(manifest.class_names), -1
    for video in manifest.videos:
        if not NO_LABEL <= video.label < num_classes:
            return f"{video.source} has label {video.label} of {num_classes} classes"
        if video.split not in SPLITS:
            return f"{video.source} is in the split {video.split!r}"
        if video.shard not in bytes_of:
            return f"{video.source} is in {video.shard!r}, which is not listed"
        sizes = (video.frames, video.height, video.width, video.bytes)
        if min(sizes) < 1 or max(sizes) >= _MOST:
            return (
                f"{video.source} has {video.frames} frames of {video.height} x"
                f" {video.width} pixels in {video.bytes} bytes"
            )
        if not 0 < video.fps < math.inf:
            return f"{video.source} has {video.fps} frames per second"
        if not previous_id < video.id < _MOST:
            return f"the id {video.id} of {video.source} does not follow {previous_id}"
        previous_id = video.id
    return ""


def is_data_set(folder: str) -> bool:
    """Returns whether a folder has a manifest."""
    return files.exists(os.path.join(folder, MANIFEST_NAME))
