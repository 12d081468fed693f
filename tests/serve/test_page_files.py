"""Which files a server shows, and when their page is made again."""

import os

import numpy as np
import pytest
from collection_fixtures import EVIL, make_collection, make_reader, write_index

from vie_tf.explore.page import write_page
from vie_tf.serve.page_files import PageFiles, is_current
from vie_tf.storage.errors import UserError


@pytest.fixture(name="index")
def fixture_index(tmp_path):
    """An index of an hour ago."""
    write_index(tmp_path / "index", np.eye(3), ["a.mp4", EVIL, "c\n.mp4"])
    os.utime(tmp_path / "index" / "index.json", (1e9, 1e9))
    return tmp_path / "index"


SOURCES = ["a.mp4", EVIL, "c\n.mp4"]


def make_page(folder, names):
    collection = make_collection(names=names)
    write_page.write(collection, make_reader(), str(folder), check_frames=False)


def test_a_page_is_made_once_for_an_index(index, tmp_path):
    page = tmp_path / "page"
    assert not is_current(str(page), str(index), SOURCES)
    make_page(page, SOURCES)
    assert is_current(str(page), str(index), SOURCES)


def test_a_page_that_is_older_or_of_others_is_made_again(index, tmp_path):
    page = tmp_path / "page"
    make_page(page, SOURCES)
    assert not is_current(str(page), str(index), ["a.mp4", "b.mp4", "c.mp4"])
    os.utime(page / "index.html", (1e9 - 1, 1e9 - 1))
    assert not is_current(str(page), str(index), SOURCES)


def test_a_page_of_an_earlier_version_is_made_again(index, tmp_path):
    page = tmp_path / "page"
    make_page(page, SOURCES)
    html = (page / "index.html").read_text()
    (page / "index.html").write_text(html.replace("vie-tf-upload", ""))
    assert not is_current(str(page), str(index), SOURCES)
    (page / "index.html").write_bytes(b"\xff<html>")
    assert not is_current(str(page), str(index), SOURCES)
    with pytest.raises(UserError, match="--page"):
        PageFiles.load(str(page), 1)


def test_only_the_served_page_has_the_mark_of_uploads(tmp_path):
    make_page(tmp_path, SOURCES)
    mark = b'<meta name="vie-tf-upload" content="5000">'
    assert mark in PageFiles.load(str(tmp_path), 5000).html
    assert mark not in (tmp_path / "index.html").read_bytes()
