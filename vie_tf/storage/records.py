"""Records and manifest: the one contract between data_prep and vie_tf.

Comes in (writing): the JPEG frames of one video with its facts, from
`data_prep`.  Goes out (reading): one serialized `tf.train.Example` per video in
`DATA/<split>-<number>.tfrecord`, and `DATA/manifest.json`, which says what the
shards hold.  The step before is decoding a video, the step after is
`vie_tf.storage.frame_index`.

An Example, not a SequenceExample: its frames follow each other in the file, so those
of a clip are read without the rest, and where the whole is wanted, TensorFlow parses it
without building the protocol buffer.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from typing import Any, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.storage.files import flush_to_disk

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.json"
TRAIN_SPLIT = "train"
VAL_SPLIT = "val"
TEST_SPLIT = "test"  # stored where a list has it; nothing reads it by default
SPLITS = (TRAIN_SPLIT, VAL_SPLIT, TEST_SPLIT)
NO_LABEL = -1

# These show an object only after all of it was received, and rename by copying.
_OBJECT_STORES = ("s3://", "gs://")

ID_KEY = "video/id"
_LABEL = "video/label"
FRAMES_KEY = "video/frames"
_FPS = "video/fps"
_HEIGHT = "video/height"
_WIDTH = "video/width"
_SOURCE = "video/source"

_FEATURES = {
    ID_KEY: tf.io.FixedLenFeature([], tf.int64),
    _LABEL: tf.io.FixedLenFeature([], tf.int64, default_value=NO_LABEL),
    FRAMES_KEY: tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
    _FPS: tf.io.FixedLenFeature([], tf.float32),
    _HEIGHT: tf.io.FixedLenFeature([], tf.int64),
    _WIDTH: tf.io.FixedLenFeature([], tf.int64),
    _SOURCE: tf.io.FixedLenFeature([], tf.string),
}


class ManifestError(ValueError):
    """A data directory that cannot be used, with the reason and the remedy."""


@dataclasses.dataclass(frozen=True)
class VideoEntry:
    """One video of the data set.

    Attributes:
      id: number given once by `data_prep.index.index_videos`; never given again, and
        not contiguous where a video was refused.
      label: index into `Manifest.class_names`, or `NO_LABEL`.
      split: `train`, `val` or `test`.
      source: path of the video relative to the folder that was converted.
      shard: file name of the shard that holds it.
      frames: number of JPEG frames in the record.
      fps: frames per second of the record (not of the source file).
      height: of every frame, in pixels.
      width: of every frame, in pixels.
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
    """Everything that is known of a data set without opening a shard.

    Attributes:
      class_names: sorted once for all splits, those of appended videos behind them;
        empty when there are no labels.
      videos: sorted by id.
      shards: sorted by name.
      refused: what was left out, sorted by source.
      settings: how the videos were converted (fps, shortest side, ...).
      schema_version: of this file and of the records.
    """

    class_names: tuple[str, ...]
    videos: tuple[VideoEntry, ...]
    shards: tuple[ShardEntry, ...]
    refused: tuple[RefusedEntry, ...]
    settings: dict[str, Any]
    schema_version: int = SCHEMA_VERSION

    def split(self, name: str) -> tuple[VideoEntry, ...]:
        """Returns the videos of one split, sorted by id.

        The position of a training video in this tuple is its row in the memory
        bank.
        """
        return tuple(video for video in self.videos if video.split == name)

    def fingerprint(self) -> str:
        """Returns a short hash of which videos are in which split.

        Two data sets with the same fingerprint give a memory bank the same rows.
        """
        facts = [(v.id, v.label, v.split, v.source, v.frames) for v in self.videos]
        text = json.dumps([self.class_names, facts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def prefix(self, num_videos: int, num_classes: int) -> Manifest:
        """Returns the data set as it was before videos were appended to it.

        Appending gives higher ids and puts new classes behind the old ones, so what was
        there before comes first.
        """
        return dataclasses.replace(
            self,
            videos=self.videos[:num_videos],
            class_names=self.class_names[:num_classes],
        )

    def save(self, data_dir: str) -> None:
        """Writes `data_dir/manifest.json` so that a kill never leaves half of it."""
        write_atomically(
            os.path.join(data_dir, MANIFEST_NAME),
            json.dumps(dataclasses.asdict(self), indent=1) + "\n",
        )

    @classmethod
    def load(cls, data_dir: str) -> Manifest:
        """Reads `data_dir/manifest.json`.

        Raises:
          ManifestError: the folder or the file is missing, or of another schema.
        """
        path = os.path.join(data_dir, MANIFEST_NAME)
        if not is_data_set(data_dir):
            # It may be that of the videos, into which nothing is written.
            output_dir = "DATA" if tf.io.gfile.isdir(data_dir) else data_dir
            raise ManifestError(
                f"There is no {MANIFEST_NAME} in the data directory {data_dir!r}. Make"
                " a data set with: python -m data_prep.convert --videos=FOLDER"
                f" --output_dir={output_dir}"
            )
        with tf.io.gfile.GFile(path) as file:
            try:
                content = json.load(file)
            except json.JSONDecodeError as error:
                raise ManifestError(f"{path} is not valid JSON: {error}") from error
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version != SCHEMA_VERSION:
            raise ManifestError(
                f"{path} has schema version {version}, this program reads version"
                f" {SCHEMA_VERSION}. Convert the videos again."
            )
        return cls(
            class_names=tuple(content["class_names"]),
            videos=tuple(VideoEntry(**entry) for entry in content["videos"]),
            shards=tuple(ShardEntry(**entry) for entry in content["shards"]),
            refused=tuple(RefusedEntry(**entry) for entry in content["refused"]),
            settings=content["settings"],
        )


def is_data_set(folder: str) -> bool:
    """Whether a folder has a manifest."""
    return tf.io.gfile.exists(os.path.join(folder, MANIFEST_NAME))


def write_atomically(path: str, content: str | bytes) -> None:
    """Writes a file, of which nobody ever sees a half, be it after a power cut."""
    is_whole_when_seen = path.startswith(_OBJECT_STORES)
    is_local = "://" not in path
    temporary = path if is_whole_when_seen else f"{path}.tmp"
    with tf.io.gfile.GFile(
        temporary, "w" if isinstance(content, str) else "wb"
    ) as file:
        file.write(content)
    if is_local:
        flush_to_disk(temporary)
    if not is_whole_when_seen:
        tf.io.gfile.rename(temporary, path, overwrite=True)
    if is_local:
        flush_to_disk(os.path.dirname(path) or ".")


def record_metadata(
    *, video_id: int, label: int, fps: float, height: int, width: int, source: str
) -> dict[str, tf.train.Feature]:
    """Returns all features of a record but its frames, by their keys.

    Args:
      video_id: as given by `data_prep.index.index_videos`.
      label: index of the class, or `NO_LABEL`.
      fps: frames per second of the frames.
      height: of every frame, in pixels.
      width: in pixels.
      source: where the video came from, for messages.
    """

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    return {
        ID_KEY: integer(video_id),
        _LABEL: integer(label),
        _FPS: tf.train.Feature(float_list=tf.train.FloatList(value=[fps])),
        _HEIGHT: integer(height),
        _WIDTH: integer(width),
        _SOURCE: _strings([source.encode()]),
    }


def serialize(frames: Sequence[bytes], **facts: Any) -> bytes:
    """Returns the serialized record of one video.

    `vie_tf.storage.record_writer` writes the same without holding it.

    Args:
      frames: JPEG strings in order of time, all of one size.
      **facts: as for `record_metadata`.
    """
    features = {**record_metadata(**facts), FRAMES_KEY: _strings(frames)}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    # Deterministic, so that the same videos give the same bytes and checksums.
    return example.SerializeToString(deterministic=True)


def _strings(values: Sequence[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def parse(record: tf.Tensor) -> dict[str, tf.Tensor]:
    """Parses one serialized record inside a tf.data graph.

    Args:
      record: scalar string, as written by `serialize`.

    Returns:
      `id` [] int64, `label` [] int64, `frames` [F] string (JPEG), `fps` []
      float32, `height` [] int64, `width` [] int64, `source` [] string.
    """
    parsed = tf.io.parse_single_example(record, _FEATURES)
    return {key.split("/")[1]: value for key, value in parsed.items()}


def read_frames(
    data_dir: str, video: VideoEntry, indices: Sequence[int]
) -> list[np.ndarray]:
    """Reads some frames of one video, for pictures; training reads whole shards.

    Args:
      data_dir: folder of the shards.
      video: of its manifest.
      indices: of the frames, taken modulo their number.

    Returns:
      Frames [H, W, 3] uint8.

    Raises:
      ManifestError: the shard does not hold the video.
    """
    path = os.path.join(data_dir, video.shard)
    for record in tf.data.TFRecordDataset(path):
        parsed = parse(record)
        if int(parsed["id"]) == video.id:
            return [
                tf.io.decode_jpeg(parsed["frames"][i % video.frames]).numpy()
                for i in indices
            ]
    raise ManifestError(
        f"The shard {path} does not hold video {video.id} ({video.source}), although"
        " the manifest says so. Convert the videos again."
    )
