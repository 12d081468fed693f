from __future__ import annotations

import collections
import dataclasses

import pytest
from list_fixtures import assert_refused, read, touch

from data_prep.config import ConversionConfig
from data_prep.index import index_videos
from data_prep.index.index_videos import make_rows
from data_prep.index.video_row import FoundVideo, VideoRow
from vie_tf.storage.errors import UserError


def _found(**counts: int) -> list[FoundVideo]:
    return [
        FoundVideo(path=f"/x/{name}/{i}.mp4", source=f"{name}/{i}.mp4", label=name)
        for name, count in counts.items()
        for i in range(count)
    ]


def _val_per_class(rows) -> dict[str, int]:
    return collections.Counter(row.label for row in rows if row.split == "val")


def test_each_class_is_split_by_itself_and_keeps_one_on_each_side():
    videos = _found(ten=10, five=5, two=2, one=1)
    rows = make_rows(videos, val_fraction=0.2, seed=0)
    assert _val_per_class(rows) == {"ten": 2, "five": 1, "two": 1}
    rows = make_rows(videos, val_fraction=0.99, seed=0)
    assert _val_per_class(rows) == {"ten": 9, "five": 4, "two": 1}
    assert not _val_per_class(make_rows(videos, val_fraction=0, seed=0))


def test_videos_without_labels_are_split_together():
    videos = [FoundVideo(f"/x/{i}.mp4", f"{i}.mp4", None) for i in range(20)]
    rows = make_rows(videos, val_fraction=0.25, seed=0)
    assert _val_per_class(rows) == {None: 5}


def test_ids_and_splits_do_not_depend_on_the_order_of_the_listing():
    videos = _found(run=7, walk=8)
    rows = make_rows(videos, val_fraction=0.3, seed=1)
    assert make_rows(videos[::-1], val_fraction=0.3, seed=1) == rows
    assert sorted(row.id for row in rows) == list(range(15))


def test_ids_do_not_depend_on_the_split_and_mix_the_classes():
    videos = _found(run=50, walk=50)
    rows = make_rows(videos, val_fraction=0, seed=0)
    other = make_rows(videos, val_fraction=0.5, seed=0)
    assert [row.id for row in rows] == [row.id for row in other]
    first = [row.label for row in rows if row.id < 50]
    assert 15 < first.count("run") < 35


def test_the_ids_of_a_seed_stay_as_they_are():
    # Written down once: a change of these would give every old data set new ids.
    rows = make_rows(_found(run=3, walk=2), val_fraction=0.4, seed=0)
    assert [(row.source, row.id, row.split) for row in rows] == [
        ("run/0.mp4", 0, "train"),
        ("run/1.mp4", 3, "train"),
        ("run/2.mp4", 2, "val"),
        ("walk/0.mp4", 1, "val"),
        ("walk/1.mp4", 4, "train"),
    ]
    assert make_rows(_found(run=3, walk=2), val_fraction=0.4, seed=1) != rows


def test_ids_can_begin_behind_those_in_use():
    videos = _found(run=3, walk=2)
    rows = make_rows(videos, val_fraction=0.4, seed=0)
    later = make_rows(videos, val_fraction=0.4, seed=0, first_id=7)
    assert [row.id for row in later] == [row.id + 7 for row in rows]


def test_splits_and_segments_of_a_list_hold():
    splits = ["val", "train", "test", "train", "train"]
    videos = [
        dataclasses.replace(video, split=split, start_secs=1.0, end_secs=2.5)
        for video, split in zip(_found(run=3, walk=2), splits)
    ]
    rows = make_rows(videos, val_fraction=0.5, seed=0)
    assert [row.split for row in rows] == splits
    assert {(row.start_secs, row.end_secs) for row in rows} == {(1.0, 2.5)}


def test_splits_for_some_videos_only_are_refused():
    videos = _found(run=5)
    videos[0] = dataclasses.replace(videos[0], split="train")
    with pytest.raises(UserError, match="4 of 5 .*'run/1.mp4'.*--val_fraction"):
        make_rows(videos, val_fraction=0.5, seed=0)


def _config(root, **settings) -> ConversionConfig:
    return ConversionConfig(videos=str(root), output_dir="", **settings)


def test_without_a_list_all_videos_of_the_folder_are_rows(tmp_path):
    touch(tmp_path, "run/a.mp4", "run/b.mp4")
    rows = make_rows(index_videos.read(_config(tmp_path)), val_fraction=0.5, seed=0)
    assert [row.source for row in rows] == ["run/a.mp4", "run/b.mp4"]
    assert sorted(row.split for row in rows) == ["train", "val"]
    assert isinstance(rows[0], VideoRow)


def test_the_medium_says_what_a_video_is(tmp_path):
    touch(tmp_path, "run/a.mp4", "run/b/1.jpg", "run/b/2.jpg")

    def sources(media):
        return [row.source for row in index_videos.read(_config(tmp_path, media=media))]

    assert sources("videos") == ["run/a.mp4"]
    assert sources("frames") == ["run/b"]
    assert sources("images") == ["run/b/1.jpg", "run/b/2.jpg"]


@pytest.mark.parametrize(
    ("files", "list_name", "label"),
    [
        ({"list.csv": "video,label\nc/v_12.avi,csv\n"}, "list.csv", "csv"),
        ({"list.csv": "youtube_id,label\nv_12,kin\n"}, "list.csv", "kin"),
        ({"list.csv": "youtube_id,path,label\nv,c/v_12.avi,csv\n"}, "list.csv", "csv"),
        (
            {
                "classInd.txt": "1 ucf",
                "trainlist01.txt": "ucf/v_12.avi 1",
                "testlist01.txt": "",
            },
            "",
            "ucf",
        ),
        ({"hmdb_test_split1.txt": "v_12.avi 1"}, "", "hmdb"),
    ],
)
def test_the_format_of_a_list_is_found_out(tmp_path, files, list_name, label):
    touch(tmp_path / "videos", "c/v_12.avi")
    touch(tmp_path / "lists", *files)
    for name, text in files.items():
        (tmp_path / "lists" / name).write_text(text)
    found = read(tmp_path / "videos", tmp_path / "lists" / list_name)
    assert [(v.source, v.label) for v in found] == [("c/v_12.avi", label)]


@pytest.mark.parametrize(
    ("list_name", "list_format", "message"),
    [
        ("nowhere", "auto", "--list=.*nowhere"),
        ("folder", "auto", "classInd.txt .*CLASS_test_split1"),
        ("folder", "csv", "--list_format=csv"),
        ("list.csv", "ucf101", "--list_format=ucf101"),
        ("list.csv", "auto", "'x', 'y'"),
    ],
)
def test_a_list_of_no_known_format_is_refused(
    tmp_path, list_name, list_format, message
):
    touch(tmp_path, "videos/a.mp4", "folder/notes.txt")
    (tmp_path / "list.csv").write_text("x,y\n1,2\n")
    assert_refused(
        tmp_path / "videos", tmp_path / list_name, message, list_format=list_format
    )
