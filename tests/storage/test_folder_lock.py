import errno
import fcntl
import os

import pytest

from vie_tf.storage.folder_lock import FolderLock


def lock(folder):
    return FolderLock(str(folder), f"at work in {str(folder)!r}", "--output")


def test_a_locked_folder_is_refused_and_the_holder_keeps_it(tmp_path):
    with lock(tmp_path):
        for _ in range(2):
            with pytest.raises(ValueError) as caught:
                lock(tmp_path).__enter__()
            assert str(caught.value).startswith(f"Another process ({os.getpid()} on ")
            assert f"is at work in '{tmp_path}': wait" in str(caught.value)
            assert str(caught.value).endswith("or choose another --output.")


def test_the_lock_is_given_back_at_the_end_and_leaves_nothing(tmp_path):
    with lock(tmp_path):
        assert os.listdir(tmp_path) == ["lock"]
    assert not os.listdir(tmp_path)
    with lock(tmp_path):
        pass


def test_a_lock_left_by_a_kill_is_taken(tmp_path):
    (tmp_path / "lock").write_text("1 on nowhere\n")
    with lock(tmp_path):
        assert (tmp_path / "lock").read_text().startswith(f"{os.getpid()} on ")


def test_a_lock_whose_file_is_removed_while_it_is_taken_is_taken_again(
    tmp_path, monkeypatch
):
    real, calls = fcntl.flock, []

    def flock(file, how):
        if not calls:
            os.remove(tmp_path / "lock")  # as its owner does at the end
        calls.append(how)
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with lock(tmp_path):
        assert len(calls) == 2
        with pytest.raises(ValueError, match="Another process"):
            lock(tmp_path).__enter__()


def test_a_folder_that_is_made_for_the_lock_goes_if_it_stays_empty(tmp_path):
    folder = tmp_path / "runs" / "run"
    with lock(folder):
        with pytest.raises(ValueError, match="Another process"):
            lock(folder).__enter__()
    assert not (tmp_path / "runs").exists()
    with lock(folder):
        (folder / "config.json").write_text("")
    assert os.listdir(folder) == ["config.json"]


def test_a_folder_that_its_owner_removes_meanwhile_is_made_again(tmp_path, monkeypatch):
    real, calls = os.mkdir, []

    def mkdir(path, *mode):
        real(path, *mode)
        calls.append(path)
        if len(calls) == 1:
            os.rmdir(path)  # as its owner does at the end

    monkeypatch.setattr(os, "mkdir", mkdir)
    with lock(tmp_path / "run"):
        assert os.listdir(tmp_path / "run") == ["lock"]


def test_a_file_system_without_locks_is_used_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with lock(tmp_path):
        pass


def test_a_remote_folder_is_not_locked():
    with lock("s3://bucket/run"):
        pass


def test_a_folder_that_cannot_be_made_is_named_with_its_flag(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError) as caught:
        lock(tmp_path / "file" / "run").__enter__()
    wanted = "run' cannot be made (Not a directory): choose another --output."
    assert str(caught.value).endswith(wanted)
