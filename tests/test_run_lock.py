import errno
import fcntl

import pytest

from vie_tf.run_lock import RunLock


def test_a_locked_folder_is_refused_and_the_holder_keeps_it(tmp_path):
    with RunLock(str(tmp_path)):
        for _ in range(2):
            with pytest.raises(ValueError, match="Another process .* choose another"):
                RunLock(str(tmp_path)).take()


def test_the_lock_is_given_back_at_the_end(tmp_path):
    with RunLock(str(tmp_path)):
        pass
    with RunLock(str(tmp_path)) as lock:
        lock.take()  # once more is no harm


def test_a_folder_is_made_only_when_the_lock_is_taken(tmp_path):
    folder = tmp_path / "run"
    with RunLock(str(folder)) as lock:
        assert not folder.exists()
        lock.take()
        with pytest.raises(ValueError, match="Another process"):
            RunLock(str(folder)).take()


def test_a_file_system_without_locks_is_used_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with RunLock(str(tmp_path)):
        pass


def test_a_remote_folder_is_not_locked():
    with RunLock("s3://bucket/run") as lock:
        lock.take()
