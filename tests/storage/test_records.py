import json

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set

from vie_tf.storage import records


def test_a_record_comes_back_as_it_was_written():
    record = records.serialize(
        video_id=7,
        label=3,
        frames=[b"one", b"two"],
        fps=25.0,
        height=4,
        width=6,
        source="a/b.mp4",
    )
    parsed = {key: value.numpy() for key, value in records.parse(record).items()}
    assert parsed.pop("frames").tolist() == [b"one", b"two"]
    assert parsed == {
        "id": 7,
        "label": 3,
        "fps": 25.0,
        "height": 4,
        "width": 6,
        "source": b"a/b.mp4",
    }


def test_a_manifest_comes_back_as_it_was_saved(tmp_path):
    manifest = write_data_set(tmp_path)
    assert records.Manifest.load(str(tmp_path)) == manifest


def test_no_temporary_file_is_left(tmp_path):
    write_data_set(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))


def test_the_fingerprint_tells_other_videos_not_another_folder(tmp_path):
    first = write_data_set(tmp_path / "a").fingerprint()
    assert write_data_set(tmp_path / "b").fingerprint() == first
    assert write_data_set(tmp_path / "c", num_train=9).fingerprint() != first


def test_a_folder_without_manifest_names_the_remedy(tmp_path):
    with pytest.raises(records.ManifestError, match=r"data_prep\.convert"):
        records.Manifest.load(str(tmp_path / "nowhere"))


def test_another_schema_version_is_refused(tmp_path):
    write_data_set(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))
    with pytest.raises(records.ManifestError, match="version 99"):
        records.Manifest.load(str(tmp_path))


def test_half_a_manifest_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"videos": [')
    with pytest.raises(records.ManifestError, match="not valid JSON"):
        records.Manifest.load(str(tmp_path))


def test_single_frames_can_be_read_for_pictures(tmp_path):
    manifest = write_data_set(tmp_path)
    video = manifest.split("val")[1]
    first, again = records.read_frames(str(tmp_path), video, [3, 3 + video.frames])
    assert first.shape == (36, 48, 3)
    np.testing.assert_array_equal(first, again)
    assert tf.reduce_mean(tf.cast(first[:, 10:], tf.float32)) < 250
