import json

import numpy as np
import pytest
from damage import mutations

from vie_tf.search import embeddings
from vie_tf.search.embedding_files import EmbeddingFiles
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.search.known_videos import KnownVideo
from vie_tf.search.stored_rows import header as npy_header
from vie_tf.storage.errors import UserError
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import RefusedEntry

MADE_FROM = {"videos": "abc", "endpoints": ("embedding",)}
SHAPES = {"embedding": (3,)}
BROKEN = KnownVideo("hash 3", "size 3", "3.mp4")


def open_files(folder, made_from=MADE_FROM, has_clips=False):
    return EmbeddingFiles(str(folder), made_from, SHAPES, has_clips)


def rows_of(numbers):
    values = np.array(numbers, "float32")[:, None] + np.arange(3)
    return (
        {"embedding": values},
        [[n, f"{n}, x.mp4", "", "train"] for n in numbers],
        [KnownVideo(f"hash {n}", f"size {n}", f"{n}, x.mp4") for n in numbers],
    )


def write_all(folder):
    files = open_files(folder)
    for numbers in ([0, 1], [2], []):
        files.append(*rows_of(numbers))
        if not numbers:
            files.refuse(RefusedEntry("3.mp4", "the file is empty"), BROKEN)
        files.end_block(len(numbers))
    files.finish({"step": 5})


@pytest.mark.parametrize("shape", [(0, 3), (7,), (10**15, 4, 56, 56, 512)])
def test_a_header_has_one_length_and_is_what_numpy_reads(shape, tmp_path):
    header = npy_header(shape)
    assert len(header) == 256
    path = tmp_path / "x.npy"
    path.write_bytes(header)
    with open(path, "rb") as file:
        assert np.lib.format.read_magic(file) == (1, 0)
        assert np.lib.format.read_array_header_1_0(file) == (
            *(shape, False),
            np.dtype("float32"),
        )


def test_what_was_appended_is_read_in_order(tmp_path):
    write_all(tmp_path)
    index = EmbeddingIndex.load(str(tmp_path))
    np.testing.assert_array_equal(
        index.array("embedding"), rows_of([0, 1, 2])[0]["embedding"]
    )
    assert [video["source"] for video in index.videos()] == [
        f"{n}, x.mp4" for n in range(3)
    ]
    assert (index.metadata["num_videos"], index.metadata["num_refused"]) == (3, 1)
    assert index.metadata["step"] == 5
    assert not (tmp_path / "progress.json").exists()
    assert "3.mp4,the file is empty" in (tmp_path / "refused.csv").read_text()


def test_rows_that_were_not_counted_are_written_again(tmp_path):
    write_all(tmp_path / "whole")
    files = open_files(tmp_path / "killed")
    files.append(*rows_of([0, 1]))
    files.end_block(2)
    files.append(*rows_of([2]))  # and here it was killed
    files = open_files(tmp_path / "killed")
    assert (files.progress.blocks, files.progress.num_videos) == (1, 2)
    files.append(*rows_of([2]))
    files.end_block(1)
    files.refuse(RefusedEntry("3.mp4", "the file is empty"), BROKEN)
    files.end_block(0)
    files.finish({"step": 5})
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "killed" / path.name).read_bytes() == path.read_bytes()


def test_a_kill_in_the_last_moment_loses_nothing(tmp_path):
    write_all(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    # The index was written, and progress.json not yet removed.
    (tmp_path / "progress.json").write_text("{")
    assert open_files(tmp_path).is_complete
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_settings_are_named_and_nothing_is_touched(tmp_path):
    write_all(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UserError, match="other endpoints"):
        open_files(tmp_path, {**MADE_FROM, "endpoints": ("pooled",)})
    assert open_files(tmp_path, {**MADE_FROM, "videos": "def"}).is_complete
    assert open_files(tmp_path).is_complete
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="thesis.tex"):
        open_files(tmp_path)
    (tmp_path / "index.json").write_text("[]")
    with pytest.raises(UserError, match="index.json"):
        open_files(tmp_path)


def test_a_folder_that_another_process_writes_to_is_refused(tmp_path):
    with FolderLock(str(tmp_path), "writing embeddings there", "--output"):
        with pytest.raises(UserError, match="--output"):
            embeddings.write(None, None, None, str(tmp_path))  # before all else


def test_without_a_video_it_fails_and_can_be_tried_again(tmp_path):
    for _ in range(2):
        files = open_files(tmp_path)
        files.refuse(RefusedEntry("3.mp4", "the file is empty"), BROKEN)
        files.end_block(0)
        with pytest.raises(
            UserError, match="No video could be embedded: 1 video .* 3.mp4: the file"
        ):
            files.finish({})
    assert (tmp_path / "refused.csv").read_text().count("3.mp4") == 1


def test_files_that_are_shorter_than_counted_are_begun_again(tmp_path, capsys):
    files = open_files(tmp_path)
    files.append(*rows_of([0, 1]))
    files.end_block(2)
    path = tmp_path / "embedding.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert open_files(tmp_path).progress.num_videos == 0
    assert "embedding.npy is cut: all videos" in capsys.readouterr().out


def test_an_index_that_is_not_complete_is_not_read(tmp_path):
    files = open_files(tmp_path)
    files.append(*rows_of([0]))
    files.end_block(1)
    with pytest.raises(UserError, match="are not complete"):
        EmbeddingIndex.load(str(tmp_path))
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert progress["num_videos"] == 1


def unit_files(folder, made_from):
    files = EmbeddingFiles(str(folder), made_from, SHAPES, has_clips=False)
    rows = np.eye(3, dtype="float32")
    of_videos = [[n, f"{n}.mp4", "", "train"] for n in range(3)]
    files.append({"embedding": rows}, of_videos, rows_of(range(3))[2])
    files.end_block(3)
    files.finish({})
    return EmbeddingIndex.load(str(folder))


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x41
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("offset", [0, 20, 255, 256, 270, 291])
def test_any_flipped_byte_of_an_array_is_found_when_it_is_loaded(tmp_path, offset):
    index = unit_files(tmp_path, MADE_FROM)
    flip(tmp_path / "embedding.npy", offset)
    with pytest.raises(UserError, match="embedding.npy was damaged or changed"):
        index.array("embedding")


def test_a_flipped_byte_of_the_list_of_videos_is_found_when_it_is_loaded(tmp_path):
    index = unit_files(tmp_path, MADE_FROM)
    flip(tmp_path / "videos.csv", 30)
    with pytest.raises(UserError, match="videos.csv was damaged or changed"):
        index.videos()


@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38, -3e38, 1.5])
def test_numbers_that_no_embedding_has_are_refused_without_a_checksum(tmp_path, number):
    index = unit_files(tmp_path, {**MADE_FROM, "average": "clips"})
    del index.metadata["crc32c"]  # as an earlier version wrote it
    assert index.array("embedding").shape == (3, 3)
    rows = np.eye(3, dtype="float32")
    rows[1, 1] = number
    (tmp_path / "embedding.npy").write_bytes(npy_header((3, 3)) + rows.tobytes())
    with pytest.raises(UserError, match="numbers that no embedding has"):
        index.array("embedding")


@pytest.mark.parametrize("content", [b"", b"no array", npy_header((2, 3))])
def test_a_file_that_is_no_such_array_is_refused_in_one_line(tmp_path, content):
    index = unit_files(tmp_path, MADE_FROM)
    del index.metadata["crc32c"]
    (tmp_path / "embedding.npy").write_bytes(content)
    with pytest.raises(UserError, match="embedding.npy"):
        index.array("embedding")


def test_a_damaged_index_is_read_whole_or_refused_in_one_line(tmp_path):
    index = unit_files(tmp_path, {**MADE_FROM, "average": "clips"})
    path, rows = tmp_path / "index.json", index.array("embedding")
    refused = 0
    for changed in mutations(path.read_bytes(), 200):
        path.write_bytes(changed)
        try:
            again = EmbeddingIndex.load(str(tmp_path))
            np.testing.assert_array_equal(again.array("embedding"), rows)
            assert len(again.videos()) == 3
        except UserError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("name", ["../../x.npy", "/etc/hostname", "a/b.npy", ""])
def test_an_array_outside_of_the_folder_is_refused(tmp_path, name):
    unit_files(tmp_path, MADE_FROM)
    path = tmp_path / "index.json"
    content = json.loads(path.read_text())
    content["arrays"]["embedding"]["file"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="not the plain name of a file"):
        EmbeddingIndex.load(str(tmp_path))
