"""Frames for pictures, and how few bytes they take."""

import dataclasses
import os

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import numbered_frames, write_data_set

from vie_tf.storage import frame_reader, records
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.shard_index import ShardIndex, index_path


@pytest.fixture(name="data")
def fixture_data(tmp_path):
    """Ten training videos of 20 frames in three shards, with their indices."""
    manifest = write_data_set(tmp_path)
    FrameIndex.load_split(str(tmp_path), manifest, "train")
    return str(tmp_path), manifest


@pytest.fixture(name="reads")
def fixture_reads(monkeypatch):
    """Sizes of all reads of shards."""
    sizes, pread = [], os.pread

    def counted(descriptor, size, offset):
        sizes.append(size)
        return pread(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    return sizes


def test_images_are_those_of_the_records(data):
    data_dir, manifest = data
    videos = manifest.split("train")
    reader = FrameReader.open(data_dir, manifest, videos)
    for video in (videos[0], videos[7]):
        jpegs = numbered_frames(video.id, 20)
        images = reader.read_images(video, [3, 19, 3 + video.frames])
        for image, number in zip(images, (3, 19, 3)):
            np.testing.assert_array_equal(image, tf.io.decode_jpeg(jpegs[number]))


def test_a_picture_reads_its_frames_and_no_record(data, reads, monkeypatch):
    data_dir, manifest = data
    videos = manifest.split("train")

    def parse(record):
        raise AssertionError("a whole record was parsed")

    monkeypatch.setattr(records, "parse", parse)
    monkeypatch.setattr(frame_reader, "_LOCAL_GAP", 0)  # no bytes between frames
    reader = FrameReader.open(data_dir, manifest, videos)
    assert not reads  # the indices are there, so no shard is scanned
    jpegs = [reader.read_jpegs(video, [0, 10])[0:2] for video in videos]
    assert sum(reads) == sum(len(jpeg) for pair in jpegs for jpeg in pair)
    assert sum(reads) < 0.2 * sum(shard.bytes for shard in manifest.shards)


def test_frames_near_to_each_other_are_one_read(data, reads):
    data_dir, manifest = data
    video = manifest.split("train")[0]
    reader = FrameReader.open(data_dir, manifest, [video])
    reader.read_jpegs(video, [9, 4, 5])
    assert len(reads) == 1


def test_only_the_shards_of_the_videos_are_indexed(data):
    data_dir, manifest = data
    os.remove(os.path.join(data_dir, "train-00001.tfrecord"))
    first, lost = manifest.split("train")[0], manifest.split("train")[5]
    assert not FrameIndex.load(data_dir, manifest, [first]).faults
    reader = FrameReader.open(data_dir, manifest, [first, lost])
    assert len(reader.read_images(first, [0])) == 1
    with pytest.raises(OSError):
        reader.read_images(lost, [0])


def test_videos_may_come_in_any_order_and_twice(data):
    data_dir, manifest = data
    videos = [manifest.split("train")[n] for n in (9, 0, 5, 0)]
    index = FrameIndex.load(data_dir, manifest, videos)
    reader = FrameReader(index)
    for number, video in enumerate(videos):
        (jpeg,) = reader.read(number, np.array([2]))
        assert jpeg == numbered_frames(video.id, 20)[2]


def test_a_damaged_frame_is_an_error_that_names_the_video(tmp_path):
    manifest = write_data_set(
        tmp_path,
        make_frames=lambda *ids: [frame[:200] for frame in numbered_frames(*ids)],
    )
    video = manifest.split("train")[0]
    reader = FrameReader.open(str(tmp_path), manifest, [video])
    with pytest.raises(OSError, match=video.source):
        reader.read_images(video, [0])


def test_a_flipped_byte_within_a_frame_is_found_when_it_is_read(tmp_path):
    manifest = write_data_set(tmp_path)
    data_dir, videos = str(tmp_path), manifest.split("train")
    shard = tmp_path / videos[0].shard
    index = ShardIndex.from_shard(str(shard), with_checksums=True)
    index.save(index_path(str(shard)))
    content = bytearray(shard.read_bytes())
    first, size = int(index.first_frames[0]), int(index.sizes[0])
    content[first + size // 2] ^= 1
    shard.write_bytes(bytes(content))
    reader = FrameReader.open(data_dir, manifest, videos)
    reader.read_jpegs(videos[0], [1, 19])  # the others are whole
    with pytest.raises(OSError, match="a frame was damaged since it was written"):
        reader.read_jpegs(videos[0], [19, 0])


def test_an_index_without_checksums_is_read_as_before(tmp_path):
    manifest = write_data_set(tmp_path)
    path = str(tmp_path / manifest.shards[0].name)
    index = ShardIndex.from_shard(path)
    arrays = dataclasses.asdict(index)
    del arrays["checksums"]  # as an earlier version wrote it
    with open(index_path(path), "wb") as file:
        np.savez(file, **arrays)
    loaded = ShardIndex.load(index_path(path))
    assert loaded.sizes.tolist() == index.sizes.tolist()
    assert not loaded.checksums.any()
    videos = manifest.split("train")
    jpegs = FrameReader.open(str(tmp_path), manifest, videos).read_jpegs(videos[0], [7])
    assert jpegs == [numbered_frames(videos[0].id, 20)[7]]
