"""Folders of embeddings whose videos have changed, without a network."""

import csv
import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from vie_tf.config import EmbeddingConfig
from vie_tf.search import embeddings, update
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.search.video_source import ListedVideo, VideoSource
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry


class Killed(BaseException):
    """In place of a kill."""


class Videos:
    """Files by name: number that is their content, time, and what was read of them."""

    def __init__(self, **numbers):
        self.files = {name: (number, 0) for name, number in numbers.items()}
        self.embedded = []
        self.hashed = []

    def source(self):
        names = sorted(self.files)

        def stamp(name):
            number, time = self.files[name]
            return f"{len(str(number))} {time}"

        def contents(positions):
            self.hashed += [names[position] for position in positions]
            return [f"hash {self.files[names[p]][0]}" for p in positions]

        def blocks(positions):
            return [[names[p] for p in positions[n : n + 2]] for n in range(0, 9, 2)]

        return VideoSource(
            name="videos",
            fingerprint=repr(sorted(self.files.items())),
            videos=tuple(
                ListedVideo(number, name, "", "", stamp(name))
                for number, name in enumerate(names)
            ),
            contents=contents,
            stamps=lambda positions: [stamp(names[p]) for p in positions],
            blocks=lambda positions: [block for block in blocks(positions) if block],
            frame_settings={},
        )

    def embed(self, block):
        """An embedding is the number of the video; broken ones have 0."""
        for name in block:
            number, _ = self.files[name]
            self.embedded.append(name)
            if number == 0:
                yield RefusedEntry(name, "it is broken")
                continue
            entry = SimpleNamespace(source=name)
            values = np.full((1, 2, 4), number, "float32")
            yield SimpleNamespace(videos=(entry,), values={"conv1": values})


def write(videos, folder, average="clips"):
    videos.embedded, videos.hashed = [], []
    embedder = SimpleNamespace(
        fingerprint="f",
        shapes={"conv1": (4,)},
        endpoints=("conv1",),
        block_sizes=[],
        model_name="slow",
        step=3,
        embed=videos.embed,
        frames_of=lambda of: np.zeros((len(of), 2, 1), int),
    )
    settings = EmbeddingConfig(
        model_dir="run", endpoints=("conv1",), num_clips=2, average=average
    )
    return embeddings.write(embedder, settings, videos.source(), str(folder))


def rows_of(folder):
    """First number of each row by the name of its video, checked against its file."""
    index = EmbeddingIndex.load(str(folder))
    rows = index.array("conv1")
    listed = index.videos()
    assert len(rows) == len(listed)
    return {video["source"]: float(row[0]) for video, row in zip(listed, rows)}


def state_of(folder):
    """Files by name, without the table, which names its maker."""
    names = [n for n in sorted(os.listdir(folder)) if not n.endswith(".parquet")]
    return {name: (folder / name).read_bytes() for name in names}


def test_rows_of_the_same_content_are_kept_and_others_added_and_dropped(
    tmp_path, capsys
):
    videos = Videos(a=11, b=12, c=13, d=0)
    write(videos, tmp_path)
    assert videos.embedded == list("abcd")
    videos.files.update(e=(15, 0), b=(99, 1))
    del videos.files["c"]
    write(videos, tmp_path)
    assert videos.embedded == ["b", "d", "e"]  # a refused one is tried again
    assert rows_of(tmp_path) == {"a": 11, "b": 99, "e": 15}
    out = capsys.readouterr().out
    assert "1 of 4 are kept, 3 are embedded, 2 of 3 rows are dropped" in out
    ids = [video["id"] for video in EmbeddingIndex.load(str(tmp_path)).videos()]
    assert ids == ["0", "1", "3"]
    assert (tmp_path / "refused.csv").read_text() == "path,reason\nd,it is broken\n"


def test_an_updated_folder_equals_one_that_was_made_at_once(tmp_path):
    videos = Videos(a=11, b=12, c=0, d=14)
    write(videos, tmp_path / "updated")
    videos.files.update(aa=(20, 0), d=(15, 4), z=(0, 0))
    del videos.files["b"]
    write(videos, tmp_path / "updated")
    write(videos, tmp_path / "at_once")
    assert state_of(tmp_path / "updated") == state_of(tmp_path / "at_once")


def test_touched_and_renamed_files_are_not_embedded_again(tmp_path):
    videos = Videos(a=11, b=12, c=13)
    write(videos, tmp_path)
    videos.files = {"a": (11, 7), "moved/b": (12, 0), "c": (13, 0)}
    write(videos, tmp_path)
    assert videos.embedded == []
    assert rows_of(tmp_path) == {"a": 11, "moved/b": 12, "c": 13}
    assert "c" not in videos.hashed  # its name, size and time are known
    write(videos, tmp_path)
    assert videos.hashed == []


def test_rows_of_clips_are_kept_with_their_frames(tmp_path):
    videos = Videos(a=11, b=12, c=13)
    write(videos, tmp_path, average="none")
    videos.files = {"b": (12, 0), "d": (14, 0)}
    write(videos, tmp_path, average="none")
    assert videos.embedded == ["d"]
    with open(tmp_path / "videos.csv", newline="") as file:
        rows = [(row["source"], row["clip"]) for row in csv.DictReader(file)]
    assert rows == [("b", "0"), ("b", "1"), ("d", "0"), ("d", "1")]
    assert EmbeddingIndex.load(str(tmp_path)).array("conv1")[:, 0].tolist() == [
        *(12, 12, 14, 14)
    ]


def test_other_videos_are_refused_and_nothing_is_touched(tmp_path):
    write(Videos(a=11), tmp_path)
    before = state_of(tmp_path)
    with pytest.raises(UserError, match="holds embeddings with other videos"):
        write(Videos(x=44), tmp_path)
    shutil.rmtree(tmp_path / ".new_rows")
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("more", [False, True])
def test_a_kill_while_new_videos_are_embedded_loses_nothing(tmp_path, more):
    videos = Videos(a=11, b=12)
    write(videos, tmp_path)
    for name in "cdef":
        videos.files[name] = (ord(name), 0)
    embed = videos.embed

    def killed_at_e(block):
        for features in embed(block):
            if features.videos[0].source == "e":
                raise Killed
            yield features

    videos.embed = killed_at_e
    with pytest.raises(Killed):
        write(videos, tmp_path)
    assert rows_of(tmp_path) == {"a": 11, "b": 12}  # can be searched meanwhile
    videos.embed = embed
    if more:
        videos.files["g"] = (70, 0)
        del videos.files["a"]
    write(videos, tmp_path)
    assert videos.embedded == ["e", "f", *(["g"] if more else [])]
    assert rows_of(tmp_path) == {name: n for name, (n, _) in videos.files.items()}
    assert not (tmp_path / ".new_rows").exists()


def test_a_first_embedding_that_was_killed_goes_on_with_other_files(tmp_path):
    videos = Videos(a=11, b=12, c=13, d=14)
    embed = videos.embed

    def killed_at_c(block):
        if "c" in block:
            raise Killed
        yield from embed(block)

    videos.embed = killed_at_c
    with pytest.raises(Killed):
        write(videos, tmp_path)
    videos.embed = embed
    videos.files["aa"] = (20, 0)
    del videos.files["b"]
    write(videos, tmp_path)
    assert videos.embedded == ["aa", "c", "d"]
    assert rows_of(tmp_path) == {"a": 11, "aa": 20, "c": 13, "d": 14}


@pytest.mark.parametrize("moment", range(6))
def test_a_kill_while_files_are_replaced_is_finished_by_the_next_call(
    tmp_path, monkeypatch, moment
):
    videos = Videos(a=11, b=0)
    write(videos, tmp_path / "folder")
    videos.files["c"] = (13, 0)
    publish, count = update.files.publish, iter(range(99))

    def killed(finished, path):
        if ".merged" in finished and ".merged" not in path and next(count) == moment:
            raise Killed
        publish(finished, path)

    monkeypatch.setattr(update.files, "publish", killed)
    try:
        write(videos, tmp_path / "folder")
    except Killed:
        with pytest.raises(UserError, match="interrupted in its last moment"):
            EmbeddingIndex.load(str(tmp_path / "folder"))
    monkeypatch.undo()
    write(videos, tmp_path / "folder")
    write(videos, tmp_path / "whole")
    assert state_of(tmp_path / "folder") == state_of(tmp_path / "whole")


@pytest.mark.parametrize("name", ["conv1.npy", "videos.csv"])
def test_damaged_rows_are_embedded_again_and_not_kept(tmp_path, capsys, name):
    videos = Videos(a=11, b=12)
    write(videos, tmp_path)
    before = state_of(tmp_path)
    content = bytearray(before[name])
    content[-2] ^= 1
    (tmp_path / name).write_bytes(content)
    write(videos, tmp_path)
    assert f"{name} was damaged: all videos" in capsys.readouterr().out
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"content,stamp\n"])
def test_a_damaged_list_of_contents_is_made_again(tmp_path, content):
    videos = Videos(a=11, b=0, c=12)
    write(videos, tmp_path)
    before = state_of(tmp_path)
    (tmp_path / "contents.csv").write_bytes(content)
    write(videos, tmp_path)
    assert videos.embedded == [] and state_of(tmp_path) == before


def test_a_folder_of_an_earlier_version_gets_its_list_of_contents(tmp_path):
    videos = Videos(a=11, b=12)
    write(videos, tmp_path)
    before = state_of(tmp_path)
    (tmp_path / "contents.csv").unlink()
    index = json.loads((tmp_path / "index.json").read_text())
    del index["crc32c"]["contents.csv"]
    (tmp_path / "index.json").write_text(json.dumps(index))
    write(videos, tmp_path)
    after = state_of(tmp_path)
    assert json.loads(after.pop("index.json")) == json.loads(before.pop("index.json"))
    assert after == before
