from __future__ import annotations

import errno
import hashlib
import pathlib
import signal
import subprocess
import sys

import pytest
import tensorflow as tf
import video_fixtures as videos

from data_prep import conversion_report, worker_pool, write_shards
from data_prep.config import ConversionConfig
from data_prep.shard_state import ShardFacts
from data_prep.write_shards import convert
from vie_tf import records

PROJECT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> pathlib.Path:
    """Two classes of four videos, the first pictures of which are 0, 10, 20, ..."""
    root = tmp_path_factory.mktemp("collection")
    for label in range(2):
        for number in range(4):
            path = root / ["run", "walk"][label] / f"{number}.avi"
            videos.write_video(path, first=10 * (4 * label + number))
    return root


@pytest.fixture
def own_collection(collection, tmp_path) -> pathlib.Path:
    """A copy that a test may spoil."""
    copy = tmp_path / "own"
    for path in collection.rglob("*.avi"):
        target = copy / path.relative_to(collection)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


def _config(root, output_dir, **settings) -> ConversionConfig:
    defaults = {"val_fraction": 0.25, "videos_per_shard": 2, "num_processes": 1}
    return ConversionConfig(
        videos=str(root), output_dir=str(output_dir), **{**defaults, **settings}
    )


def _contents(data_dir) -> dict[str, bytes]:
    """All files that a reader sees."""
    return {
        path.name: path.read_bytes()
        for path in pathlib.Path(data_dir).iterdir()
        if path.is_file()
    }


def _shard_times(data_dir) -> dict[str, int]:
    shards = pathlib.Path(data_dir).glob("*.tfrecord")
    return {path.name: path.stat().st_mtime_ns for path in shards}


def test_records_hold_what_the_manifest_says(collection, tmp_path):
    manifest = convert(_config(collection, tmp_path / "data"))
    assert manifest == records.Manifest.load(str(tmp_path / "data"))
    assert manifest.class_names == ("run", "walk")
    assert [video.id for video in manifest.videos] == list(range(8))
    assert [shard.videos for shard in manifest.shards] == [2, 2, 2, 2]
    for video in manifest.videos:
        shard = tf.data.TFRecordDataset(str(tmp_path / "data" / video.shard))
        parsed = {int(r["id"]): r for r in map(records.parse, shard)}
        record = parsed[video.id]
        label, name = video.source.split("/")
        first = 10 * (4 * ["run", "walk"].index(label) + int(name[0]))
        numbers = [videos.picture_number(jpeg) for jpeg in record["frames"].numpy()]
        assert numbers == list(range(first, first + 10))
        assert video.label == record["label"] == ["run", "walk"].index(label)
        assert (video.frames, video.height, video.width) == (10, 48, 64)


def test_shards_are_named_by_split_and_have_their_checksums(collection, tmp_path):
    manifest = convert(_config(collection, tmp_path / "data"))
    assert [shard.name for shard in manifest.shards] == [
        "train-00000.tfrecord",
        "train-00001.tfrecord",
        "train-00002.tfrecord",
        "val-00000.tfrecord",
    ]
    for shard in manifest.shards:
        content = (tmp_path / "data" / shard.name).read_bytes()
        assert shard.bytes == len(content)
        assert shard.sha256 == hashlib.sha256(content).hexdigest()
        assert {v.split for v in manifest.videos if v.shard == shard.name} == {
            shard.split
        }


KILLED_AT_ITS_FIFTH_VIDEO = """
import os, signal, sys
from data_prep import config, write_shards

decode_video, calls = write_shards.decode_video, []

def decode_or_die(*args, **kwargs):
    calls.append(1)
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return decode_video(*args, **kwargs)

write_shards.decode_video = decode_or_die
write_shards.convert(config.ConversionConfig(
    *sys.argv[1:], val_fraction=0.25, videos_per_shard=2, num_processes=1))
"""


def test_a_killed_run_goes_on_and_ends_the_same_byte_by_byte(collection, tmp_path):
    convert(_config(collection, tmp_path / "whole"))
    data_dir = tmp_path / "data"
    command = [sys.executable, "-c", KILLED_AT_ITS_FIFTH_VIDEO, collection, data_dir]
    killed = subprocess.run(command, cwd=PROJECT, stderr=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    kept = _shard_times(data_dir)
    assert sorted(kept) == ["train-00000.tfrecord", "train-00001.tfrecord"]
    convert(_config(collection, data_dir))
    assert _contents(data_dir) == _contents(tmp_path / "whole")
    assert kept.items() <= _shard_times(data_dir).items()
    assert not list((data_dir / ".shards").glob("*.tmp"))


def _finished(data_dir) -> list[str]:
    return list(ShardFacts.load_all(str(data_dir)))


def test_two_processes_write_the_same_bytes_as_one(collection, tmp_path):
    convert(_config(collection, tmp_path / "one"))
    convert(_config(collection, tmp_path / "two", num_processes=2))
    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")


def test_a_second_run_says_that_all_is_there_and_decodes_nothing(
    collection, tmp_path, monkeypatch, capsys
):
    first = convert(_config(collection, tmp_path / "data"))
    monkeypatch.setattr(write_shards, "decode_video", None)
    assert convert(_config(collection, tmp_path / "data")) == first
    assert "Complete: all 4 shards" in capsys.readouterr().out


def test_only_the_shard_of_a_changed_video_is_made_again(own_collection, tmp_path):
    before = convert(_config(own_collection, tmp_path / "data"))
    times = _shard_times(tmp_path / "data")
    videos.write_video(own_collection / "run" / "0.avi", num_pictures=20)
    after = convert(_config(own_collection, tmp_path / "data"))
    shard = next(v.shard for v in before.videos if v.source == "run/0.avi")
    changed = {n for n, t in _shard_times(tmp_path / "data").items() if t != times[n]}
    assert changed == {shard}
    assert [v.frames for v in after.videos if v.source == "run/0.avi"] == [20]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jpeg_quality": 50}, r"--jpeg_quality=90 \(now 50\).*same again, or choose"),
        ({"videos_per_shard": 3}, "--videos_per_shard=2"),
    ],
)
def test_other_settings_do_not_touch_what_is_there(
    collection, tmp_path, change, message
):
    convert(_config(collection, tmp_path / "data"))
    before = _contents(tmp_path / "data")
    with pytest.raises(ValueError, match=message):
        convert(_config(collection, tmp_path / "data", **change))
    assert _contents(tmp_path / "data") == before


def test_other_videos_do_not_touch_what_is_there(own_collection, tmp_path):
    convert(_config(own_collection, tmp_path / "data"))
    before = _contents(tmp_path / "data")
    videos.write_video(own_collection / "run" / "new.avi")
    with pytest.raises(ValueError, match="other videos.*choose another"):
        convert(_config(own_collection, tmp_path / "data"))
    assert _contents(tmp_path / "data") == before


def test_another_folder_with_the_same_names_is_not_taken_for_the_first(
    collection, own_collection, tmp_path
):
    convert(_config(collection, tmp_path / "data"))
    with pytest.raises(ValueError, match="made from another folder"):
        convert(_config(own_collection, tmp_path / "data"))


def test_a_data_set_without_a_plan_is_left_alone(collection, tmp_path):
    (tmp_path / "train-00000.tfrecord").write_text("someone else's")
    with pytest.raises(ValueError, match="choose another --output_dir"):
        convert(_config(collection, tmp_path))
    assert (tmp_path / "train-00000.tfrecord").read_text() == "someone else's"


def test_refused_videos_are_listed_and_the_rest_is_converted(own_collection, tmp_path):
    (own_collection / "run" / "0.avi").write_bytes(b"")
    (own_collection / "run" / "1.avi").write_text("no, video")
    manifest = convert(_config(own_collection, tmp_path / "data"))
    reasons = [(video.source, video.reason) for video in manifest.refused]
    assert reasons == [
        ("run/0.avi", "the file is empty"),
        ("run/1.avi", "OpenCV cannot open it as a video"),
    ]
    assert (tmp_path / "data" / "refused.csv").read_text().splitlines() == [
        "source,reason",
        *(",".join(reason) for reason in reasons),
    ]
    assert len(manifest.videos) == 6
    lines = list(conversion_report.summary(manifest, "DATA"))
    assert "  run/0.avi: the file is empty" in lines
    assert sum(shard.videos for shard in manifest.shards) == 6


def test_a_class_that_loses_all_videos_keeps_its_name_and_is_reported(
    own_collection, tmp_path
):
    for path in (own_collection / "run").iterdir():
        path.write_bytes(b"")
    manifest = convert(_config(own_collection, tmp_path / "data"))
    assert manifest.class_names == ("run", "walk")
    assert {video.label for video in manifest.videos} == {1}
    lines = conversion_report.summary(manifest, "DATA")
    assert any("All videos of the class 'run' were refused" in line for line in lines)


def test_no_readable_video_is_an_error_without_a_manifest(own_collection, tmp_path):
    for path in own_collection.rglob("*.avi"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="None of the 8 videos.*refused.csv"):
        convert(_config(own_collection, tmp_path / "data"))
    assert sorted(_contents(tmp_path / "data")) == ["refused.csv"]


def test_where_nothing_was_converted_other_settings_may_be_tried(collection, tmp_path):
    with pytest.raises(ValueError, match="fewer than min_frames=11"):
        convert(_config(collection, tmp_path / "data", min_frames=11))
    manifest = convert(_config(collection, tmp_path / "data", min_frames=10))
    assert len(manifest.videos) == 8
    assert sorted(_contents(tmp_path / "data"))[0] == "manifest.json"


def test_videos_without_labels_get_no_class(tmp_path):
    for number in range(3):
        videos.write_video(tmp_path / "flat" / f"{number}.avi")
    manifest = convert(_config(tmp_path / "flat", tmp_path / "data"))
    assert manifest.class_names == ()
    assert {video.label for video in manifest.videos} == {records.NO_LABEL}


def test_the_output_must_be_a_local_folder_outside_of_the_videos(collection, tmp_path):
    for output_dir, message in [
        (collection / "data", "lies in the folder of videos"),
        (collection, "lies in the folder of videos"),
        ("s3://bucket/data", "not a local folder"),
        (collection / "run" / "0.avi", "is a file"),
    ]:
        with pytest.raises(ValueError, match=message):
            convert(_config(collection, output_dir))


def test_two_conversions_do_not_write_to_one_folder(collection, tmp_path):
    with write_shards.locked(str(tmp_path / "data")):
        with pytest.raises(ValueError, match="Another conversion"):
            convert(_config(collection, tmp_path / "data"))


def test_a_full_disk_is_one_line_and_keeps_the_finished_shards(
    collection, tmp_path, monkeypatch
):
    def fail_on_val(path, *args):
        if "val" in path:
            raise tf.errors.ResourceExhaustedError(None, None, "No space left")

    monkeypatch.setattr(write_shards, "flush_to_disk", fail_on_val)
    with pytest.raises(OSError, match="disk that holds.*is full.*same command"):
        convert(_config(collection, tmp_path / "data"))
    assert len(_finished(tmp_path / "data")) == 3
    assert not list((tmp_path / "data" / ".shards").glob("*.tmp"))


def test_other_file_errors_of_tensorflow_keep_their_text(
    collection, tmp_path, monkeypatch
):
    def fail(path):
        raise tf.errors.UnknownError(None, None, "cable pulled")

    monkeypatch.setattr(write_shards, "flush_to_disk", fail)
    with pytest.raises(OSError, match="cable pulled") as error:
        convert(_config(collection, tmp_path / "data"))
    assert error.value.errno == errno.EIO


def test_the_pool_returns_all_results_and_reports():
    reported = []
    results = worker_pool.run_tasks(
        videos.double_or_die,
        [1, 2, 3],
        num_processes=2,
        on_report=lambda item, state: reported.append(item),
    )
    assert sorted(results) == [2, 4, 6]
    assert sorted(reported) == ["item 1", "item 2", "item 3"]


def test_a_dead_worker_is_named_with_its_task_and_item():
    results = worker_pool.run_tasks(
        videos.double_or_die,
        [1, 13],
        num_processes=2,
        on_report=lambda item, state: None,
    )
    with pytest.raises(
        worker_pool.WorkerDied, match=r"made 13 died at 'item 13' \(SIGSEGV\)"
    ):
        list(results)
