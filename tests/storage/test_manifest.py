import json

import pytest
from record_fixtures import write_data_set

from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, is_data_set


def test_a_manifest_comes_back_as_it_was_saved(tmp_path):
    manifest = write_data_set(tmp_path)
    assert Manifest.load(str(tmp_path)) == manifest
    assert is_data_set(str(tmp_path))


def test_no_temporary_file_is_left(tmp_path):
    write_data_set(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))


def test_the_fingerprint_tells_other_videos_not_another_folder(tmp_path):
    first = write_data_set(tmp_path / "a").fingerprint()
    assert write_data_set(tmp_path / "b").fingerprint() == first
    assert write_data_set(tmp_path / "c", num_train=9).fingerprint() != first


def test_the_prefix_of_an_appended_data_set_has_the_fingerprint_of_the_first(tmp_path):
    first = write_data_set(tmp_path / "a", num_val=0)
    appended = write_data_set(tmp_path / "b", num_val=0, num_train=12, num_classes=2)
    assert appended.prefix(10, 2).fingerprint() == first.fingerprint()


def test_a_folder_without_manifest_names_the_remedy(tmp_path):
    folder = str(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"data_prep\.convert .* --output_dir=.*nowh"):
        Manifest.load(folder)
    assert not is_data_set(folder)


def test_a_folder_of_videos_is_not_the_place_to_convert_into(tmp_path):
    with pytest.raises(UserError, match="--output_dir=DATA$"):
        Manifest.load(str(tmp_path))


def test_another_schema_version_is_refused(tmp_path):
    write_data_set(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))
    with pytest.raises(UserError, match="version 99"):
        Manifest.load(str(tmp_path))


@pytest.mark.parametrize("content", [b'{"videos": [', b"\xff", b""])
def test_a_damaged_manifest_is_refused_by_its_path(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(UserError, match=r"manifest\.json is damaged: it is not"):
        Manifest.load(str(tmp_path))


def test_a_manifest_of_another_program_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="schema version None"):
        Manifest.load(str(tmp_path))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": 99}, "label 99 of 2 classes"),
        ({"label": -2}, "label -2"),
        ({"label": "1"}, "of another type"),
        ({"frames": -1}, "-1 frames"),
        ({"frames": 0}, "0 frames"),
        ({"height": 0}, "0 x"),
        ({"fps": 0.0}, "0.0 frames per second"),
        ({"fps": float("nan")}, "nan frames per second"),
        ({"split": "trian"}, "the split 'trian'"),
        ({"shard": "train-00009.tfrecord"}, "not listed"),
        ({"id": 1}, "does not follow"),
        ({"color": 3}, "has an unknown one"),
    ],
)
def test_values_that_cannot_be_are_refused_in_one_line(tmp_path, values, message):
    write_data_set(tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_text())
    content["videos"][3].update(values)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message) as refused:
        Manifest.load(str(tmp_path))
    assert "is damaged" in str(refused.value) and "\n" not in str(refused.value)


def test_a_manifest_that_lacks_an_entry_is_refused(tmp_path):
    write_data_set(tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_text())
    del content["shards"]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="is damaged: .*'shards'"):
        Manifest.load(str(tmp_path))
