from __future__ import annotations

import collections
import os
import pathlib

import pytest

from data_prep import index_videos
from data_prep.index_videos import FoundVideo, index_folder, make_rows, read_folder


def _touch(root: pathlib.Path, *sources: str) -> str:
    for source in sources:
        path = root / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(root)


def _found(**counts: int) -> list[FoundVideo]:
    return [
        FoundVideo(path=f"/x/{name}/{i}.mp4", source=f"{name}/{i}.mp4", label=name)
        for name, count in counts.items()
        for i in range(count)
    ]


def _val_per_class(rows) -> dict[str, int]:
    return collections.Counter(row.label for row in rows if row.split == "val")


def test_label_is_the_first_folder_below_the_root(tmp_path):
    root = _touch(tmp_path, "run/a.mp4", "run/monday/b.MKV", "walk/c.webm")
    found = read_folder(root)
    assert [(video.source, video.label) for video in found] == [
        ("run/a.mp4", "run"),
        ("run/monday/b.MKV", "run"),
        ("walk/c.webm", "walk"),
    ]
    assert all(os.path.isabs(v.path) and os.path.exists(v.path) for v in found)


def test_videos_directly_in_the_root_have_no_label(tmp_path):
    root = _touch(tmp_path, "b.mp4", "a.avi", "notes.txt")
    (tmp_path / "empty").mkdir()
    assert [(v.source, v.label) for v in read_folder(root)] == [
        ("a.avi", None),
        ("b.mp4", None),
    ]


def test_hidden_files_and_folders_are_skipped(tmp_path):
    root = _touch(tmp_path, "run/a.mp4", "run/._a.mp4", ".cache/b.mp4")
    assert [video.source for video in read_folder(root)] == ["run/a.mp4"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    _touch(elsewhere, "a.mp4")
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    (root / "run" / "link.mp4").symlink_to(elsewhere / "a.mp4")
    (root / "run" / "back").symlink_to(root)
    assert [video.source for video in read_folder(str(root))] == ["run/link.mp4"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a.mp4", "run/b.mp4"], "'a.mp4'.*'run/b.mp4'.*sub-folders"),
        (["run/b.mp4", "jump/notes.txt"], "'jump'.*put videos in, or remove it"),
        (["notes.txt"], r"no video.*\.mkv.*\.mp4"),
    ],
)
def test_folders_that_make_no_data_set_say_why_in_one_line(tmp_path, sources, message):
    root = _touch(tmp_path, *sources)
    with pytest.raises(ValueError, match=message) as error:
        read_folder(root)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_or_is_a_file_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        read_folder(str(tmp_path / "nowhere"))
    _touch(tmp_path, "a.mp4")
    with pytest.raises(ValueError, match="is a file"):
        read_folder(str(tmp_path / "a.mp4"))


def test_a_name_that_is_not_utf8_is_an_error(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).touch()
    with pytest.raises(ValueError, match="not valid UTF-8"):
        read_folder(str(tmp_path))


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


def test_index_folder_puts_reader_and_rows_together(tmp_path):
    root = _touch(tmp_path, "run/a.mp4", "run/b.mp4")
    rows = index_folder(root, val_fraction=0.5, seed=0)
    assert [row.source for row in rows] == ["run/a.mp4", "run/b.mp4"]
    assert sorted(row.split for row in rows) == ["train", "val"]
    assert isinstance(rows[0], index_videos.Row)
