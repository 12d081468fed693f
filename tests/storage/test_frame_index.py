"""Where frames lie in the shards, and what is said of shards at fault."""

import dataclasses
import os

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set

from vie_tf.storage import records
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.frame_reader import FrameReader, read_record
from vie_tf.storage.records import ShardError
from vie_tf.storage.shard_index import ShardIndex


@pytest.fixture(name="data")
def fixture_data(tmp_path):
    """Ten training videos of 20 frames in three shards."""
    return str(tmp_path), write_data_set(tmp_path)


def parsed_records(path):
    return [records.parse(record) for record in tf.data.TFRecordDataset(path)]


def test_an_index_has_the_place_of_every_frame(data):
    path = os.path.join(data[0], "train-00000.tfrecord")
    index = ShardIndex.from_shard(path)
    with open(path, "rb") as file:
        content = file.read()
    assert index.shard_bytes == len(content)
    assert index.num_frames.tolist() == [20] * 4
    for number, video in enumerate(parsed_records(path)):
        assert index.ids[number] == int(video["id"])
        frames = video["frames"].numpy()
        first = index.first_frames[number]
        assert content[first : first + len(frames[0])] == frames[0]
        sizes = index.sizes[20 * number : 20 * number + 20]
        assert sizes.tolist() == [len(frame) for frame in frames]


def test_an_index_survives_a_file_and_holds_no_pickle(data, tmp_path):
    index = ShardIndex.from_shard(os.path.join(data[0], "train-00001.tfrecord"))
    index.save(str(tmp_path / "index"))
    loaded = ShardIndex.load(str(tmp_path / "index"))
    for name in ("ids", "records", "first_frames", "num_frames", "sizes"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(index, name))
    np.savez(tmp_path / "pickle.npz", ids=np.array([{}], object))
    assert ShardIndex.load(str(tmp_path / "pickle.npz")) is None


# Sizes whose lengths take one, two and three bytes, and frames in between.
@pytest.mark.parametrize("sizes", [[5, 127, 128, 300, 16383, 16384, 70000, 4], [3]])
def test_places_count_the_bytes_of_the_lengths(tmp_path, sizes):
    frames = [b"\xff\xd8" + bytes([n]) * (size - 2) for n, size in enumerate(sizes)]
    manifest = write_data_set(
        tmp_path, num_train=2, num_val=0, make_frames=lambda *_: frames
    )
    index = FrameIndex.load_split(str(tmp_path), manifest, "train")
    order = np.random.default_rng(0).permutation(len(sizes))
    object.__setattr__(index.videos[1], "frames", len(sizes))
    assert FrameReader(index).read(1, order) == [frames[n] for n in order]


def test_a_missing_index_is_made_and_kept(data):
    data_dir, manifest = data
    path = os.path.join(data_dir, "train-00000.index")
    assert not os.path.exists(path)
    first = FrameIndex.load_split(data_dir, manifest, "train")
    assert os.path.exists(path)
    again = FrameIndex.load_split(data_dir, manifest, "train")
    np.testing.assert_array_equal(again.sizes, first.sizes)


def test_both_readers_read_what_a_whole_record_holds(data):
    data_dir, manifest = data
    index = FrameIndex.load_split(data_dir, manifest, "train")
    reader = FrameReader(index)
    frames = np.array([7, 0, 19, 7])
    for number, video in enumerate(index.videos):
        records_of_shard = parsed_records(os.path.join(data_dir, video.shard))
        (wanted,) = [
            parsed["frames"].numpy()[frames]
            for parsed in records_of_shard
            if int(parsed["id"]) == video.id
        ]
        position = tf.constant(number, tf.int64)
        for jpegs, problem in (
            reader(position, tf.constant(frames)),
            read_record(index, position, tf.constant(frames)),
        ):
            assert problem == b""
            np.testing.assert_array_equal(jpegs, wanted)


def cut(path, share=0.5):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.truncate(int(size * share))


def test_a_cut_shard_is_named_with_its_sizes(data):
    data_dir, manifest = data
    cut(os.path.join(data_dir, "train-00001.tfrecord"))
    with pytest.raises(ShardError, match=r"train-00001\.tfrecord is cut.* instead of"):
        FrameIndex.load_split(data_dir, manifest, "train")
    index = FrameIndex.load_split(data_dir, manifest, "train", allow_faults=True)
    (path,) = index.faults
    assert path.endswith("train-00001.tfrecord")


def test_of_a_cut_shard_with_an_index_the_rest_can_be_read(data):
    data_dir, manifest = data
    whole = FrameIndex.load_split(data_dir, manifest, "train")
    wanted = FrameReader(whole).read(4, np.array([3]))
    cut(os.path.join(data_dir, "train-00001.tfrecord"))
    reader = FrameReader(
        FrameIndex.load_split(data_dir, manifest, "train", allow_faults=True)
    )
    assert reader.read(4, np.array([3])) == wanted
    with pytest.raises(OSError, match="the shard ends before"):
        reader.read(7, np.array([3]))


def test_a_missing_shard_is_named(data):
    data_dir, manifest = data
    os.remove(os.path.join(data_dir, "val-00000.tfrecord"))
    with pytest.raises(ShardError, match=r"val-00000\.tfrecord is missing"):
        FrameIndex.load_split(data_dir, manifest, "val")


def test_a_shard_of_other_videos_is_named(data):
    data_dir, manifest = data
    first, second = (os.path.join(data_dir, f"train-0000{n}.tfrecord") for n in (0, 1))
    os.rename(first, first + ".old")
    os.rename(second, first)
    os.rename(first + ".old", second)
    swapped = dataclasses.replace(
        manifest,
        shards=tuple(
            dataclasses.replace(
                shard, bytes=os.path.getsize(f"{data_dir}/{shard.name}")
            )
            for shard in manifest.shards
        ),
    )
    with pytest.raises(ShardError, match="does not hold the videos"):
        FrameIndex.load_split(data_dir, swapped, "train")


def test_bytes_that_are_no_jpeg_are_not_returned_as_a_frame(data):
    data_dir, manifest = data
    index = FrameIndex.load_split(data_dir, manifest, "train")
    path = os.path.join(data_dir, "train-00000.tfrecord")
    with open(path, "r+b") as file:
        file.seek(int(index.first_frames[0]))
        file.write(b"nonsense")
    with pytest.raises(OSError, match="no JPEG frame"):
        FrameReader(index).read(0, np.array([0]))
