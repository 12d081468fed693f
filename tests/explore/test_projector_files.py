"""A collection for TensorBoard's projector."""

import cv2
import numpy as np
from collection_fixtures import (
    clustered,
    gray_of,
    make_collection,
    make_reader,
    write_index,
)
from google.protobuf import text_format
from projector_plugin import Plugin
from tensorboard.plugins.projector import projector_config_pb2
from video_fixtures import write_video

from vie_tf.commands import explore
from vie_tf.explore import projector_files


def test_tensorboard_finds_vectors_names_and_thumbnails(tmp_path):
    names = ["a\tb\n.mp4", *(f"{n}.mp4" for n in range(1, 12))]
    collection = make_collection(names=names)
    projector_files.write(collection, make_reader({3}), str(tmp_path))
    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), config)
    (embedding,) = config.embeddings
    assert list(embedding.tensor_shape) == [12, 16]
    vectors = np.fromfile(tmp_path / embedding.tensor_path, "<f4").reshape(12, 16)
    np.testing.assert_array_equal(vectors, collection.vectors)
    lines = (tmp_path / embedding.metadata_path).read_text().splitlines()
    assert lines[0] == "name\tlabel\tsplit"
    assert lines[1:3] == ["a b .mp4\twalk\tnone", "1.mp4\trun\tnone"]
    side = embedding.sprite.single_image_dim[0]
    sprite = cv2.imread(str(tmp_path / embedding.sprite.image_path))
    assert sprite.shape == (3 * side, 4 * side, 3)
    for video, gray in ((5, gray_of(5)), (3, 128)):
        row, column = divmod(video, 4)
        middle = sprite[row * side + side // 2, column * side + side // 2]
        assert np.abs(middle.astype(int) - gray).max() <= 4


def test_tensorboard_serves_what_an_index_holds(tmp_path):
    sources = [f"{number}.avi" for number in range(5)]
    for number, source in enumerate(sources):
        write_video(tmp_path / "videos" / source, 12, first=23 * 4 * number)
    write_index(tmp_path / "index", clustered(5), sources, labels=[*"ababa"])
    output = tmp_path / "logs"
    asked = f"--index={tmp_path / 'index'}", f"--projector={output}"
    assert explore.main([*asked, "--num_processes=1"]) == 0
    plugin = Plugin(output)
    (run,) = plugin.get("/runs").get_json()
    (embedding,) = plugin.get("/info", run=run).get_json()["embeddings"]
    name = embedding["tensorName"]
    tensor = plugin.get("/tensor", run=run, name=name).get_data()
    vectors = np.frombuffer(tensor, np.float32).reshape(5, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    rows = plugin.get("/metadata", run=run, name=name).get_data(as_text=True)
    assert rows.splitlines()[2] == "1.avi\tb\tnone"
    sprite = plugin.get("/sprite_image", run=run, name=name).get_data()
    pixels = cv2.imdecode(np.frombuffer(sprite, np.uint8), cv2.IMREAD_COLOR)
    side = embedding["sprite"]["singleImageDim"][0]
    assert pixels.shape == (2 * side, 3 * side, 3)
    # The left half of a video is 11 gray levels brighter for every 23 numbers.
    left = pixels[side // 2, side + side // 4]
    assert np.abs(left.astype(int) - 4 * 11).max() <= 6
