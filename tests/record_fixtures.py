"""Small data sets of generated records, for tests that need no video files."""

import os

import numpy as np
import tensorflow as tf

from vie_tf import records

HEIGHT, WIDTH = 36, 48


def numbered_frames(video_id, num_frames):
    """JPEG frames whose gray level tells the video, and whose width the frame."""
    frames = []
    for number in range(num_frames):
        frame = np.full((HEIGHT, WIDTH, 3), 5 * (video_id % 50), np.uint8)
        frame[:, : number % WIDTH] = 255
        frames.append(tf.io.encode_jpeg(frame).numpy())
    return frames


def write_data_set(
    data_dir,
    num_train=10,
    num_val=4,
    num_classes=2,
    num_frames=20,
    per_shard=4,
    make_frames=numbered_frames,
):
    """Writes shards and a manifest; ids have gaps, as after refused videos.

    Classes take turns in each split.  `make_frames(video_id, num_frames)` returns JPEG
    strings.
    """
    os.makedirs(data_dir, exist_ok=True)
    videos, shards = [], []
    next_id = 0
    for split, count in (("train", num_train), ("val", num_val)):
        for first in range(0, count, per_shard):
            name = f"{split}-{first // per_shard:05d}.tfrecord"
            size = min(per_shard, count - first)
            with tf.io.TFRecordWriter(os.path.join(data_dir, name)) as writer:
                for position in range(first, first + size):
                    next_id += 2 if next_id % 5 == 0 else 1
                    label = position % num_classes if num_classes else records.NO_LABEL
                    frames = make_frames(next_id, num_frames)
                    facts = {"label": label, "fps": 25.0, "source": f"{next_id}.mp4"}
                    facts.update(height=HEIGHT, width=WIDTH)
                    writer.write(
                        records.serialize(video_id=next_id, frames=frames, **facts)
                    )
                    videos.append(
                        records.VideoEntry(
                            id=next_id,
                            split=split,
                            shard=name,
                            frames=num_frames,
                            bytes=sum(map(len, frames)),
                            **facts,
                        )
                    )
            num_bytes = os.path.getsize(os.path.join(data_dir, name))
            shards.append(records.ShardEntry(name, split, size, num_bytes, ""))
    manifest = records.Manifest(
        class_names=tuple(f"class_{n}" for n in range(num_classes)),
        videos=tuple(videos),
        shards=tuple(shards),
        refused=(),
        settings={},
    )
    manifest.save(str(data_dir))
    return manifest
