"""Shows the memory bank in TensorBoard's embedding projector.

python -m vie_tf projector --model_dir=RUN --data_dir=DATA

Comes in: the bank of a checkpoint, and the videos that its rows are of.  Goes out: a
sample of the rows with labels and thumbnails, `RUN/tensorboard/projector/`, and
`RUN/tensorboard/projector_config.pbtxt`, by which TensorBoard finds them.

Letters: N rows of the bank, P points that are shown, D dimension.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import Sequence

import numpy as np
import tensorflow as tf
from tensorboard.plugins.projector import projector_config_pb2

from vie_tf.input.instances import Frames, Instances
from vie_tf.monitoring import sprite
from vie_tf.monitoring.sprite import Sprite
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import command_line, files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import NO_LABEL, Manifest

MAX_POINTS = 100_000  # the projector shows no more
_DEFAULT_POINTS = 10_000
_CONFIG_NAME = "projector_config.pbtxt"  # where TensorBoard looks for it
_FOLDER = "projector"
_SEED = 0  # of the sample: later checkpoints show the same videos
_JPEG_QUALITY = 90


@dataclasses.dataclass(frozen=True)
class Projection:
    """What was written.

    Attributes:
      folder: with the files.
      rows: of the bank that are shown, ascending, [P] int64.
      num_rows: N.
      step: of the checkpoint.
      sprite: of the middle frames.
    """

    folder: str
    rows: np.ndarray
    num_rows: int
    step: int
    sprite: Sprite


def export(
    model_dir: str,
    data_dir: str,
    num_points: int = _DEFAULT_POINTS,
    checkpoint: str = "latest",
) -> Projection:
    """Writes a sample of a run's memory bank for the projector.

    Args:
      model_dir: folder of the run.
      data_dir: of the videos that it was trained on.
      num_points: P at most, up to 100,000; a random sample where there are more rows.
      checkpoint: `latest` or `best`.

    Raises:
      UserError: there is no such bank, or the data are others.
    """
    directory = RunDirectory(model_dir)
    config, _ = directory.load_config()
    if config.loss.name == "supervised":
        raise UserError(
            f"The run in {model_dir!r} is supervised and has no memory bank to show."
            " Give a run with --loss=ir or la."
        )
    manifest = Manifest.load(data_dir)
    may_be_smaller = directory.check_videos(config, manifest)
    bank, step = directory.read_bank(checkpoint), _step_of(directory, checkpoint)
    instances = Instances.from_config(config.data, manifest)
    if len(bank) != instances.count and not (
        may_be_smaller and len(bank) < instances.count
    ):
        raise UserError(
            f"The memory bank of {model_dir!r} has {len(bank)} rows, but {data_dir!r}"
            f" has {instances.count} training videos or bins. Give the --data_dir that"
            " the run was trained on."
        )
    rows = np.arange(len(bank))
    if len(rows) > num_points:
        chosen = np.random.default_rng(_SEED).choice(rows, num_points, replace=False)
        rows = np.sort(chosen)
    shown = instances.frames_of_rows(rows)
    thumbnails = _thumbnails(data_dir, manifest, shown)
    folder = os.path.join(model_dir, "tensorboard", _FOLDER)
    projection = Projection(folder, rows, len(bank), step, thumbnails)
    _write(projection, bank[rows], _metadata(manifest, shown))
    return projection


def _step_of(directory: RunDirectory, checkpoint: str) -> int:
    return int(directory.chosen(checkpoint).rsplit("-", 1)[1])


def _thumbnails(data_dir: str, manifest: Manifest, shown: Sequence[Frames]) -> Sprite:
    """The middle frame of each row's video or bin."""
    videos = {frames.video.id: frames.video for frames in shown}
    reader = FrameReader.open(data_dir, manifest, list(videos.values()))

    def read(point: int) -> bytes:
        video, first, end = shown[point]
        (jpeg,) = reader.read_jpegs(video, [(first + end) // 2])
        return jpeg

    return sprite.draw(len(shown), read)


def _metadata(manifest: Manifest, shown: Sequence[Frames]) -> str:
    """A line for each row, below one with the names of the columns."""
    lines = ["id\tlabel\tsource\tframes"]
    for video, first, end in shown:
        label = "none"
        if video.label != NO_LABEL:
            label = manifest.class_names[video.label]
        columns = str(video.id), label, video.source, f"{first} to {end - 1}"
        # A file name may have a tab or a line break in it.
        lines.append("\t".join(" ".join(column.split()) for column in columns))
    return "\n".join(lines) + "\n"


def _write(projection: Projection, points: np.ndarray, metadata: str) -> None:
    """Writes the files, and at last the one that names them."""
    pixels, side = projection.sprite.pixels, projection.sprite.tile
    picture = tf.io.encode_jpeg(pixels, quality=_JPEG_QUALITY).numpy()
    contents = {
        "rows.bytes": np.ascontiguousarray(points, np.float32).tobytes(),
        "metadata.tsv": metadata,
        "sprite.jpg": picture,
    }
    files.make_folder(projection.folder)
    for name, content in contents.items():
        write_atomically(os.path.join(projection.folder, name), content)
    config = projector_config_pb2.ProjectorConfig()
    embedding = config.embeddings.add()
    # With the step: a TensorBoard that is open keeps what it has read of a name.
    embedding.tensor_name = f"memory bank at step {projection.step}"
    # Relative to the file that names them, so the run may move.
    embedding.tensor_path = f"{_FOLDER}/rows.bytes"
    embedding.tensor_shape.extend(points.shape)
    embedding.metadata_path = f"{_FOLDER}/metadata.tsv"
    embedding.sprite.image_path = f"{_FOLDER}/sprite.jpg"
    embedding.sprite.single_image_dim.extend([side, side])
    path = os.path.join(os.path.dirname(projection.folder), _CONFIG_NAME)
    write_atomically(path, str(config))


def describe(projection: Projection, data_dir: str) -> str:
    """What was written, and what could not be read, in words."""
    height, width = projection.sprite.pixels.shape[:2]
    lines = [
        f"Wrote {len(projection.rows)} of {projection.num_rows} rows of the memory bank"
        f" at step {projection.step} to {projection.folder}, with thumbnails of"
        f" {projection.sprite.tile} px in a sprite of {width} x {height} px.",
    ]
    faults = projection.sprite.faults
    if faults:
        point, fault = next(iter(faults.items()))
        lines.append(
            f"{len(faults)} thumbnails are gray, as their frames cannot be read; the"
            f" first is that of row {projection.rows[point]}: {fault}. See python -m"
            f" data_prep.describe --data_dir={data_dir} --verify."
        )
    lines.append(
        f"Look at them: tensorboard --logdir={os.path.dirname(projection.folder)}, and"
        " there Projector."
    )
    return "\n".join(lines)


def _point_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_POINTS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not in 1 to {MAX_POINTS}, which is all that the projector"
            " shows"
        )
    return int(text)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_line.Parser(
        prog="python -m vie_tf projector",
        description="Shows the memory bank of a run in TensorBoard's projector.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model_dir", required=True, metavar="RUN", help="folder of a train.py run"
    )
    parser.add_argument(
        "--data_dir",
        required=True,
        metavar="DATA",
        help="folder of the records that it was trained on",
    )
    parser.add_argument(
        "--num_points",
        type=_point_count,
        default=_DEFAULT_POINTS,
        metavar="NUMBER",
        help=f"rows that are shown, up to {MAX_POINTS}; a random sample of the bank, or"
        " all of a smaller one (default %(default)s)",
    )
    parser.add_argument(
        "--checkpoint",
        choices=["latest", "best"],
        default="latest",
        help="whose bank is shown (default %(default)s)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and writes the files.

    Args:
      arguments: of the command; those of the process if not given.

    Returns:
      The exit code.
    """
    parsed = _parse(arguments)

    def work() -> None:
        projection = export(
            parsed.model_dir, parsed.data_dir, parsed.num_points, parsed.checkpoint
        )
        print(describe(projection, parsed.data_dir))

    return command_line.exit_code_of(work)


def run(arguments: Sequence[str]) -> None:
    """Runs the command `python -m vie_tf`, whose arguments these are, and exits."""
    # The run itself may be on the GPUs, and TensorFlow would take all of their memory.
    tf.config.set_visible_devices([], "GPU")
    raise SystemExit(main(arguments))
