from __future__ import annotations

import os
from unicodedata import normalize

import pytest
from list_fixtures import assert_refused, folders_listed, labeled, read, touch

from data_prep.index.folder import read_folder
from data_prep.index.media_tree import MediaTree


@pytest.fixture
def root(tmp_path):
    """Two classes of two videos each."""
    root = tmp_path / "videos"
    touch(root, "run/a.mp4", "run/b c.avi", "walk/d.mkv", "walk/e.mp4")
    return root


def _list(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_csv_says_which_videos_with_what_label_and_split(root, tmp_path):
    path = _list(
        tmp_path,
        "video,label,split\nwalk/e.mp4,walk,val\nrun/b c.avi,run,train\n",
    )
    found = read(root, path)
    assert labeled(found) == [
        ("run/b c.avi", "run", "train"),
        ("walk/e.mp4", "walk", "val"),
    ]
    assert found[0].path == str(root / "run" / "b c.avi")


def test_label_and_split_may_be_left_out(root, tmp_path):
    path = _list(tmp_path, "path\nrun/a.mp4\n\nrun/b c.avi\n")
    assert labeled(read(root, path)) == [
        ("run/a.mp4", None, None),
        ("run/b c.avi", None, None),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
def test_the_delimiter_is_found_out(root, tmp_path, delimiter):
    rows = [
        ("File_Name", "Class", "num_frames"),
        ("run/a.mp4", "7", "10"),
        ('"run/b c.avi"', "12", "10"),
    ]
    path = _list(tmp_path, "\n".join(map(delimiter.join, rows)))
    assert labeled(read(root, path)) == [
        ("run/a.mp4", "7", None),
        ("run/b c.avi", "12", None),
    ]


def test_delimiters_in_quotes_and_in_other_columns_are_text(root, tmp_path):
    touch(root, "run/f, g.mp4")
    path = _list(
        tmp_path, 'note;video;label\n1,2;run/a.mp4;run, fast\n"x;y";"run/f, g.mp4";run'
    )
    assert labeled(read(root, path)) == [
        ("run/a.mp4", "run, fast", None),
        ("run/f, g.mp4", "run", None),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "path,class,subset",
        "File,Category,Partition",
        "VIDEO PATH,class name,set",
        "video_path,Label,SPLIT",
        "filename,labels,Split",
        "name,action,split",
        "video_id,label_id,split",
    ],
)
def test_columns_may_have_the_names_that_people_give_them(root, tmp_path, header):
    path = _list(tmp_path, f"{header}\nrun/a.mp4,run,train\n")
    assert labeled(read(root, path)) == [("run/a.mp4", "run", "train")]


def test_the_name_of_a_file_counts_before_the_number_of_a_video(root, tmp_path):
    path = _list(tmp_path, "id,video,class_id,class\n1,run/a.mp4,0,run\n")
    assert labeled(read(root, path)) == [("run/a.mp4", "run", None)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_what_a_spreadsheet_writes_is_read(root, tmp_path, line_end):
    touch(root, "run/Läufer.mp4")
    text = "video;label\nrun/Läufer.mp4;laufen für alle\n".replace("\n", line_end)
    path = _list(tmp_path, text, "utf-8-sig")
    assert labeled(read(root, path)) == [("run/Läufer.mp4", "laufen für alle", None)]


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("training", "train"),
        ("Train", "train"),
        ("validate", "val"),
        ("VALIDATION", "val"),
        ("valid", "val"),
        ("testing", "test"),
    ],
)
def test_splits_may_have_their_other_names(root, tmp_path, text, split):
    path = _list(tmp_path, f"video,split\nrun/a.mp4,{text}\n")
    assert labeled(read(root, path)) == [("run/a.mp4", None, split)]


def test_a_segment_is_cut_by_start_and_end(root, tmp_path):
    path = _list(
        tmp_path,
        "video,start,end\nrun/a.mp4,12,22.5\nrun/a.mp4,0:01:30,1:40.5\n"
        "run/a.mp4,,8\nrun/a.mp4,95,\nwalk/e.mp4,,\nwalk/d.mkv,0,\n",
    )
    found = read(root, path)
    assert [(v.source, v.start_secs, v.end_secs) for v in found] == [
        ("run/a.mp4#t=,8", None, 8.0),
        ("run/a.mp4#t=12,22.5", 12.0, 22.5),
        ("run/a.mp4#t=90,100.5", 90.0, 100.5),
        ("run/a.mp4#t=95", 95.0, None),
        ("walk/d.mkv", None, None),
        ("walk/e.mp4", None, None),
    ]
    assert {v.path for v in found[:4]} == {str(root / "run" / "a.mp4")}


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ("22,12", "row 2: the end .12. .*start .22."),
        ("12,12", "row 2: the end"),
        (",0", "row 2: the end"),
        ("soon,12", "row 2: the start is 'soon'"),
        ("-1,12", "row 2: the start is '-1'"),
        ("1,nan", "row 2: the end is 'nan'"),
        ("1,1:2:3:4", "row 2: the end is '1:2:3:4'"),
    ],
)
def test_times_that_are_none_are_refused_with_their_row(root, tmp_path, times, message):
    assert_refused(
        root, _list(tmp_path, f"video,start,end\nrun/a.mp4,{times}\n"), message
    )


def test_an_extension_may_be_left_out(root, tmp_path):
    touch(root, "run/x.y.mp4")
    path = _list(tmp_path, "video,label\nrun/a,run\nwalk/d,walk\nrun/x.y,run\n")
    assert [v.source for v in read(root, path)] == [
        "run/a.mp4",
        "run/x.y.mp4",
        "walk/d.mkv",
    ]


def test_an_extension_that_is_left_out_must_be_the_only_one(root, tmp_path):
    touch(root, "run/a.avi")
    path = _list(tmp_path, "video\nrun/a\n")
    assert_refused(root, path, "row 2: 'run/a' .*'run/a.avi' .*'run/a.mp4'")


def test_paths_may_be_written_as_on_windows_or_with_a_dot(root, tmp_path):
    path = _list(tmp_path, "video\nrun\\a.mp4\n./walk//e.mp4\n")
    assert [v.source for v in read(root, path)] == ["run/a.mp4", "walk/e.mp4"]


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("../../etc/passwd", "row 3: '../../etc/passwd'.*--videos"),
        ("run/../walk/e.mp4", "row 3: .*run/../walk"),
        ("..\\secret.mp4", "row 3: .*secret"),
        ("/etc/passwd", "row 3: '/etc/passwd'.*--videos"),
        ("C:\\videos\\a.mp4", "row 3: 'C:/videos/a.mp4'"),
        (".hidden/s.mp4", "row 3: '.hidden/s.mp4'"),
        ("run/.inner/s.mp4", "row 3: 'run/.inner/s.mp4'"),
        ("{outside}/s.mp4", "row 3: '.*secret/s.mp4'.*--videos"),
        ("{inside}/../../secret/s.mp4", "row 3: .*'..'"),
    ],
)
def test_a_listed_path_cannot_leave_the_folder_of_videos(
    root, tmp_path, listed, message
):
    touch(tmp_path, "secret/s.mp4", "secret/deep/s.mp4")
    (root / ".hidden").symlink_to(tmp_path / "secret")
    (root / "run" / ".inner").symlink_to("../../secret/deep")
    listed = listed.format(outside=tmp_path / "secret", inside=root / "run")
    path = _list(tmp_path, f'video\nrun/a.mp4\n"{listed}"\n')
    assert_refused(root, path, message)


def test_links_that_stay_in_the_folder_of_videos_are_fine(root, tmp_path):
    (root / "best.mp4").symlink_to("run/a.mp4")
    (root / "again").symlink_to(root / "walk")
    linked_root = tmp_path / "linked_root"
    linked_root.symlink_to(root)
    path = _list(tmp_path, "video\nbest.mp4\nagain/e.mp4\n")
    sources = ["again/e.mp4", "best.mp4"]
    assert [v.source for v in read(root, path)] == sources
    assert [v.source for v in read(linked_root, path)] == sources


def test_links_lead_where_they_lead_without_a_list(root, tmp_path):
    touch(tmp_path, "elsewhere/s.mp4", "elsewhere/deep/t.mp4")
    (root / "run" / "link.mp4").symlink_to(tmp_path / "elsewhere" / "s.mp4")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    listed = ["linked/deep/t.mp4", "linked/s.mp4", "run/link.mp4"]
    path = _list(tmp_path, "\n".join(["video", *listed]))
    assert [video.source for video in read(root, path)] == listed
    tree = MediaTree(str(root), "videos")
    assert set(listed) <= {video.source for video in read_folder(tree)}


def test_an_absolute_path_may_lie_in_the_folder_of_videos(root, tmp_path):
    (tmp_path / "linked_root").symlink_to(root)
    paths = [root / "run" / "a.mp4", tmp_path / "linked_root" / "walk" / "d"]
    path = _list(tmp_path, "\n".join(["video", *map(str, paths)]))
    sources = ["run/a.mp4", "walk/d.mkv"]
    assert [video.source for video in read(root, path)] == sources
    assert [video.source for video in read(tmp_path / "linked_root", path)] == sources
    frames = tmp_path / "frames"
    touch(frames, "v/1.jpg")
    path = _list(tmp_path, f"{frames}/v 25 3\n")
    assert labeled(read(frames, path, media="frames")) == [("v", "3", None)]


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_list", ["NFC", "NFD"])
def test_names_that_look_alike_are_the_same(tmp_path, on_disk, in_list):
    root = tmp_path / "videos"
    there = [normalize(on_disk, name) for name in ("Läufe/é.mp4", "Läufe/ö.dat")]
    touch(root, *there)
    listed = normalize(in_list, "video\nLäufe/é\nLäufe/ö.dat\n")
    found = read(root, _list(tmp_path, listed))
    assert [video.source for video in found] == there
    assert all(os.path.exists(video.path) for video in found)
    found = read(root, _list(tmp_path, normalize(in_list, "Läufe/é.mp4 Tür 2 auf")))
    assert [video.source for video in found] == there[:1]


def test_of_two_names_that_look_alike_the_one_that_is_written_counts(tmp_path):
    root = tmp_path / "videos"
    names = sorted(normalize(form, "é.mp4") for form in ("NFC", "NFD"))
    touch(root, *names)
    path = _list(tmp_path, "\n".join(["video", *names]))
    assert [video.source for video in read(root, path)] == names


def test_labels_missing_for_some_rows_are_refused_with_the_rows(root, tmp_path):
    rows = [
        *("video,label", "run/a.mp4,run", "walk/e.mp4,", "", "walk/d.mkv"),
        *(f"{i}.mp4," for i in range(4)),
    ]
    path = _list(tmp_path, "\n".join(rows))
    assert_refused(root, path, "row 3, 5, 6, 7, 8, .*6")


def test_a_label_column_without_a_label_is_no_label_column(root, tmp_path):
    path = _list(tmp_path, "video,label\nrun/a.mp4,\nwalk/e.mp4,\n")
    assert [v.label for v in read(root, path)] == [None, None]


@pytest.mark.parametrize("second", ["run/a.mp4", "./run/a.mp4", "run/a"])
def test_two_rows_of_one_video_are_refused_with_both_rows(root, tmp_path, second):
    path = _list(tmp_path, f"video,label\nrun/a.mp4,run\nwalk/e.mp4,w\n{second},run\n")
    assert_refused(root, path, "row 2 .*row 4 .*'run/a.mp4'")


def test_two_rows_of_one_segment_are_refused_with_both_rows(root, tmp_path):
    path = _list(tmp_path, "video,start,end\nrun/a.mp4,60,70\nrun/a.mp4,1:00,1:10\n")
    assert_refused(root, path, "row 2 .*row 3 .*'run/a.mp4#t=60,70'")


def test_a_file_that_is_not_there_keeps_its_row(root, tmp_path):
    path = _list(tmp_path, "video\nrun/a.mp4\nrun/gone.mp4\ngone\n")
    found = read(root, path)
    assert [v.source for v in found] == ["gone", "run/a.mp4", "run/gone.mp4"]
    assert found[2].path == str(root / "run" / "gone.mp4")


def test_a_file_of_an_unknown_kind_is_taken_as_it_is_listed(root, tmp_path):
    touch(root, "run/film.dat")
    path = _list(tmp_path, "video\nrun/film.dat\n")
    assert [v.source for v in read(root, path)] == ["run/film.dat"]


def test_if_no_listed_file_is_there_it_says_where_it_has_looked(root, tmp_path):
    path = _list(tmp_path, "video\nvideos/run/a.mp4\nvideos/walk/e.mp4\n")
    looked = os.path.join(root, "videos", "run", "a.mp4")
    assert_refused(root, path, f"2 rows.*row 2 .*'{looked}'")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("video,label\n", "no row"),
        ("clip no,what\n1,run\n", "'clip no', 'what'.*file filename"),
        ("run/a.mp4 10 3\n", "'run/a.mp4', '10', '3'"),
        ("video,file\na,b\n", "'video' and 'file'"),
        ("video,label\nrun/f, g.mp4,run\n", "row 2 .*3 .*2"),
        ('video,label\n"run/a.mp4,run\nx.mp4,y\n', "row 2 .*quotes"),
        ("video,split\nrun/a.mp4,holdout\n", "row 2: .*'holdout'.*train,"),
        ("video,label\n,run\n", "row 2: .*empty"),
        ("video,label\n.,run\n", "row 2: '.' .*--videos"),
        ("video\n\0\n", "is not a text file"),
    ],
)
def test_a_list_that_cannot_be_used_says_why_in_one_line(root, tmp_path, text, message):
    assert_refused(root, _list(tmp_path, text), message)


def test_a_list_in_another_encoding_is_refused(root, tmp_path):
    text = "video,label\nrun/a.mp4,run\nrun/Läufer.mp4,run\n"
    assert_refused(root, _list(tmp_path, text, "latin-1"), "UTF-8.*row 3")
    assert_refused(root, _list(tmp_path, text, "utf-16"), "UTF-16")


@pytest.mark.parametrize(
    "text",
    [
        "run/a.mp4 0\nwalk/e.mp4 11\n",
        "run/a.mp4,0\nwalk/e.mp4,11\n",
        "run/a.mp4\t0\nwalk/e.mp4\t11",
        "run/a 0\nwalk/e 11\n",
    ],
)
def test_path_and_label_need_no_column_names(root, tmp_path, text):
    assert labeled(read(root, _list(tmp_path, text))) == [
        ("run/a.mp4", "0", None),
        ("walk/e.mp4", "11", None),
    ]


def test_paths_alone_need_no_column_name(root, tmp_path):
    touch(root, "run/f, g.mp4")
    path = _list(tmp_path, "run/b c.avi\nrun/f, g.mp4\n")
    assert labeled(read(root, path)) == [
        ("run/b c.avi", None, None),
        ("run/f, g.mp4", None, None),
    ]


@pytest.mark.parametrize("gap", [" ", "\t", "   "])
def test_paths_and_labels_without_column_names_may_hold_spaces(root, tmp_path, gap):
    touch(root, "run/a b.mp4")
    rows = [
        *("run/a.mp4{}playing guitar", "run/b c.avi{}0", "run/a b.mp4{}walk"),
        *("run/gone.mp4{}far away", '"run/un known"{}9', "walk/e{}run"),
    ]
    path = _list(tmp_path, "\n".join(row.format(gap) for row in rows))
    assert labeled(read(root, path)) == [
        ("run/a b.mp4", "walk", None),
        ("run/a.mp4", "playing guitar", None),
        ("run/b c.avi", "0", None),
        ("run/gone.mp4", "far away", None),
        ("run/un known", "9", None),
        ("walk/e.mp4", "run", None),
    ]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("run/b c.avi", "no label in row 2"),
        ("run/b c.avi 3 7", "row 2: .*'run/b c.avi 3 7'.*column names"),
        ("run/b c.avi 3 walk", "row 2: .*column names"),
        ("run/b c.avi walk 3", "row 2: .*column names"),
        ("not there 3", "row 2: .*quotes"),
    ],
)
def test_a_list_without_column_names_must_be_alike_in_all_rows(
    root, tmp_path, second, message
):
    assert_refused(root, _list(tmp_path, f"run/a.mp4 0\n{second}\n"), message)


@pytest.mark.parametrize(
    ("there", "text", "labels"),
    [
        ("clip 0.mp4 clip 1.mp4", "clip {}.mp4 {}", ["0", "1"]),
        ("clip 0.mp4 clip 1.mp4", "clip {} {}", ["0", "1"]),
        ("clip 0.mp4 clip 1.mp4", "clip {}.mp4", [None, None]),
        ("clip 0.mp4 clip 1.mp4", "clip {}.mp4,video {}", ["video 0", "video 1"]),
        ("file_0.mp4 file_1.mp4", "file_{} path a{}", ["path a0", "path a1"]),
    ],
)
def test_a_path_may_begin_with_the_name_of_a_column(tmp_path, there, text, labels):
    root = tmp_path / "videos"
    touch(root, *there.replace("mp4 ", "mp4/").split("/"))
    path = _list(tmp_path, "\n".join(text.format(i, i) for i in range(2)))
    found = read(root, path)
    assert [video.label for video in found] == labels
    assert all(os.path.exists(video.path) for video in found)


def test_a_video_may_be_called_as_a_column(tmp_path):
    root = tmp_path / "videos"
    touch(root, "video.mp4", "other.mp4")
    rows = [("other.mp4", "run", None), ("video.mp4", "walk", None)]
    for text in (
        "video walk\nother run",
        "video.mp4 walk\nother.mp4 run",
        "video label\nother run\nvideo walk",  # The first row names columns.
        "video,label\nother,run\nvideo.mp4,walk",
    ):
        assert labeled(read(root, _list(tmp_path, text))) == rows
    for text in ("video action\nother run", "video\nother"):
        assert_refused(root, _list(tmp_path, text), "first row .*'./video.mp4'")


def test_lists_of_frame_folders_may_have_their_numbers_of_frames(tmp_path):
    root = tmp_path / "frames"
    touch(root, "run/a b/1.jpg", "walk/c/1.jpg", "walk/c 5/1.jpg")
    path = _list(tmp_path, "run/a b 163 1\nwalk/c 25 0\nwalk/c 5 31 0\ngone 9 0")
    assert labeled(read(root, path, media="frames")) == [
        ("gone", "0", None),
        ("run/a b", "1", None),
        ("walk/c", "0", None),
        ("walk/c 5", "0", None),
    ]
    path = _list(tmp_path, "run/a b 163 1\nwalk/c 25\n")
    assert_refused(root, path, "row 2: .*number-of-frames", media="frames")
    videos = tmp_path / "videos"
    touch(videos, "a.mp4")
    assert_refused(videos, _list(tmp_path, "a 163 1\n"), "--media=frames")


def test_a_listed_folder_of_frames_is_a_video(tmp_path):
    root = tmp_path / "frames"
    touch(root, "run/v.1/1.jpg", "run/v.1/2.jpg", "walk/w/1.jpg")
    path = _list(tmp_path, "path,label,start,end\nrun/v.1/,run,,\nwalk/w,walk,2,4\n")
    found = read(root, path, media="frames")
    assert labeled(found) == [("run/v.1", "run", None), ("walk/w#t=2,4", "walk", None)]
    assert found[0].path == str(root / "run" / "v.1")
    path = _list(tmp_path, "run/v.1 0\nwalk/w 1\n")
    assert labeled(read(root, path, media="frames"))[0] == ("run/v.1", "0", None)


def test_a_listed_picture_is_a_video_without_start_and_end(tmp_path):
    root = tmp_path / "images"
    touch(root, "cat/1.JPEG", "dog/2.png")
    path = _list(tmp_path, "cat/1 0\ndog/2.png 1\n")
    assert labeled(read(root, path, media="images")) == [
        ("cat/1.JPEG", "0", None),
        ("dog/2.png", "1", None),
    ]
    path = _list(tmp_path, "image,end\ncat/1.JPEG,2\n")
    assert_refused(root, path, "row 2: .*picture", media="images")


def test_a_long_list_is_looked_up_without_listing_folders_again(
    root, tmp_path, monkeypatch
):
    rows = [f"run/gone{i}.mp4,run" for i in range(1000)]
    path = _list(tmp_path, "\n".join(["video,label", "run/a.mp4,run", *rows]))
    listed = folders_listed(monkeypatch)
    assert len(read(root, path)) == 1001
    assert len(listed) == 3  # The folder of videos, `run` and `walk`.
