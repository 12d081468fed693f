"""Damage of the small files of a data set: mended and said, or one line."""

import json

import numpy as np
import pytest
from damage import mutations
from record_fixtures import write_data_set

from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    manifest = write_data_set(tmp_path, num_train=3, num_val=0)
    FrameIndex.load_split(str(tmp_path), manifest, "train")
    return tmp_path


def test_a_damaged_index_is_made_again_and_said(folder, capsys):
    manifest = Manifest.load(str(folder))
    path = folder / "train-00000.index"
    whole = path.read_bytes()
    for changed in mutations(whole, 60):
        if changed == whole:
            continue
        path.write_bytes(changed)
        index = FrameIndex.load_split(str(folder), manifest, "train")
        assert FrameReader(index).read(2, np.arange(3))
        out = capsys.readouterr().out
        said = "train-00000.index was damaged and is made again" in out
        assert said == (path.read_bytes() != changed)
    assert path.read_bytes() == whole


def test_a_damaged_manifest_is_read_whole_or_refused_in_one_line(folder):
    path = folder / "manifest.json"
    refused = 0
    for changed in mutations(path.read_bytes(), 400):
        path.write_bytes(changed)
        try:
            manifest = Manifest.load(str(folder))
            manifest.fingerprint()
        except UserError as error:
            assert "manifest.json" in str(error) and "\n" not in str(error)
            refused += 1
            continue
        assert {video.shard for video in manifest.videos} <= {
            shard.name for shard in manifest.shards
        }
    assert refused > 100


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/b", "..", "", "a\0"])
def test_a_shard_outside_of_its_folder_is_refused(folder, name):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    for entry in content["videos"]:
        entry["shard"] = name
    content["shards"][0]["name"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="not the plain name of a file"):
        Manifest.load(str(folder))
