"""Frames that are kept on the disk."""

import tempfile
import warnings

import numpy as np

from vie_tf.storage import frame_spool
from vie_tf.storage.frame_spool import FrameSpool


def test_frames_come_back_from_the_disk_as_they_were(monkeypatch):
    monkeypatch.setattr(frame_spool, "MAX_MEMORY_BYTES", 100)
    rng = np.random.default_rng(0)
    frames = [rng.bytes(size) for size in (60, 60, 10, 300)]
    spool = FrameSpool(frames[:3])
    spool.append(frames[3], times=2)
    assert list(spool) == [*frames, frames[3]]
    assert spool.sizes() == [60, 60, 10, 300, 300]
    assert spool[-1] == frames[3]
    assert spool[0] == frames[0]  # Reading in any order does no harm.
    spool.append(b"more")
    assert len(spool) == 6 and spool[5] == b"more"


def test_a_frame_that_is_repeated_is_kept_once(monkeypatch, tmp_path):
    monkeypatch.setattr(frame_spool, "MAX_MEMORY_BYTES", 10)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = FrameSpool()
    spool.append(b"x" * 1000, times=1000)
    assert len(spool) == 1000 and sum(spool.sizes()) == 10**6
    assert spool._file.tell() == 1000


def test_a_spool_that_nobody_has_any_more_closes_its_file(monkeypatch):
    monkeypatch.setattr(frame_spool, "MAX_MEMORY_BYTES", 10)
    spool = FrameSpool([b"x" * 1000])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del spool
    assert caught == []
