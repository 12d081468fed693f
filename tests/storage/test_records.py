"""The wire format of a record, beside TensorFlow's own reader and writer."""

import numpy as np
import pytest
import tensorflow as tf

from vie_tf.storage import records
from vie_tf.storage.frame_spool import FrameSpool
from vie_tf.storage.manifest import VideoEntry

METADATA = {
    "label": 3,
    "fps": 25.0,
    "height": 320,
    "width": 427,
    "source": "a/\u00e4.mp4",
}
# Lengths of one, two and three bytes.
SIZES = [
    (),
    (1,),
    (0, 5),
    (127, 128, 129),
    (16_383, 16_384, 70_000),
    tuple(range(300)),
]


def random_frames(*sizes):
    rng = np.random.default_rng(0)
    return [rng.bytes(size) for size in sizes]


def write(path, videos):
    """Writes frames by the id of their video."""
    with open(path, "wb") as file:
        for video_id, frames in videos.items():
            sizes = {"frames": len(frames), "bytes": sum(map(len, frames))}
            place = {"split": "train", "shard": str(path)}
            video = VideoEntry(video_id, **METADATA, **sizes, **place)
            records.write_record(file, FrameSpool(frames), video)
    return str(path)


def example(video_id, frames):
    """The record as the protocol buffer is built."""

    def feature(**values):
        kinds = {"int64_list": tf.train.Int64List, "float_list": tf.train.FloatList}
        ((kind, value),) = values.items()
        list_type = kinds.get(kind, tf.train.BytesList)
        return tf.train.Feature(**{kind: list_type(value=value)})

    features = {
        "video/id": feature(int64_list=[video_id]),
        "video/label": feature(int64_list=[METADATA["label"]]),
        "video/fps": feature(float_list=[METADATA["fps"]]),
        "video/height": feature(int64_list=[METADATA["height"]]),
        "video/width": feature(int64_list=[METADATA["width"]]),
        "video/source": feature(bytes_list=[METADATA["source"].encode()]),
        "video/frames": feature(bytes_list=frames),
    }
    built = tf.train.Example(features=tf.train.Features(feature=features))
    return built.SerializeToString(deterministic=True)


@pytest.mark.parametrize("video_id", [0, 127, 128, 240_000])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_bytes_are_those_that_tensorflow_writes(tmp_path, video_id, sizes):
    frames = random_frames(*sizes)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        writer.write(example(video_id, frames))
    write(tmp_path / "ours", {video_id: frames})
    theirs = (tmp_path / "theirs").read_bytes()
    assert (tmp_path / "ours").read_bytes() == theirs


def test_a_record_comes_back_as_it_was_written(tmp_path):
    path = write(tmp_path / "shard", {7: [b"one", b"two"], 9: []})
    first, second = map(records.parse, tf.data.TFRecordDataset(path))
    parsed = {key: value.numpy() for key, value in first.items()}
    assert parsed.pop("frames").tolist() == [b"one", b"two"]
    source = METADATA["source"].encode()
    assert parsed == {"id": 7, **METADATA, "source": source}
    assert (int(second["id"]), second["frames"].numpy().tolist()) == (9, [])


@pytest.mark.parametrize("sizes", SIZES)
def test_frames_are_located_where_they_lie(tmp_path, sizes):
    frames = random_frames(*sizes)
    path = write(tmp_path / "shard", {3: [b"other"], 5: frames})
    content = (tmp_path / "shard").read_bytes()
    first, second = records.locate_records(path)
    assert (first.id, first.offset, second.id) == (3, 0, 5)
    assert second.frame_sizes == list(sizes)
    if frames:
        offsets = records.frame_offsets(np.array(second.frame_sizes))
        for frame, offset in zip(frames, second.first_frame + offsets):
            assert content[offset : offset + len(frame)] == frame


@pytest.mark.parametrize("content", [b"not a shard", b"\x05" * 200])
def test_a_file_that_is_no_shard_is_refused(tmp_path, content):
    path = tmp_path / "train-00000.tfrecord"
    path.write_bytes(content)
    with pytest.raises(records.ShardError, match="record 0 cannot be read"):
        list(records.locate_records(str(path)))


def test_a_cut_record_is_refused_by_its_number(tmp_path):
    path = write(tmp_path / "shard", {1: [b"frame"], 2: [b"frame"]})
    (tmp_path / "shard").write_bytes((tmp_path / "shard").read_bytes()[:-1])
    with pytest.raises(records.ShardError, match="record 1 cannot be read"):
        list(records.locate_records(path))


def test_a_record_of_another_program_is_refused(tmp_path):
    entry = {"image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))}
    built = tf.train.Example(features=tf.train.Features(feature=entry))
    with tf.io.TFRecordWriter(str(tmp_path / "shard")) as writer:
        writer.write(built.SerializeToString())
    with pytest.raises(records.ShardError, match="video/id"):
        list(records.locate_records(str(tmp_path / "shard")))


@pytest.mark.parametrize("number", [[], [-1]])
def test_a_record_without_an_id_is_refused(tmp_path, number):
    entry = {"video/id": tf.train.Feature(int64_list=tf.train.Int64List(value=number))}
    built = tf.train.Example(features=tf.train.Features(feature=entry))
    with tf.io.TFRecordWriter(str(tmp_path / "shard")) as writer:
        writer.write(built.SerializeToString())
    with pytest.raises(records.ShardError, match="record 0 cannot be read"):
        list(records.locate_records(str(tmp_path / "shard")))


def test_an_empty_shard_has_no_records(tmp_path):
    assert not list(records.locate_records(write(tmp_path / "shard", {})))
