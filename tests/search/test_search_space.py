"""What videos are searched by: features of two layers, and the space of an index."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from vie_tf.metrics import components, search_features
from vie_tf.models.resnet import PROBED_LAYERS
from vie_tf.search import search_space
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.storage import files
from vie_tf.storage.errors import UserError


def write_index(folder, num_videos=12, size=6, seed=0):
    """An index as embed.py writes it, as far as the space reads it."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=[num_videos, size]).astype(np.float32)
    np.save(folder / "search_features.npy", rows)
    name = "search_features.npy"
    metadata = {
        "made_from": {"average": "clips"},
        "arrays": {"search_features": {"file": name, "shape": list(rows.shape)}},
        "crc32c": {name: files.crc32c_of(str(folder / name))},
        "num_videos": num_videos,
        "num_refused": 0,
        "search_blocks": [2, 1] * 2 if size == 6 else [size],
    }
    (folder / "index.json").write_text(json.dumps(metadata))
    return EmbeddingIndex.load(str(folder)), rows


def test_a_query_is_projected_as_the_videos_are(tmp_path):
    index, rows = write_index(tmp_path / "index")
    search_space.write(index)
    gallery, space = search_space.load(index)
    wanted = components.fit(rows, 128, [2, 1, 2, 1])
    np.testing.assert_allclose(gallery, wanted.project(rows), atol=1e-6)
    np.testing.assert_allclose(space.project(rows[3:4]), gallery[3:4], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(gallery, axis=1), 1, atol=1e-5)


def test_the_space_follows_an_index_that_has_changed(tmp_path):
    index, _ = write_index(tmp_path / "index")
    search_space.write(index)
    first = search_space.load(index)[0]
    time_of = os.stat(tmp_path / "index" / "search.npy").st_mtime_ns
    search_space.write(index)
    assert os.stat(tmp_path / "index" / "search.npy").st_mtime_ns == time_of
    index, _ = write_index(tmp_path / "index", seed=1)
    with pytest.raises(UserError, match="--search_by=embedding"):
        search_space.load(index)
    search_space.write(index)
    assert not np.allclose(search_space.load(index)[0], first)


def test_a_damaged_file_is_named(tmp_path):
    index, _ = write_index(tmp_path / "index")
    search_space.write(index)
    path = tmp_path / "index" / "search_mean.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(UserError, match="search_mean.npy"):
        search_space.load(index)


@pytest.mark.parametrize("num_videos", [1, 7])
def test_few_videos_have_no_space(tmp_path, num_videos):
    index, _ = write_index(tmp_path / "index")
    search_space.write(index)
    index, _ = write_index(tmp_path / "index", num_videos)
    assert not search_space.is_possible(index)
    search_space.write(index)
    assert not set(os.listdir(tmp_path / "index")) & set(search_space.NAMES)


def layers(num_clips, sizes, num_channels):
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=[num_clips, 2, *size, channels]).astype(np.float32)
        for name, size, channels in zip(PROBED_LAYERS, sizes, num_channels)
    }


def test_features_are_means_over_time_of_each_stream_with_its_places():
    sizes, channels = [(8, 8), (8, 8), (4, 4), (2, 2), (1, 1)], [4, 4, 5, 7, 9]
    values = layers(3, sizes, channels)
    widths = ((2, 3), (4, 3))
    found = search_features.of_clips(
        {name: tf.constant(value) for name, value in values.items()}, widths
    )[search_features.SEARCH_FEATURES].numpy()
    conv3, conv4 = values["conv3"].mean(1), values["conv4"].mean(1)
    wanted = [conv3[..., :2], conv3[..., 2:], conv4[..., :4], conv4[..., 4:]]
    wanted = np.concatenate([part.reshape(3, -1) for part in wanted], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert search_features.block_sizes(values, widths) == [32, 48, 16, 12] * 2


def test_a_large_layer_is_averaged_over_equal_parts():
    sizes, channels = [(56, 56), (56, 56), (28, 28), (14, 14), (7, 7)], [8] * 5
    values = layers(1, sizes, channels)
    found = search_features.of_clips(
        {name: tf.constant(value) for name, value in values.items()}, ((8,), (8,))
    )[search_features.SEARCH_FEATURES].numpy()
    assert found.shape == (1, 2 * 6 * 6 * 8)
    assert search_features.places((28, 28), (128,)) == (3, 3)
    assert search_features.places((14, 14), (256,)) == (2, 2)
    assert search_features.places((7, 14), (2048, 256)) == (1, 1)
    assert search_features.places((4, 7), (16,)) == (4, 6)
    np.testing.assert_allclose(
        found.mean(), values["conv3"].mean() / 2 + values["conv4"].mean() / 2, atol=2e-3
    )


def test_a_video_is_the_mean_and_the_deviation_of_its_clips():
    clips = np.random.default_rng(0).normal(size=[2, 5, 3]).astype(np.float32)
    found = search_features.of_videos(clips)
    np.testing.assert_allclose(found[:, :3], clips.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found[:, 3:], clips.std(1), rtol=1e-5)
    assert not search_features.of_videos(clips[:, :1])[:, 3:].any()
