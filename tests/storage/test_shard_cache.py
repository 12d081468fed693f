import collections
import itertools
import os
import shutil

import numpy as np
import pytest
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.storage import shard_index
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.shard_cache import ShardCache

RECIPE = ClipRecipe(num_frames=2, frame_interval=1, crop_size=32, sampling="dense")


def copied(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_copies_are_used_once_they_are_whole(tmp_path):
    data_dir = str(tmp_path / "data")
    manifest = write_data_set(data_dir)
    cache = ShardCache(str(tmp_path / "cache"), data_dir, manifest, "train")
    cache.wait()
    names = [f"train-0000{n}.tfrecord" for n in range(3)]
    assert copied(tmp_path / "cache") == names
    for name in names:
        source = os.path.join(data_dir, name)
        copy = cache.path(source)
        assert copy.startswith(str(tmp_path / "cache"))
        with open(source, "rb") as one, open(copy, "rb") as other:
            assert one.read() == other.read()
    elsewhere = os.path.join(data_dir, "val-00000.tfrecord")
    assert cache.path(elsewhere) == elsewhere


def test_half_a_copy_of_a_killed_run_is_made_again(tmp_path):
    data_dir = str(tmp_path / "data")
    manifest = write_data_set(data_dir)
    cache_dir = tmp_path / "cache"
    ShardCache(str(cache_dir), data_dir, manifest, "train").wait()
    (path,) = cache_dir.rglob("train-00001.tfrecord")
    path.write_bytes(path.read_bytes()[:100])
    cache = ShardCache(str(cache_dir), data_dir, manifest, "train")
    cache.wait()
    assert path.stat().st_size == manifest.shards[1].bytes


def test_training_reads_the_same_clips_with_a_cache(tmp_path):
    data_dir = str(tmp_path / "data")
    manifest = write_data_set(data_dir)

    def take(**options):
        clips = pipeline.training_clips(
            DataConfig(data_dir, **options), manifest, RECIPE, batch_size=4, seed=0
        )
        return [batch["clips"].numpy() for batch in itertools.islice(clips, 5)]

    without = take()
    np.testing.assert_array_equal(take(cache_dir=str(tmp_path / "cache")), without)


def test_a_disk_that_is_too_small_is_refused_before_training(tmp_path, monkeypatch):
    data_dir = str(tmp_path / "data")
    manifest = write_data_set(data_dir)
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    with pytest.raises(UserError, match="--cache_dir=.*has room for 0.0 GB"):
        ShardCache(str(tmp_path / "cache"), data_dir, manifest, "train")


def test_a_damaged_copy_is_not_used_and_is_made_again(tmp_path, capsys):
    data_dir, copies = str(tmp_path / "data"), str(tmp_path / "cache")
    manifest = write_data_set(data_dir)
    for shard in manifest.shards:  # with checksums, as a conversion writes it
        path = f"{data_dir}/{shard.name}"
        shard_index.ShardIndex.from_shard(path, True).save(shard_index.index_path(path))
    ShardCache(copies, data_dir, manifest, "train").wait()
    (copy,) = (tmp_path / "cache").glob("*/train-00000.tfrecord")
    whole = copy.read_bytes()
    copy.write_bytes(whole[:900] + bytes(len(whole) - 900))
    cache = ShardCache(copies, data_dir, manifest, "train")
    index = FrameIndex.load_split(data_dir, manifest, "train")
    reader = FrameReader(index, cache.path, cache.drop)
    for video in range(4):
        frames = np.arange(manifest.videos[video].frames)
        assert reader.read(video, frames) == FrameReader(index).read(video, frames)
    out = capsys.readouterr().out
    assert out.count("train-00000.tfrecord was damaged") == 1 and str(copy) in out
    cache.wait()
    assert copy.read_bytes() == whole


def test_a_damaged_shard_is_not_blamed_on_its_copy(tmp_path, capsys):
    data_dir, copies = tmp_path / "data", str(tmp_path / "cache")
    manifest = write_data_set(str(data_dir))
    path = data_dir / "train-00000.tfrecord"
    index_path = shard_index.index_path(str(path))
    shard_index.ShardIndex.from_shard(str(path), True).save(index_path)
    path.write_bytes(path.read_bytes()[:900] + bytes(path.stat().st_size - 900))
    cache = ShardCache(copies, str(data_dir), manifest, "train")
    cache.wait()
    index = FrameIndex.load_split(str(data_dir), manifest, "train")
    with pytest.raises(OSError):
        FrameReader(index, cache.path, cache.drop).read(1, np.arange(5))
    assert "was damaged" not in capsys.readouterr().out
