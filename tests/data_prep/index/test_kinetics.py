from __future__ import annotations

import pytest
from list_fixtures import assert_refused, folders_listed, read, touch

HEADER = "label,youtube_id,time_start,time_end,split,is_cc"


def _list(tmp_path, *rows, header=HEADER):
    path = tmp_path / "annotations.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "-3B32_odo2M_000059_000069.mp4",
        "-3B32_odo2M_59_69.webm",
        "-3B32_odo2M_000059.mkv",
        "-3B32_odo2M_59.avi",
    ],
)
@pytest.mark.parametrize(
    "folder", ["", "train/", "class one's (two)/", "val/class_ones_two/"]
)
def test_cut_clips_are_found_by_their_names_in_any_folder(tmp_path, name, folder):
    touch(tmp_path / "clips", folder + name, "x_59.avi")
    path = _list(tmp_path, '"class one\'s (two)",-3B32_odo2M,59,69,train,0')
    (video,) = read(tmp_path / "clips", path)
    assert (video.source, video.label, video.split) == (
        folder + name,
        "class one's (two)",
        "train",
    )
    assert (video.start_secs, video.end_secs) == (None, None)


def test_out_of_a_whole_video_the_segment_is_cut(tmp_path):
    touch(tmp_path / "videos", "run/abc.mkv")
    rows = ["run,abc,59,69,validate,0", "walk,abc,0,10,train,0"]
    found = read(tmp_path / "videos", _list(tmp_path, *rows))
    assert [(v.source, v.label, v.split) for v in found] == [
        ("run/abc.mkv#t=0,10", "walk", "train"),
        ("run/abc.mkv#t=59,69", "run", "val"),
    ]
    assert [(v.start_secs, v.end_secs) for v in found] == [(0, 10), (59, 69)]
    assert {v.path for v in found} == {str(tmp_path / "videos" / "run" / "abc.mkv")}


def test_a_clip_counts_before_the_whole_video(tmp_path):
    touch(tmp_path / "videos", "abc.mp4", "abc_59.avi")
    (video,) = read(tmp_path / "videos", _list(tmp_path, "run,abc,59,69,train,0"))
    assert (video.source, video.start_secs) == ("abc_59.avi", None)


def test_of_two_copies_that_in_the_folders_of_the_row_is_taken(tmp_path):
    for folder in ("a", "train/fast_run", "validate/fast_run", "validate/jump"):
        touch(tmp_path / "clips", f"{folder}/abc_59.avi")
    (video,) = read(tmp_path / "clips", _list(tmp_path, "fast run,abc,59,69,val,0"))
    assert video.source == "validate/fast_run/abc_59.avi"


def test_ids_differ_by_the_case_of_their_letters(tmp_path):
    touch(tmp_path / "clips", "abC_59.avi", "aBc_59.avi")
    rows = ["run,aBc,59,69,train,0", "walk,abC,59,69,train,0"]
    found = read(tmp_path / "clips", _list(tmp_path, *rows))
    assert {v.source: v.label for v in found} == {
        "aBc_59.avi": "run",
        "abC_59.avi": "walk",
    }


def test_segments_of_one_id_are_different_videos(tmp_path):
    touch(tmp_path / "clips", "abc_000000_000010.mp4", "abc_000059_000069.mp4")
    rows = ["run,abc,59,69,train,0", "walk,abc,0,10,train,0"]
    found = read(tmp_path / "clips", _list(tmp_path, *rows))
    assert [v.label for v in found] == ["walk", "run"]


def test_a_clip_that_is_gone_keeps_its_row_under_the_usual_name(tmp_path):
    touch(tmp_path / "clips", "run/abc_59.avi")
    rows = ["run,abc,59,69,train,0", "run,gone,1,11,train,0", "run,#NAME?,2,12,val,0"]
    found = read(tmp_path / "clips", _list(tmp_path, *rows))
    assert [v.source for v in found] == [
        "#NAME?_000002_000012.mp4",
        "gone_000001_000011.mp4",
        "run/abc_59.avi",
    ]
    assert found[1].path == str(tmp_path / "clips" / "gone_000001_000011.mp4")
    assert found[1].start_secs is None


def test_the_list_of_the_test_split_has_no_labels(tmp_path):
    touch(tmp_path / "clips", "abc_59.avi", "def_000001_000011.mp4")
    path = _list(
        tmp_path,
        *("abc,59,69,test", "def,1,11,test"),
        header="youtube_id,time_start,time_end,split",
    )
    found = read(tmp_path / "clips", path)
    assert [(v.label, v.split) for v in found] == [(None, "test")] * 2


def test_only_test_rows_may_be_without_label_where_others_have_one(tmp_path):
    touch(tmp_path / "clips", "abc_59.avi", "def_000001_000011.mp4")
    rows = ["run,abc,59,69,train,0", ",def,1,11,test,0"]
    found = read(tmp_path / "clips", _list(tmp_path, *rows))
    assert [v.label for v in found] == ["run", None]
    path = _list(tmp_path, *rows, ",ghi,1,11,validate,0")
    assert_refused(tmp_path / "clips", path, "row 4 ")


def test_clips_may_be_folders_of_frames(tmp_path):
    touch(tmp_path / "frames", "run/abc_000059_000069/img_00001.jpg")
    rows = ["run,abc,59,69,train,0", "run,gone,1,11,train,0"]
    found = read(tmp_path / "frames", _list(tmp_path, *rows), media="frames")
    assert [v.source for v in found] == [
        "gone_000001_000011",
        "run/abc_000059_000069",
    ]


def test_links_to_other_disks_are_followed(tmp_path):
    touch(tmp_path / "disk2", "run/abc_59.avi")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "train").symlink_to(tmp_path / "disk2")
    (video,) = read(tmp_path / "clips", _list(tmp_path, "run,abc,59,69,train,0"))
    assert video.source == "train/run/abc_59.avi"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["run,abc,59,69,train,0", "jump,abc,59,69,val,0"], "row 2 and .*row 3 .*same"),
        (["run,abc,69,59,train,0"], "row 2: .*59"),
        (["run,abc,59,69,holdout,0"], "row 2: .*'holdout'"),
        (["run,../abc,59,69,train,0"], "row 2: '../abc'"),
        (["run,,59,69,train,0"], "row 2: ''"),
        (["run,xyz,59,69,train,0"], "'.*xyz_000059_000069.mp4'"),
    ],
)
def test_a_list_that_cannot_be_used_says_why_in_one_line(tmp_path, rows, message):
    touch(tmp_path / "clips", "abc_59.avi")
    assert_refused(tmp_path / "clips", _list(tmp_path, *rows), message)


def test_a_list_without_ids_is_no_list_of_kinetics(tmp_path):
    touch(tmp_path / "clips", "abc_59.avi")
    path = _list(tmp_path, "abc_59.avi,run", header="video,label")
    assert_refused(tmp_path / "clips", path, "youtube_id", list_format="kinetics")


def test_a_long_list_is_looked_up_in_one_walk(tmp_path, monkeypatch):
    classes = [f"train/class {i}" for i in range(20)]
    touch(tmp_path / "clips", *(f"{c}/id{i}_12.avi" for i, c in enumerate(classes)))
    rows = [f"class {i % 20},id{i},12,22,train,0" for i in range(1000)]
    listed = folders_listed(monkeypatch)
    found = read(tmp_path / "clips", _list(tmp_path, *rows))
    assert len(found) == 1000
    assert sum("/" in v.source for v in found) == 20
    assert len(listed) == 22  # The folder of clips, `train` and 20 classes.
