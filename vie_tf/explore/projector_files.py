"""Writes a collection for TensorBoard's embedding projector.

vectors.bytes           directions of the videos, [V, D] float32
metadata.tsv            names, labels and splits of the videos
sprite.jpg              a thumbnail of each
projector_config.pbtxt  names the others, for TensorBoard
"""

from __future__ import annotations

import os

import cv2
import numpy as np
from tensorboard.plugins.projector import projector_config_pb2

from vie_tf.drawing.thumbnails import FrameRequest, ReadThumbnails, Thumbnails
from vie_tf.explore.collection import Collection
from vie_tf.explore.pictures import sheets
from vie_tf.monitoring import sprite
from vie_tf.storage import files
from vie_tf.terminal.wording import counted


def write(collection: Collection, read: ReadThumbnails, folder: str) -> str:
    """Writes the files; returns the lines that say so.

    Args:
      collection: videos with their vectors.
      read: reads thumbnails of the videos.
      folder: folder of the files, which is the --logdir of TensorBoard.
    """
    count = len(collection.sources)
    side = sprite.tile_side(count)
    request = FrameRequest(1.0, 1, 2 * side, 2 * side, from_middle=True)
    columns = int(np.ceil(np.sqrt(count)))
    tiles = np.full([columns * columns, side, side, 3], 128, np.uint8)
    for video, thumbnails in read(range(count), request):
        if len(thumbnails.frames):
            tiles[video] = _square(thumbnails, side)
    rows = -(-count // columns)
    grid = tiles[: rows * columns].reshape(rows, columns, side, side, 3)
    pixels = grid.swapaxes(1, 2).reshape(rows * side, columns * side, 3)
    lines = ["name\tlabel\tsplit"]
    for names in zip(collection.sources, collection.labels, collection.splits):
        # A file name may contain a tab or a line break.
        lines.append("\t".join(" ".join(name.split()) or "none" for name in names))
    contents: dict[str, bytes | str] = {
        "vectors.bytes": np.ascontiguousarray(collection.vectors, "<f4").tobytes(),
        "metadata.tsv": "\n".join(lines) + "\n",
        "sprite.jpg": sheets.jpeg(pixels),
        "projector_config.pbtxt": _config(collection, side),
    }
    files.make_folder(folder)
    for name, content in contents.items():
        files.write_atomically(os.path.join(folder, name), content)
    return (
        f"Wrote {counted(count, 'video')} to {folder}. To see them: tensorboard"
        f" --logdir={folder}, tab Projector."
    )


def _square(thumbnails: Thumbnails, side: int) -> np.ndarray:
    """Shrinks the middle square of the first frame to [S, S, 3]."""
    frame = thumbnails.frames[0]
    height, width = frame.shape[:2]
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    square = frame[top : top + size, left : left + size]
    return cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)


def _config(collection: Collection, side: int) -> str:
    config = projector_config_pb2.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = f"{collection.name}, {collection.network}"
    # Relative to the file that names them, so that the folder can be moved.
    embedding.tensor_path = "vectors.bytes"
    embedding.tensor_shape.extend(collection.vectors.shape)
    embedding.metadata_path = "metadata.tsv"
    embedding.sprite.image_path = "sprite.jpg"
    embedding.sprite.single_image_dim.extend([side, side])
    return str(config)
