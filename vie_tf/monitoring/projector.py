"""Shows the memory bank in TensorBoard's embedding projector.

Writes a sample of the bank's rows, with labels and thumbnails of their videos, to
`RUN/tensorboard/projector/`.  TensorBoard finds them by
`RUN/tensorboard/projector_config.pbtxt`.

Letters: N rows of the bank, P points that are shown, D dimension.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Sequence

import numpy as np
import tensorflow as tf
from tensorboard.plugins.projector import projector_config_pb2

from vie_tf.input.instances import Frames, Instances
from vie_tf.monitoring import sprite
from vie_tf.monitoring.sprite import Sprite
from vie_tf.runs.checkpoint_folder import step_of
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import NO_LABEL, Manifest
from vie_tf.storage.printable import printable
from vie_tf.terminal.wording import counted

_CONFIG_NAME = "projector_config.pbtxt"  # TensorBoard looks for this name
_FOLDER = "projector"
_ROWS_NAME = "rows.bytes"
_SEED = 0  # fixed, so that later checkpoints show the same videos
_JPEG_QUALITY = 90


@dataclasses.dataclass(frozen=True)
class Projection:
    """A written sample of the memory bank.

    Attributes:
      folder: folder of the files.
      bank_index: rows of the bank that are shown, ascending, [P] int64.
      num_rows: N.
      step: step of the checkpoint.
      sprite: thumbnails of the middle frames.
    """

    folder: str
    bank_index: np.ndarray
    num_rows: int
    step: int
    sprite: Sprite

    def describe(self, data_dir: str) -> str:
        """Says what was written, and which frames of a data set cannot be read."""
        height, width = self.sprite.pixels.shape[:2]
        lines = [
            f"Wrote {len(self.bank_index)} of {counted(self.num_rows, 'row')} of the"
            f" memory bank at step {self.step} to {self.folder}, with thumbnails of"
            f" {self.sprite.tile} px in a sprite of {width} x {height} px.",
        ]
        faults = self.sprite.faults
        if faults:
            point, fault = next(iter(faults.items()))
            lines.append(
                f"{counted(len(faults), 'gray thumbnail')}: frames that cannot be read;"
                f" the first is that of row {self.bank_index[point]}: {fault}."
                f" See python -m data_prep.describe --data_dir={data_dir} --verify."
            )
        run = os.path.dirname(os.path.dirname(self.folder))
        lines.append(f"To see them: tensorboard --logdir={run}, tab Projector.")
        return "\n".join(lines)


def export(
    model_dir: str,
    data_dir: str,
    num_points: int = 10_000,
    checkpoint: str = "latest",
) -> Projection:
    """Writes a sample of a run's memory bank for the projector.

    Args:
      model_dir: folder of the run.
      data_dir: data set that the run was trained on.
      num_points: maximum of P, up to 100,000; larger banks are sampled at random.
      checkpoint: `latest` or `best`.

    Raises:
      UserError: there is no such bank, or it belongs to other data.
    """
    directory = RunDirectory(model_dir)
    config, _ = directory.load_config()
    if directory.checkpoint(checkpoint).bank_size is None:
        raise UserError(
            f"The run in {model_dir!r} is of --loss={config.loss.name}, which has no"
            " memory bank to show. Give a run with --loss=ir or la."
        )
    manifest = Manifest.load(data_dir)
    data = dataclasses.replace(config.data, data_dir=data_dir)
    config = dataclasses.replace(config, data=data)
    may_be_smaller = directory.check_videos(config, manifest)
    stored = directory.checkpoint(checkpoint)
    bank = stored.read_bank()
    instances = Instances.from_config(config.data, manifest)
    is_smaller = len(bank) < instances.count
    if len(bank) != instances.count and not (may_be_smaller and is_smaller):
        raise UserError(
            f"The memory bank of {model_dir!r} has {len(bank)} rows, but {data_dir!r}"
            f" has {instances.count} training videos or bins. Give the --data_dir that"
            " the run was trained on."
        )
    folder = os.path.join(model_dir, "tensorboard", _FOLDER)
    files.check_writable(os.path.join(folder, _ROWS_NAME))
    bank_index = np.arange(len(bank))
    if len(bank) > num_points:
        rng = np.random.default_rng(_SEED)
        bank_index = np.sort(rng.choice(bank_index, num_points, replace=False))
    shown = instances.frames_of_rows(bank_index)
    thumbnails = _thumbnails(data_dir, manifest, shown)
    step = step_of(stored.path)
    projection = Projection(folder, bank_index, len(bank), step, thumbnails)
    _write(projection, bank[bank_index], _metadata(manifest, shown))
    return projection


def _thumbnails(data_dir: str, manifest: Manifest, shown: Sequence[Frames]) -> Sprite:
    """Draws the middle frame of each instance."""
    videos = {frames.video.id: frames.video for frames in shown}
    reader = FrameReader.open(data_dir, manifest, list(videos.values()))

    def read(point: int) -> bytes:
        video, first, end = shown[point]
        (jpeg,) = reader.read_jpegs(video, [(first + end) // 2])
        return jpeg

    return sprite.draw(len(shown), read)


def _metadata(manifest: Manifest, shown: Sequence[Frames]) -> str:
    """Formats a table of the instances, with the names of the columns on top."""
    lines = ["id\tlabel\tsource\tframes"]
    for video, first, end in shown:
        label = "none"
        if video.label != NO_LABEL:
            label = manifest.class_names[video.label]
        columns = str(video.id), label, video.source, f"{first} to {end - 1}"
        # A file name may contain a tab or a line break.
        words = (printable(" ".join(column.split())) for column in columns)
        lines.append("\t".join(words))
    return "\n".join(lines) + "\n"


def _write(projection: Projection, points: np.ndarray, metadata: str) -> None:
    """Writes the files, and then the configuration that names them."""
    pixels, side = projection.sprite.pixels, projection.sprite.tile
    picture = tf.io.encode_jpeg(pixels, quality=_JPEG_QUALITY).numpy()
    contents = {
        _ROWS_NAME: np.ascontiguousarray(points, np.float32).tobytes(),
        "metadata.tsv": metadata,
        "sprite.jpg": picture,
    }
    for name, content in contents.items():
        files.write_atomically(os.path.join(projection.folder, name), content)
    config = projector_config_pb2.ProjectorConfig()
    embedding = config.embeddings.add()
    # With the step: an open TensorBoard keeps what it has read under a name.
    embedding.tensor_name = f"memory bank at step {projection.step}"
    # Relative to the file that names them, so that the run can be moved.
    embedding.tensor_path = f"{_FOLDER}/{_ROWS_NAME}"
    embedding.tensor_shape.extend(points.shape)
    embedding.metadata_path = f"{_FOLDER}/metadata.tsv"
    embedding.sprite.image_path = f"{_FOLDER}/sprite.jpg"
    embedding.sprite.single_image_dim.extend([side, side])
    path = os.path.join(os.path.dirname(projection.folder), _CONFIG_NAME)
    files.write_atomically(path, str(config))
