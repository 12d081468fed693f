"""A collection for TensorBoard's projector."""

import cv2
import numpy as np
from collection_fixtures import gray_of, make_collection, make_reader
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_config_pb2

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
