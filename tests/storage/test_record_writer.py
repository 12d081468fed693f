"""Records that are written piece by piece, and frames that are kept on the disk."""

import tempfile

import numpy as np
import pytest
import tensorflow as tf

from vie_tf.storage import frame_spool, records
from vie_tf.storage.frame_spool import FrameSpool
from vie_tf.storage.record_writer import write_record

FACTS = {"label": 3, "fps": 25.0, "height": 320, "width": 427, "source": "a/\u00e4.mp4"}


def spool_of(frames):
    spool = FrameSpool()
    for frame in frames:
        spool.append(frame)
    return spool


def random_frames(*sizes):
    rng = np.random.default_rng(0)
    return [rng.bytes(size) for size in sizes]


@pytest.mark.parametrize("video_id", [0, 127, 128, 240_000])
@pytest.mark.parametrize(
    "sizes",
    [
        (),
        (1,),
        (0, 5),
        (127, 128, 129),  # Lengths of one and of two bytes.
        (16_383, 16_384, 70_000),
        tuple(range(300)),
    ],
)
def test_the_bytes_are_those_that_tensorflow_writes(tmp_path, video_id, sizes):
    frames = random_frames(*sizes)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        writer.write(records.serialize(frames, video_id=video_id, **FACTS))
    facts = records.record_metadata(video_id=video_id, **FACTS)
    features = {key: fact.SerializeToString() for key, fact in facts.items()}
    with open(tmp_path / "ours", "wb") as file:
        write_record(file, features, records.FRAMES_KEY, spool_of(frames))
    theirs = (tmp_path / "theirs").read_bytes()
    assert (tmp_path / "ours").read_bytes() == theirs


def test_tensorflow_reads_several_records_of_a_file(tmp_path):
    with open(tmp_path / "shard", "wb") as file:
        for video_id in range(3):
            facts = records.record_metadata(video_id=video_id, **FACTS)
            features = {key: fact.SerializeToString() for key, fact in facts.items()}
            frames = spool_of([b"first", b"%d" % video_id])
            write_record(file, features, records.FRAMES_KEY, frames)
    parsed = list(map(records.parse, tf.data.TFRecordDataset(str(tmp_path / "shard"))))
    assert [int(record["id"]) for record in parsed] == [0, 1, 2]
    assert parsed[2]["frames"].numpy().tolist() == [b"first", b"2"]


def test_frames_come_back_from_the_disk_as_they_were(monkeypatch):
    monkeypatch.setattr(frame_spool, "MAX_MEMORY_BYTES", 100)
    frames = random_frames(60, 60, 10, 300)
    spool = spool_of(frames[:3])
    spool.append(frames[3], times=2)
    assert list(spool) == [*frames, frames[3]]
    assert spool.sizes() == [60, 60, 10, 300, 300]
    assert spool[-1] == frames[3] and spool[1:3] == frames[1:3]
    assert spool[0] == frames[0]  # Reading in any order does no harm.
    spool.append(b"more")
    assert len(spool) == 6 and spool[5] == b"more"


def test_a_frame_that_is_repeated_is_kept_once(monkeypatch, tmp_path):
    monkeypatch.setattr(frame_spool, "MAX_MEMORY_BYTES", 10)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = FrameSpool()
    spool.append(b"x" * 1000, times=1000)
    assert len(spool) == 1000 and sum(spool.sizes()) == 10**6
    assert spool._file.tell() == 1000
