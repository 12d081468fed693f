from __future__ import annotations

import pytest
from list_fixtures import assert_refused, labeled, read, touch

ODD_NAMES = (
    "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi",
    "Best_of[1]&(2)!_clap_f_cm_np1_le_bad_4.avi",
    "it's;a@test+{3}^_clap_u_nm_np1_ba_med_1.avi",
)


@pytest.fixture
def lists(tmp_path):
    """Two classes, of which one has the names that the real data set has."""
    folder = tmp_path / "testTrainMulti_7030_splits"
    folder.mkdir()
    lines = [f"{name} {number} \n" for name, number in zip(ODD_NAMES, (1, 2, 0))]
    (folder / "clap_test_split1.txt").write_text("".join(lines))
    (folder / "brush_hair_test_split1.txt").write_text("a.avi 2 \nb.avi 1 \n")
    (folder / "brush_hair_test_split2.txt").write_text("a.avi 1 \nb.avi 2 \n")
    (folder / "._clap_test_split1.txt").write_bytes(b"\0\5")  # Left by macOS.
    return folder


def test_1_is_train_2_is_val_and_0_is_left_out(lists, tmp_path):
    touch(tmp_path / "videos", *(f"clap/{name}" for name in ODD_NAMES))
    touch(tmp_path / "videos", "brush_hair/a.avi", "brush_hair/b.avi")
    assert labeled(read(tmp_path / "videos", lists)) == [
        ("brush_hair/a.avi", "brush_hair", "val"),
        ("brush_hair/b.avi", "brush_hair", "train"),
        (f"clap/{ODD_NAMES[0]}", "clap", "train"),
        (f"clap/{ODD_NAMES[1]}", "clap", "val"),
    ]


def test_another_split_is_another_division(lists, tmp_path):
    touch(tmp_path / "videos", "brush_hair/a.avi", "brush_hair/b.avi")
    assert labeled(read(tmp_path / "videos", lists, fold=2)) == [
        ("brush_hair/a.avi", "brush_hair", "train"),
        ("brush_hair/b.avi", "brush_hair", "val"),
    ]


def test_videos_may_lie_in_one_folder_or_be_frames(lists, tmp_path):
    touch(tmp_path / "videos", "all/a.mp4", "all/b.avi")
    found = read(tmp_path / "videos", lists, fold=2)
    assert [v.source for v in found] == ["all/a.mp4", "all/b.avi"]
    touch(tmp_path / "frames", "brush_hair/a/1.png", "brush_hair/b/1.png")
    found = read(tmp_path / "frames", lists, fold=2, media="frames")
    assert [v.source for v in found] == ["brush_hair/a", "brush_hair/b"]


def test_a_video_of_the_same_name_in_another_class_is_another_video(lists, tmp_path):
    (lists / "clap_test_split1.txt").write_text("a.avi 1\n")
    touch(tmp_path / "videos", "brush_hair/a.avi", "brush_hair/b.avi")
    assert labeled(read(tmp_path / "videos", lists)) == [
        ("brush_hair/a.avi", "brush_hair", "val"),
        ("brush_hair/b.avi", "brush_hair", "train"),
        ("clap/a.avi", "clap", "train"),  # Not there.
    ]


@pytest.mark.parametrize(
    ("text", "fold", "message"),
    [
        ("a.avi 3", 1, "clap_test_split1.txt, row 1: 'a.avi 3'"),
        ("a.avi", 1, "row 1: 'a.avi'"),
        ("../a.avi 1", 1, "row 1: '../a.avi 1'"),
        ("a.avi 1\na.avi 2", 1, "row 1 .*row 2 .*same"),
        ("a.avi 1", 3, "CLASS_test_split3.txt"),
    ],
)
def test_split_files_that_cannot_be_used_say_why(lists, tmp_path, text, fold, message):
    (lists / "clap_test_split1.txt").write_text(text + "\n")
    touch(tmp_path / "videos", "clap/a.avi")
    assert_refused(tmp_path / "videos", lists, message, fold=fold)
