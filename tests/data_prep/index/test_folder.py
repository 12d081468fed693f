from __future__ import annotations

import os

import pytest
from list_fixtures import touch

from data_prep.index.folder import read_folder
from data_prep.index.media_tree import MediaTree
from vie_tf.storage.errors import UserError


def _read(root, media="videos"):
    return read_folder(MediaTree(str(root), media))


def _labels(found) -> list[tuple[str, str | None]]:
    return [(video.source, video.label) for video in found]


def test_label_is_the_first_folder_below_the_root(tmp_path):
    touch(tmp_path, "run/a.mp4", "run/monday/b.MKV", "walk/c.webm")
    found = _read(tmp_path)
    assert _labels(found) == [
        ("run/a.mp4", "run"),
        ("run/monday/b.MKV", "run"),
        ("walk/c.webm", "walk"),
    ]
    assert all(os.path.isabs(v.path) and os.path.exists(v.path) for v in found)


def test_videos_directly_in_the_root_have_no_label(tmp_path):
    touch(tmp_path, "b.mp4", "a.avi", "notes.txt")
    (tmp_path / "empty").mkdir()
    assert _labels(_read(tmp_path)) == [("a.avi", None), ("b.mp4", None)]


def test_hidden_files_and_folders_of_the_system_are_skipped(tmp_path):
    touch(tmp_path, "run/a.mp4", "run/._a.mp4", ".cache/b.mp4", "__MACOSX/c.mp4")
    assert _labels(_read(tmp_path)) == [("run/a.mp4", "run")]


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path / "elsewhere", "a.mp4", "more/b.mp4")
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    (root / "run" / "link.mp4").symlink_to(tmp_path / "elsewhere" / "a.mp4")
    (root / "run" / "back").symlink_to(root)
    (root / "walk").symlink_to(tmp_path / "elsewhere" / "more")
    assert _labels(_read(root)) == [("run/link.mp4", "run"), ("walk/b.mp4", "walk")]


def test_folders_that_link_to_each_other_are_read_once(tmp_path, capsys):
    names = [f"class{number}" for number in range(6)]
    for name in names:
        touch(tmp_path, f"{name}/a.mp4")
        for other in names:
            if other != name:
                (tmp_path / name / f"to_{other}").symlink_to(tmp_path / other)
    assert _labels(_read(tmp_path)) == [(f"{name}/a.mp4", name) for name in names]
    assert "30 folders" in capsys.readouterr().out


def test_a_folder_counts_under_its_own_name_before_links_to_it(tmp_path, capsys):
    touch(tmp_path / "root", "run/a.mp4", "run/more/b.mp4", "walk/c.mp4")
    touch(tmp_path / "elsewhere", "d.mp4", "deep/e.mp4")
    root = tmp_path / "root"
    (root / "again").symlink_to("run")
    (root / "far").symlink_to(tmp_path / "elsewhere" / "deep")
    (root / "zoo").symlink_to(tmp_path / "elsewhere")
    (root / "walk" / "loop").symlink_to("loop")
    assert _labels(_read(root)) == [
        ("far/e.mp4", "far"),
        ("run/a.mp4", "run"),
        ("run/more/b.mp4", "run"),
        ("walk/c.mp4", "walk"),
        ("zoo/d.mp4", "zoo"),
    ]
    assert "2 folders" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a.mp4", "run/b.mp4"], "'a.mp4'.*'run/b.mp4'.*sub-folders"),
        (["run/b.mp4", "jump/notes.txt"], "'jump'"),
        (["notes.txt", "run/1.jpg"], r"\.mkv.*\.mp4.*--media=frames"),
    ],
)
def test_folders_that_make_no_data_set_say_why_in_one_line(tmp_path, sources, message):
    touch(tmp_path, *sources)
    with pytest.raises(UserError, match=message) as error:
        _read(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_or_is_a_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        _read(tmp_path / "nowhere")
    touch(tmp_path, "a.mp4")
    with pytest.raises(UserError, match="is a file"):
        _read(tmp_path / "a.mp4")


def test_a_name_that_is_not_utf8_is_an_error(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).touch()
    with pytest.raises(UserError, match="not valid UTF-8"):
        _read(tmp_path)


def test_a_folder_of_frames_is_a_video_of_the_class_it_lies_in(tmp_path):
    touch(tmp_path, "run/v.1/000001.jpg", "run/v.1/000002.JPG", "run/b/1.png")
    touch(tmp_path, "walk/deep/c/img_1.Jpeg", "walk/notes/read.me")
    found = _read(tmp_path, "frames")
    assert _labels(found) == [
        ("run/b", "run"),
        ("run/v.1", "run"),
        ("walk/deep/c", "walk"),
    ]
    assert found[1].path == str(tmp_path / "run" / "v.1")


def test_folders_of_frames_directly_in_the_root_have_no_label(tmp_path):
    touch(tmp_path, "a/1.jpg", "b/1.bmp", "b/2.bmp", "notes/read.me")
    assert _labels(_read(tmp_path, "frames")) == [("a", None), ("b", None)]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["1.jpg", "a/2.jpg"], "--media=images"),
        (["a/1.jpg", "run/b/1.jpg"], "1 folders.*'a'.*'run/b'"),
        (["run/1.jpg", "run/b/1.jpg"], "'run' and 'run/b'"),
        (["run/b.mp4"], "frames.*.bmp"),
        (["run/b/1.jpg", "walk/b.mp4"], "'walk'"),
    ],
)
def test_folders_of_frames_in_disorder_say_why_in_one_line(tmp_path, sources, message):
    touch(tmp_path, *sources)
    with pytest.raises(UserError, match=message) as error:
        _read(tmp_path, "frames")
    assert "\n" not in str(error.value)


def test_every_picture_of_an_image_folder_is_a_video(tmp_path):
    touch(tmp_path, "n01440764/a_1.JPEG", "n01440764/a_2.JPEG", "n01443537/b.webp")
    touch(tmp_path, "n01443537/notes.txt", "n01443537/film.mp4")
    assert _labels(_read(tmp_path, "images")) == [
        ("n01440764/a_1.JPEG", "n01440764"),
        ("n01440764/a_2.JPEG", "n01440764"),
        ("n01443537/b.webp", "n01443537"),
    ]


def test_pictures_directly_in_the_root_have_no_label(tmp_path):
    touch(tmp_path, "b.tif", "a.ppm", "c.mp4")
    assert _labels(_read(tmp_path, "images")) == [("a.ppm", None), ("b.tif", None)]


def test_a_folder_without_permission_is_the_users_error(tmp_path, monkeypatch):
    touch(tmp_path, "run/a.mp4")

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match="Permission denied"):
        _read(tmp_path)
