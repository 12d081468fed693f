"""Files: whole or not there, and errors that name the path."""

import errno
import os
import pickle

import pytest

from vie_tf.storage import files
from vie_tf.storage.errors import FileError, MissingFileError, UserError


@pytest.mark.parametrize("content", ["text\n", b"\x00bytes"])
def test_a_file_is_written_and_replaced(tmp_path, content):
    path = str(tmp_path / "file")
    files.write_atomically(path, "before")
    files.write_atomically(path, content)
    wanted = content.encode() if isinstance(content, str) else content
    assert files.read_bytes(path) == wanted
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = str(tmp_path / "file")
    files.write_atomically(path, "before")

    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileError) as caught:
        files.write_atomically(path, "after")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, path)
    assert files.read_bytes(path) == b"before"


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda d: (calls.append("flush"), fsync(d)))

    def rename(source, target):
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "replace", rename)
    files.write_atomically(str(tmp_path / "file"), "content")
    assert calls == ["flush", "rename", "flush"]  # the last one is of the folder


@pytest.mark.parametrize("call", [files.read_bytes, files.size_of])
def test_a_missing_file_is_bad_input_that_names_it(tmp_path, call):
    path = str(tmp_path / "nothing")
    with pytest.raises(MissingFileError, match="nothing: ") as caught:
        call(path)
    assert isinstance(caught.value, UserError)
    assert isinstance(caught.value, FileNotFoundError)
    assert not files.exists(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="run: "):
        files.make_folder(str(tmp_path / "file" / "run"))


def test_a_link_in_place_of_the_unfinished_file_is_not_followed(tmp_path):
    (tmp_path / "other").write_text("of somebody else")
    (tmp_path / "file.tmp").symlink_to(tmp_path / "other")
    files.write_atomically(str(tmp_path / "file"), "content")
    assert (tmp_path / "other").read_text() == "of somebody else"
    assert (tmp_path / "file").read_text() == "content"


def test_an_error_can_be_sent_to_another_process():
    error = MissingFileError(errno.ENOENT, "No such file", "/nowhere")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (MissingFileError, "/nowhere: No such file")


def test_files_and_folders_are_removed_whatever_they_hold(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_text("")
    assert files.names_in(str(folder)) == ["file", "inner"]
    for _ in range(2):  # once more is no harm
        files.remove(str(folder / "file"))
    files.remove(str(folder))
    assert not files.exists(str(folder))
    assert files.names_in(str(folder)) == []


def test_a_file_system_that_cannot_flush_is_used_all_the_same():
    files.flush_to_disk("/dev/null")
