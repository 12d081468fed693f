from __future__ import annotations

import hashlib
import pathlib
import re
import unicodedata
from typing import Any

import pytest
import tensorflow as tf
import video_fixtures as videos
from conversion_fixtures import command as arguments
from conversion_fixtures import config, contents, shard_times

from data_prep.convert import __main__ as command
from data_prep.convert import data_folder, make_plan, write_shard
from data_prep.convert.conversion import convert
from data_prep.convert.manifest import summary
from vie_tf.storage import records
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, Manifest

GOLDEN = pathlib.Path(__file__).with_name("golden")


def test_records_hold_what_the_manifest_says(collection, tmp_path):
    manifest = convert(config(collection, tmp_path / "data"))
    assert manifest == Manifest.load(str(tmp_path / "data"))
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
    manifest = convert(config(collection, tmp_path / "data"))
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


def test_two_processes_write_the_same_bytes_as_one(collection, tmp_path):
    convert(config(collection, tmp_path / "one"))
    convert(config(collection, tmp_path / "two", num_processes=2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_second_run_says_that_all_is_there_and_decodes_nothing(
    collection, tmp_path, monkeypatch, capsys
):
    first = convert(config(collection, tmp_path / "data"))
    monkeypatch.setattr(write_shard, "decode_video", None)
    assert convert(config(collection, tmp_path / "data")) == first
    assert "Complete: 4 shards" in capsys.readouterr().out


def test_only_the_shard_of_a_changed_video_is_made_again(own_collection, tmp_path):
    before = convert(config(own_collection, tmp_path / "data"))
    times = shard_times(tmp_path / "data")
    videos.write_video(own_collection / "run" / "0.avi", num_pictures=20)
    after = convert(config(own_collection, tmp_path / "data"))
    shard = next(v.shard for v in before.videos if v.source == "run/0.avi")
    changed = {n for n, t in shard_times(tmp_path / "data").items() if t != times[n]}
    assert changed == {shard}
    assert [v.frames for v in after.videos if v.source == "run/0.avi"] == [20]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jpeg_quality": 50}, "--jpeg_quality=90 .*50.*--output_dir"),
        ({"videos_per_shard": 3}, "--videos_per_shard=2"),
    ],
)
def test_other_settings_do_not_touch_what_is_there(
    collection, tmp_path, change, message
):
    convert(config(collection, tmp_path / "data"))
    before = contents(tmp_path / "data")
    with pytest.raises(UserError, match=message):
        convert(config(collection, tmp_path / "data", **change))
    assert contents(tmp_path / "data") == before


def test_other_videos_do_not_touch_what_is_there(own_collection, tmp_path):
    convert(config(own_collection, tmp_path / "data"))
    before = contents(tmp_path / "data")
    videos.write_video(own_collection / "run" / "new.avi")
    with pytest.raises(UserError, match="1 new, .*'run/new.avi'.*--append"):
        convert(config(own_collection, tmp_path / "data"))
    assert contents(tmp_path / "data") == before


def test_another_folder_with_the_same_names_is_not_taken_for_the_first(
    collection, own_collection, tmp_path
):
    convert(config(collection, tmp_path / "data"))
    with pytest.raises(UserError, match="another folder"):
        convert(config(own_collection, tmp_path / "data"))


def test_a_data_set_without_a_plan_is_left_alone(collection, tmp_path):
    (tmp_path / "train-00000.tfrecord").write_text("someone else's")
    with pytest.raises(UserError, match="--output_dir"):
        convert(config(collection, tmp_path))
    assert (tmp_path / "train-00000.tfrecord").read_text() == "someone else's"


def test_a_data_set_of_another_version_is_left_alone(collection, tmp_path):
    convert(config(collection, tmp_path / "data"))
    before = contents(tmp_path / "data")
    (tmp_path / "data" / ".shards" / "plan.json").write_text('{"rows": "0123"}')
    with pytest.raises(UserError, match="version"):
        convert(config(collection, tmp_path / "data"))
    assert contents(tmp_path / "data") == before


def test_refused_videos_are_listed_and_the_rest_is_converted(own_collection, tmp_path):
    (own_collection / "run" / "0.avi").write_bytes(b"")
    (own_collection / "run" / "1.avi").write_text("no, video")
    manifest = convert(config(own_collection, tmp_path / "data"))
    reasons = [(video.source, video.reason) for video in manifest.refused]
    assert reasons == [
        ("run/0.avi", "the file is empty"),
        ("run/1.avi", "OpenCV cannot open it as a video"),
    ]
    assert (tmp_path / "data" / "refused.csv").read_text().splitlines() == [
        "path,reason",
        *(",".join(reason) for reason in reasons),
    ]
    assert len(manifest.videos) == 6
    lines = list(summary(manifest, "DATA"))
    assert "  run/0.avi: the file is empty" in lines
    assert sum(shard.videos for shard in manifest.shards) == 6


def flags(root, data_dir, *more: str) -> list[str]:
    """The command line of `config(root, data_dir)`."""
    settings = ["--val_fraction=0.25", "--videos_per_shard=2", "--num_processes=1"]
    return [f"--videos={root}", f"--output_dir={data_dir}", *settings, *more]


def test_the_command_prints_the_golden_text(own_collection, tmp_path, capsys):
    (own_collection / "run" / "0.avi").write_bytes(b"")
    assert command.main(flags(own_collection, tmp_path / "data")) == 0
    out = capsys.readouterr().out.replace(str(tmp_path), "TMP")
    out = re.sub(r"[\d.]+ kB", "N kB", out)  # It depends on the encoder.
    assert out == (GOLDEN / "convert.txt").read_text()


def test_strict_fails_over_a_refused_video_after_all_is_written(
    own_collection, tmp_path, capsys
):
    (own_collection / "run" / "0.avi").write_bytes(b"")
    assert command.main(flags(own_collection, tmp_path / "any")) == 0
    capsys.readouterr()
    assert command.main(flags(own_collection, tmp_path / "strict", "--strict")) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "1 refused video" in error and "--strict" in error and "refused.csv" in error
    assert contents(tmp_path / "strict") == contents(tmp_path / "any")
    assert "manifest.json" in contents(tmp_path / "strict")


def test_the_size_is_reported_in_all_and_per_video(collection, tmp_path):
    manifest = convert(config(collection, tmp_path / "data"))
    num_bytes = sum(
        path.stat().st_size for path in (tmp_path / "data").glob("*.tfrecord")
    )
    size = f"{num_bytes / 1e3:.1f} kB in 4 shards, {num_bytes / 8e3:.1f} kB per video"
    assert f"size:    {size}" in list(summary(manifest, "DATA"))


def test_a_class_that_loses_all_videos_keeps_its_name_and_is_reported(
    own_collection, tmp_path
):
    for path in (own_collection / "run").iterdir():
        path.write_bytes(b"")
    manifest = convert(config(own_collection, tmp_path / "data"))
    assert manifest.class_names == ("run", "walk")
    assert {video.label for video in manifest.videos} == {1}
    lines = summary(manifest, "DATA")
    assert any("class 'run'" in line for line in lines)


def test_no_readable_video_is_an_error_without_a_manifest(own_collection, tmp_path):
    for path in own_collection.rglob("*.avi"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="8 videos.*refused.csv"):
        convert(config(own_collection, tmp_path / "data"))
    assert sorted(contents(tmp_path / "data")) == ["refused.csv"]


def test_where_nothing_was_converted_other_settings_may_be_tried(collection, tmp_path):
    with pytest.raises(UserError, match="min_frames=11"):
        convert(config(collection, tmp_path / "data", min_frames=11))
    manifest = convert(config(collection, tmp_path / "data", min_frames=10))
    assert len(manifest.videos) == 8
    assert sorted(contents(tmp_path / "data"))[:2] == ["classes.txt", "manifest.json"]


def test_videos_without_labels_get_no_class(tmp_path):
    for number in range(3):
        videos.write_video(tmp_path / "flat" / f"{number}.avi")
    manifest = convert(config(tmp_path / "flat", tmp_path / "data"))
    assert manifest.class_names == ()
    assert {video.label for video in manifest.videos} == {NO_LABEL}


def test_the_output_must_be_a_local_folder_outside_of_the_videos(collection, tmp_path):
    for output_dir, message in [
        (collection / "data", "--output_dir=.*outside"),
        (collection, "--output_dir=.*outside"),
        (collection / "run" / "0.avi", "--output_dir=.*file"),
    ]:
        with pytest.raises(UserError, match=message):
            convert(config(collection, output_dir))


def test_two_conversions_do_not_write_to_one_folder(collection, tmp_path):
    with data_folder.lock(str(tmp_path / "data")):
        with pytest.raises(UserError, match="--output_dir"):
            convert(config(collection, tmp_path / "data"))


def _numbered(root: pathlib.Path, *labels: str) -> pathlib.Path:
    """One video of a few frames for each label."""
    for number, label in enumerate(labels):
        videos.write_video(root / label / "a.avi", first=10 * number)
    return root


def test_classes_that_are_numbers_have_ids_in_their_order(tmp_path):
    root = _numbered(tmp_path / "videos", *(str(number) for number in range(12)))
    manifest = convert(config(root, tmp_path / "data"))
    assert {v.source: v.label for v in manifest.videos} == {
        f"{number}/a.avi": number for number in range(12)
    }
    text = (tmp_path / "data" / "classes.txt").read_text()
    assert text == "".join(f"{number} {number}\n" for number in range(12))


def test_a_data_set_with_another_order_of_classes_keeps_their_ids(
    tmp_path, monkeypatch
):
    root = _numbered(tmp_path / "videos", "2", "10")
    with monkeypatch.context() as earlier:
        earlier.setattr(make_plan, "natural_order", sorted)
        before = convert(config(root, tmp_path / "data"))
    assert before.class_names == ("10", "2")
    times = shard_times(tmp_path / "data")
    assert convert(config(root, tmp_path / "data")) == before
    _numbered(root, "12", "9")
    after = convert(config(root, tmp_path / "data", append=True))
    assert after.class_names == ("10", "2", "9", "12")
    kept = shard_times(tmp_path / "data")
    assert {name: kept[name] for name in times} == times


def test_classes_whose_names_look_alike_are_one(tmp_path):
    names = [unicodedata.normalize(form, "fünf") for form in ("NFC", "NFD")]
    root = _numbered(tmp_path / "videos", *names)
    manifest = convert(config(root, tmp_path / "data"))
    assert manifest.class_names == (names[0],)
    assert [video.label for video in manifest.videos] == [0, 0]
    assert (tmp_path / "data" / "classes.txt").read_text() == f"0 {names[0]}\n"


def test_a_list_most_of_whose_videos_are_missing_is_an_error(collection, tmp_path):
    rows = ["video", "run/0.avi", "run/gone.avi", "gone", "walk/1.avi", "gone.avi"]
    path = tmp_path / "list.csv"
    path.write_text("\n".join(rows))
    flags: dict[str, Any] = {"list_path": str(path), "val_fraction": 0.0}
    with pytest.raises(UserError, match="3 of the 5 videos .*--max_missing_rows"):
        convert(config(collection, tmp_path / "data", **flags))
    assert not (tmp_path / "data").exists()
    flags["max_missing_rows"] = 1
    manifest = convert(config(collection, tmp_path / "data", **flags))
    assert (len(manifest.videos), len(manifest.refused)) == (2, 3)
    path.write_text("\n".join(rows[:-1]))
    del flags["max_missing_rows"]  # Half of them are not most of them.
    manifest = convert(config(collection, tmp_path / "half", **flags))
    assert (len(manifest.videos), len(manifest.refused)) == (2, 2)


def test_names_of_files_do_not_reach_the_terminal_or_a_spreadsheet_raw(
    tmp_path, capsys
):
    root = _numbered(tmp_path / "videos", "=run")
    for name in ("\x1b[2Jbad.avi", "=1+1.avi"):
        (root / "=run" / name).write_bytes(b"no video")
    assert command.main(list(map(str, arguments(root, tmp_path / "data")))[2:]) == 0
    printed = capsys.readouterr().out
    assert "\\x1b[2Jbad.avi" in printed
    assert "\x1b" not in printed
    rows = (tmp_path / "data" / "refused.csv").read_text().splitlines()
    assert rows[1].startswith("'=run/\\x1b[2Jbad.avi,")
    assert rows[2].startswith("'=run/=1+1.avi,")
