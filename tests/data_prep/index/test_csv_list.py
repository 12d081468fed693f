from __future__ import annotations

import os

import pytest
from list_fixtures import assert_refused, folders_listed, labeled, read, touch


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
        ("link.mp4", "row 3: 'link.mp4'.*--videos"),
        ("linked/s.mp4", "row 3: 'linked/s.mp4'"),
        ("linked/s", "row 3: 'linked/s'"),
        (".hidden/s.mp4", "row 3: '.hidden/s.mp4'"),
        ("run/inner/s.mp4", "row 3: 'run/inner/s.mp4'"),
    ],
)
def test_a_listed_path_cannot_leave_the_folder_of_videos(
    root, tmp_path, listed, message
):
    touch(tmp_path, "secret/s.mp4", "secret/deep/s.mp4")
    (root / "link.mp4").symlink_to(tmp_path / "secret" / "s.mp4")
    (root / "linked").symlink_to(tmp_path / "secret")
    (root / ".hidden").symlink_to(tmp_path / "secret")
    (root / "run" / "inner").symlink_to("../../secret/deep")
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
    assert_refused(root, path, f" 2 videos.*row 2 .*'{looked}'")


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


def test_a_list_without_column_names_must_be_alike_in_all_rows(root, tmp_path):
    path = _list(tmp_path, "run/a.mp4 0\nrun/b c.avi 0\n")
    assert_refused(root, path, "row 2 .*3 .*2")


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
