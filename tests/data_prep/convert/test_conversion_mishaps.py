"""Conversions that are killed, or whose decoder, disk or machine fails them."""

from __future__ import annotations

import functools
import os
import signal
import subprocess

import dying_workers
import numpy as np
import pytest
import tensorflow as tf
import video_fixtures as videos
from commands import run_command, start_command
from conversion_fixtures import command, config, contents, shard_times, write_collection
from process_fixtures import children_of, wait_until, wait_until_gone

from data_prep.convert import conversion
from data_prep.convert.conversion import convert
from data_prep.convert.shard_state import ShardMetadata
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_index import FrameIndex

pytestmark = pytest.mark.process


def _finished(data_dir) -> list[str]:
    """The names of the finished shards."""
    return list(ShardMetadata.load_all(str(data_dir)))


def test_a_killed_run_goes_on_and_ends_the_same_byte_by_byte(collection, tmp_path):
    convert(config(collection, tmp_path / "whole"))
    data_dir = tmp_path / "data"
    die = functools.partial(dying_workers.die_at_video, 5)
    killed = run_command(*command(collection, data_dir), setup=die)
    assert killed.returncode == -signal.SIGKILL
    kept = shard_times(data_dir)
    assert sorted(kept) == ["train-00000.tfrecord", "train-00001.tfrecord"]
    convert(config(collection, data_dir))
    assert contents(data_dir) == contents(tmp_path / "whole")
    assert kept.items() <= shard_times(data_dir).items()
    assert not list((data_dir / ".shards").glob("*.tmp"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux")
def test_a_run_over_processes_that_is_killed_three_times_ends_the_same(tmp_path):
    root, data_dir = tmp_path / "videos", tmp_path / "data"
    for number in range(12):
        picture = videos.numbered_picture(number, 320, 240)
        videos.write_pictures(root / "run" / f"{number}.avi", [picture] * 50)
    convert(config(root, tmp_path / "whole"))
    plan = data_dir / ".shards" / "plan.json"
    for num_finished in (0, 1, 3):
        process = start_command(
            *command(root, data_dir, "--num_processes=2"), output=tmp_path / "output"
        )
        wait_until(
            lambda n=num_finished: plan.exists() and len(_finished(data_dir)) >= n
        )
        workers = children_of(process)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        wait_until_gone(workers)
        assert not (data_dir / "manifest.json").exists()
    assert 3 <= len(_finished(data_dir)) < 7
    convert(config(root, data_dir))
    assert contents(data_dir) == contents(tmp_path / "whole")
    assert not list((data_dir / ".shards").glob("*.tmp"))


def test_a_decoder_that_crashes_or_hangs_costs_one_video_each(
    tmp_path, monkeypatch, capsys
):
    root = write_collection(tmp_path / "videos")
    bad = [root / "run" / "crash.avi", root / "run" / "hang.avi"]
    for path in bad:
        path.write_bytes(b"")
    without = convert(config(root, tmp_path / "without", videos_per_shard=5))
    for path in bad:
        videos.write_video(path)
    monkeypatch.setattr(conversion, "write_shard", dying_workers.write_shard_or_die)
    settings = {"videos_per_shard": 5, "num_processes": 2, "max_seconds": 5}
    capsys.readouterr()
    manifest = convert(config(root, tmp_path / "data", **settings))
    assert [(video.source, video.reason) for video in manifest.refused] == [
        ("run/crash.avi", "decoding it crashed the decoder (SIGSEGV)"),
        ("run/hang.avi", "decoding took longer than --max_seconds=5"),
    ]
    assert (tmp_path / "data" / "refused.csv").read_text().splitlines() == [
        "path,reason",
        *(f"{video.source},{video.reason}" for video in manifest.refused),
    ]
    assert manifest.videos == without.videos
    assert manifest.shards == without.shards
    assert "converting: 10/10 videos, 2 refused" in capsys.readouterr().err
    assert not list((tmp_path / "data" / ".shards").glob("*.tmp"))


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
    try:
        subprocess.run(["mount", *options], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_where_a_disk_is_really_full_room_is_all_that_is_needed(tmp_path, small_disk):
    root, data_dir = tmp_path / "videos", small_disk / "data"
    rng = np.random.default_rng(0)
    for number in range(8):
        noise = rng.integers(0, 256, [14, 160, 160, 3], np.uint8)
        videos.write_pictures(root / "run" / f"{number}.avi", noise)
    convert(config(root, tmp_path / "whole"))
    assert sum(map(len, contents(tmp_path / "whole").values())) > 2**21
    full = run_command(*command(root, data_dir, "--num_processes=2"))
    assert full.returncode == 1
    message = full.stderr.splitlines()[-1]
    assert message.startswith("error: ") and "full" in message
    assert "Traceback" not in full.stderr
    kept = shard_times(data_dir)
    assert kept
    assert set(_finished(data_dir)) == set(kept)
    subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
    convert(config(root, data_dir))
    assert contents(data_dir) == contents(tmp_path / "whole")
    assert kept.items() <= shard_times(data_dir).items()


def test_a_full_disk_is_one_line_and_keeps_the_finished_shards(
    collection, tmp_path, monkeypatch
):
    def fail_on_val(path, *args):
        if "val" in path:
            raise tf.errors.ResourceExhaustedError(None, None, "No space left")

    monkeypatch.setattr(files, "flush_to_disk", fail_on_val)
    with pytest.raises(UserError, match="full"):
        convert(config(collection, tmp_path / "data"))
    assert len(_finished(tmp_path / "data")) == 3
    assert not list((tmp_path / "data" / ".shards").glob("*.tmp"))


def test_other_file_errors_of_tensorflow_keep_their_text(
    collection, tmp_path, monkeypatch
):
    def fail(path):
        raise tf.errors.UnknownError(None, None, "cable pulled")

    monkeypatch.setattr(files, "flush_to_disk", fail)
    with pytest.raises(UserError, match="cable pulled"):
        convert(config(collection, tmp_path / "data"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_made_is_the_users_error(collection, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="--output_dir"):
        convert(config(collection, tmp_path / "data"))


@pytest.mark.parametrize("damage", ["frame", "header", "index", "no index"])
def test_the_same_command_repairs_what_was_damaged(
    collection, tmp_path, damage, capsys
):
    data_dir = tmp_path / "data"
    manifest = convert(config(collection, data_dir))
    whole = contents(data_dir)
    shard = data_dir / manifest.shards[0].name
    path = shard.with_suffix(".index") if "index" in damage else shard
    content = bytearray(path.read_bytes())
    content[{"frame": len(content) // 2, "header": 9}.get(damage, 200)] ^= 1
    path.write_bytes(bytes(content))
    if damage == "no index":
        path.unlink()
    assert convert(config(collection, data_dir)) == manifest
    assert contents(data_dir) == whole
    printed = capsys.readouterr().out
    assert ("made again: train-00000.tfrecord" in printed) == (path == shard)


def test_what_was_converted_is_read_with_checksums(collection, tmp_path):
    data_dir = str(tmp_path / "data")
    manifest = convert(config(collection, data_dir))
    index = FrameIndex.load_split(data_dir, manifest, "train")
    assert index.checksums.all()
    assert len(index.checksums) == len(index.sizes)
