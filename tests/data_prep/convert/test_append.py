from __future__ import annotations

import dataclasses
import functools
import pathlib
import signal

import dying_workers
import pytest
import video_fixtures as videos
from commands import run_command
from conversion_fixtures import command, config, contents, shard_times, write_collection

from data_prep.convert import write_shard
from data_prep.convert.conversion import convert
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest

PROJECT = pathlib.Path(__file__).parents[3]


@pytest.fixture(name="root")
def fixture_root(own_collection) -> pathlib.Path:
    return own_collection


@pytest.fixture
def data_dir(root, tmp_path) -> pathlib.Path:
    """The collection, converted."""
    convert(config(root, tmp_path / "data"))
    return tmp_path / "data"


def add(root: pathlib.Path, *sources: str) -> None:
    for number, source in enumerate(sources):
        videos.write_video(root / source, first=100 + 10 * number)


def append(root, data_dir, **settings) -> Manifest:
    return convert(config(root, data_dir, append=True, **settings))


def sources(manifest, first_id: int = 0) -> set[str]:
    return {video.source for video in manifest.videos if video.id >= first_id}


def test_new_videos_get_new_ids_in_new_shards_and_the_old_stay(root, data_dir):
    before, files = Manifest.load(str(data_dir)), contents(data_dir)
    times = shard_times(data_dir)
    new = {"run/new.avi", "jump/0.avi", "jump/1.avi", "jump/2.avi"}
    add(root, *sorted(new))
    after = append(root, data_dir)
    assert after.videos[:8] == before.videos
    assert [video.id for video in after.videos[8:]] == [8, 9, 10, 11]
    assert sources(after, first_id=8) == new
    assert [shard.name for shard in after.shards] == [
        *("train-00000.tfrecord", "train-00001.tfrecord", "train-00002.tfrecord"),
        *("train-00003.tfrecord", "train-00004.tfrecord"),
        *("val-00000.tfrecord", "val-00001.tfrecord"),
    ]
    assert times.items() <= shard_times(data_dir).items()
    assert all(contents(data_dir)[name] == files[name] for name in times)


def test_old_classes_keep_their_ids_and_new_ones_come_after_them(root, data_dir):
    add(root, "jump/0.avi", "climb/0.avi", "walk/new.avi")
    after = append(root, data_dir)
    assert after.class_names == ("run", "walk", "climb", "jump")
    labels = {video.source: video.label for video in after.videos}
    assert labels["walk/new.avi"] == labels["walk/0.avi"] == 1
    assert (labels["climb/0.avi"], labels["jump/0.avi"]) == (2, 3)


def test_the_val_fraction_is_that_of_the_new_videos_of_each_class(root, data_dir):
    add(root, *(f"run/new{number}.avi" for number in range(4)), "walk/new.avi")
    after = append(root, data_dir)
    new = [(video.source[:4], video.split) for video in after.videos if video.id >= 8]
    assert new.count(("run/", "val")) == 1
    assert new.count(("run/", "train")) == 3
    assert ("walk", "train") in new


def test_the_manifest_tells_what_the_data_set_was_before(root, data_dir):
    before = Manifest.load(str(data_dir))
    add(root, "jump/0.avi")
    after = append(root, data_dir)
    first, second = after.settings["generations"]
    assert (first["first_id"], second["first_id"]) == (0, 8)
    as_before = dataclasses.replace(
        after,
        videos=tuple(v for v in after.videos if v.id < second["first_id"]),
        class_names=after.class_names[: first["num_classes"]],
    )
    assert as_before.fingerprint() == before.fingerprint() != after.fingerprint()


def test_a_second_time_nothing_is_added(root, data_dir, monkeypatch, capsys):
    add(root, "run/new.avi")
    append(root, data_dir)
    files, times = contents(data_dir), shard_times(data_dir)
    monkeypatch.setattr(write_shard, "decode_video", None)
    for settings in ({"append": True}, {}):
        capsys.readouterr()
        convert(config(root, data_dir, **settings))
        assert "Complete: 5 shards" in capsys.readouterr().out
        assert contents(data_dir) == files
        assert shard_times(data_dir) == times


def test_one_can_append_again_and_again(root, data_dir):
    for number in range(3):
        add(root, f"run/new{number}.avi")
        after = append(root, data_dir)
    new = [video.source for video in after.videos if video.id >= 8]
    assert new == ["run/new0.avi", "run/new1.avi", "run/new2.avi"]
    assert len(after.shards) == 7


def test_what_is_appended_first_is_a_conversion_like_any_other(root, data_dir):
    append(root, data_dir.parent / "other")
    assert contents(data_dir.parent / "other") == contents(data_dir)


def test_a_killed_append_goes_on_and_ends_the_same_byte_by_byte(root, tmp_path):
    for name in ("whole", "data"):
        convert(config(root, tmp_path / name))
    before = (tmp_path / "data" / "manifest.json").read_bytes()
    add(root, *(f"run/new{number}.avi" for number in range(6)))
    append(root, tmp_path / "whole")
    die = functools.partial(dying_workers.die_at_video, 4)
    killed = run_command(*command(root, tmp_path / "data", "--append"), setup=die)
    assert killed.returncode == -signal.SIGKILL
    # Until all is there, the data set is what it was.
    assert (tmp_path / "data" / "manifest.json").read_bytes() == before
    kept = shard_times(tmp_path / "data")
    assert len(kept) == 5
    append(root, tmp_path / "data")
    assert contents(tmp_path / "data") == contents(tmp_path / "whole")
    assert kept.items() <= shard_times(tmp_path / "data").items()


def test_what_comes_after_an_interruption_waits_for_what_was_begun(
    root, data_dir, monkeypatch
):
    add(root, "run/new0.avi", "run/new1.avi", "run/new2.avi")
    with monkeypatch.context() as patch:
        patch.setattr(write_shard, "decode_video", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            append(root, data_dir)
    add(root, "jump/late.avi")
    after = append(root, data_dir)
    assert sources(after, first_id=8) - sources(after, first_id=11) == {
        *("run/new0.avi", "run/new1.avi", "run/new2.avi"),
    }
    assert sources(after, first_id=11) == {"jump/late.avi"}


def _interrupted(*args):
    raise KeyboardInterrupt


def test_a_conversion_that_was_interrupted_is_finished_and_then_added_to(
    root, tmp_path, monkeypatch
):
    whole = convert(config(root, tmp_path / "whole"))
    decode_video = write_shard.decode_video
    calls = iter([decode_video] * 4 + [_interrupted])
    with monkeypatch.context() as patch:
        patch.setattr(write_shard, "decode_video", lambda *args: next(calls)(*args))
        with pytest.raises(KeyboardInterrupt):
            convert(config(root, tmp_path / "data"))
    add(root, "run/late.avi")
    with pytest.raises(UserError, match="'run/late.avi'.*--append"):
        convert(config(root, tmp_path / "data"))
    after = append(root, tmp_path / "data")
    assert after.videos[:8] == whole.videos
    assert sources(after, first_id=8) == {"run/late.avi"}


def test_without_append_nothing_is_added_to_what_has_grown(root, data_dir):
    add(root, "run/new.avi")
    append(root, data_dir)
    files = contents(data_dir)
    add(root, "run/newer.avi")
    with pytest.raises(UserError, match="1 new, .*'run/newer.avi'.*--append"):
        convert(config(root, data_dir))
    assert contents(data_dir) == files


def test_refused_videos_are_tried_again_if_their_file_has_changed(root, tmp_path):
    (root / "run" / "0.avi").write_bytes(b"")
    (root / "run" / "1.avi").write_bytes(b"")
    before = convert(config(root, tmp_path / "data"))
    assert len(before.videos) == 6
    videos.write_video(root / "run" / "0.avi")
    after = append(root, tmp_path / "data")
    assert after.videos[:6] == before.videos
    # No id is given twice, not even that of a refused video.
    assert [(v.id, v.source) for v in after.videos[6:]] == [(8, "run/0.avi")]
    assert [video.source for video in after.refused] == ["run/1.avi"]
    assert append(root, tmp_path / "data") == after


def test_a_video_that_is_refused_again_is_listed_once(root, tmp_path):
    (root / "run" / "0.avi").write_bytes(b"")
    convert(config(root, tmp_path / "data"))
    (root / "run" / "0.avi").write_text("no video either")
    manifest = append(root, tmp_path / "data")
    (refused,) = manifest.refused
    assert "cannot" in refused.reason
    files = contents(tmp_path / "data")
    assert append(root, tmp_path / "data") == manifest
    assert contents(tmp_path / "data") == files


def test_missing_and_changed_videos_stay_as_they_were(root, data_dir, capsys):
    before = Manifest.load(str(data_dir))
    times = shard_times(data_dir)
    (root / "run" / "0.avi").unlink()
    videos.write_video(root / "run" / "1.avi", num_pictures=20)
    add(root, "run/new.avi")
    after = append(root, data_dir)
    assert "1 video (such as 'run/0.avi')" in capsys.readouterr().out
    assert after.videos[:8] == before.videos
    assert times.items() <= shard_times(data_dir).items()


def test_other_settings_are_refused(root, data_dir):
    add(root, "run/new.avi")
    files = contents(data_dir)
    for change, message in [
        ({"fps": 10.0}, r"--fps=25.0 \(now 10.0\)"),
        ({"shortest_side": 64}, r"--shortest_side=320 \(now 64\)"),
        ({"videos_per_shard": 3}, r"--videos_per_shard=2 \(now 3\)"),
    ]:
        with pytest.raises(UserError, match=message):
            append(root, data_dir, **change)
    assert contents(data_dir) == files


def test_the_folder_may_move_but_not_be_another(root, data_dir, tmp_path):
    moved = root.rename(tmp_path / "moved")
    add(moved, "run/new.avi")
    assert sources(append(moved, data_dir), first_id=8) == {"run/new.avi"}
    files = contents(data_dir)
    other = write_collection(tmp_path / "other")
    with pytest.raises(UserError, match="another folder .*same names"):
        append(other, data_dir)
    for path in other.rglob("*.avi"):
        path.rename(path.with_name(f"other_{path.name}"))
    with pytest.raises(UserError, match="another folder .*--append"):
        append(other, data_dir)
    assert contents(data_dir) == files
