from __future__ import annotations

import pytest
from list_fixtures import assert_refused, labeled, read, touch


@pytest.fixture
def lists(tmp_path):
    """Two classes and two of the three splits, as they are published."""
    folder = tmp_path / "ucfTrainTestlist"
    folder.mkdir()
    files = {
        "classInd.txt": "1 Archery\r\n2 HandstandPushups\r\n",
        "trainlist01.txt": (
            "Archery/v_Archery_g08_c01.avi 1\r\n"
            "HandstandPushups/v_HandStandPushups_g08_c01.avi 2\r\n"
        ),
        "testlist01.txt": "Archery/v_Archery_g01_c01.avi\r\n",
        "trainlist02.txt": "Archery/v_Archery_g01_c01.avi 1\n",
        "testlist02.txt": "Archery/v_Archery_g08_c01.avi\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_train_and_test_lists_are_train_and_val(lists, tmp_path):
    touch(
        tmp_path / "videos",
        "Archery/v_Archery_g01_c01.avi",
        "Archery/v_Archery_g08_c01.avi",
        "Archery/v_Archery_g99_c01.avi",  # In no list.
        "HandstandPushups/v_HandStandPushups_g08_c01.avi",
    )
    assert labeled(read(tmp_path / "videos", lists)) == [
        ("Archery/v_Archery_g01_c01.avi", "Archery", "val"),
        ("Archery/v_Archery_g08_c01.avi", "Archery", "train"),
        (
            "HandstandPushups/v_HandStandPushups_g08_c01.avi",
            "HandstandPushups",
            "train",
        ),
    ]
    assert labeled(read(tmp_path / "videos", lists, fold=2)) == [
        ("Archery/v_Archery_g01_c01.avi", "Archery", "train"),
        ("Archery/v_Archery_g08_c01.avi", "Archery", "val"),
    ]


def test_videos_may_lie_in_one_folder_with_another_extension(lists, tmp_path):
    touch(
        tmp_path / "videos",
        "v_Archery_g01_c01.mp4",
        "v_Archery_g08_c01.webm",
        "v_HandstandPushups_g08_c01.mp4",  # As some copies write it.
    )
    assert labeled(read(tmp_path / "videos", lists)) == [
        ("v_Archery_g01_c01.mp4", "Archery", "val"),
        ("v_Archery_g08_c01.webm", "Archery", "train"),
        ("v_HandstandPushups_g08_c01.mp4", "HandstandPushups", "train"),
    ]


def test_folders_of_frames_stand_for_the_listed_videos(lists, tmp_path):
    touch(tmp_path / "frames", "Archery/v_Archery_g01_c01/000001.jpg")
    found = read(tmp_path / "frames", lists, fold=2, media="frames")
    assert labeled(found) == [
        ("Archery/v_Archery_g01_c01", "Archery", "train"),
        ("Archery/v_Archery_g08_c01", "Archery", "val"),  # Not there.
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("trainlist01.txt", "Archery/a.avi 2", "row 1: .*2, .*1 in classInd"),
        ("testlist01.txt", "Surfing/a.avi", "row 1: classInd.txt .*'Surf"),
        ("trainlist01.txt", "\na.avi 1", "row 2: 'a.avi 1' .*CLASS/"),
        ("testlist01.txt", "Archery/.. 1", "row 1: 'Archery/.. 1'"),
        ("classInd.txt", "Archery", "row 1: 'Archery'"),
        (
            "testlist01.txt",
            "Archery/v_Archery_g08_c01.avi",
            "trainlist01.txt, row 1 and testlist01.txt, row 1 .*same video",
        ),
    ],
)
def test_lists_that_disagree_are_refused_with_the_row(
    lists, tmp_path, name, text, message
):
    touch(tmp_path / "videos", "Archery/v_Archery_g08_c01.avi")
    (lists / name).write_text(text + "\n")
    assert_refused(tmp_path / "videos", lists, message)


def test_a_split_that_is_not_there_is_named(lists, tmp_path):
    touch(tmp_path / "videos", "v_Archery_g08_c01.avi")
    assert_refused(tmp_path / "videos", lists, "trainlist03.txt", fold=3)
