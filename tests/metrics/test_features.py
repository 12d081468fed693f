import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_fixtures import GridEmbedder, random_clips

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.metrics.features import ClipEmbedder, video_embeddings

RECIPE = ClipRecipe(num_frames=2, frame_interval=2, crop_size=32, sampling="sparse")


@pytest.fixture(name="model", scope="module")
def fixture_model():
    return GridEmbedder()


def batches_of(clips, rows, batch_size):
    videos = tf.data.Dataset.from_tensor_slices({"clips": clips, "rows": rows})
    return videos.batch(batch_size)


def clips_of_videos(num_videos=7, num_clips=3):
    """[V, num_clips, 2, 32, 32, 3] uint8."""
    clips = random_clips(num_videos * num_clips)
    return clips.reshape(num_videos, num_clips, *clips.shape[1:])


def test_a_video_is_the_normalized_mean_of_its_clips():
    clips = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.6, 0.8], [0.6, 0.8]]], "float32")
    wanted = [[np.sqrt(0.5), np.sqrt(0.5)], [0.6, 0.8]]
    np.testing.assert_allclose(video_embeddings(clips), wanted, rtol=1e-6)


def test_clips_that_cancel_out_make_no_nan():
    clips = np.array([[[1.0, 0.0], [-1.0, 0.0]]], "float32")
    np.testing.assert_array_equal(video_embeddings(clips), [[0.0, 0.0]])


def test_every_clip_has_the_embedding_that_the_model_gives_it(model):
    clips = clips_of_videos()
    actual = ClipEmbedder(model).embed(batches_of(clips, np.arange(7), 2), 7).values
    for video in range(7):
        wanted = model(clips[video])["embedding"]
        np.testing.assert_allclose(actual[video], wanted, rtol=1e-5, atol=1e-6)


def test_embeddings_come_in_the_order_of_the_videos(model):
    clips, rows = clips_of_videos(), np.array([4, 0, 6, 2, 5, 1, 3])
    embedder = ClipEmbedder(model)
    sorted_batches = batches_of(clips[np.argsort(rows)], np.arange(7), 7)
    in_order = embedder.embed(sorted_batches, 7).values
    mixed = embedder.embed(batches_of(clips, rows, 3), 7).values
    np.testing.assert_allclose(mixed, in_order, rtol=1e-5, atol=1e-6)
    assert not np.allclose(in_order[0], in_order[1], atol=1e-3)


def test_the_size_of_batches_does_not_change_the_embeddings(model, tmp_path):
    manifest = write_data_set(tmp_path)
    embedder = ClipEmbedder(model)
    once, again = (
        embedder.embed(
            pipeline.evaluation_clips(
                DataConfig(str(tmp_path)),
                manifest,
                "train",
                RECIPE,
                num_clips=2,
                **options,
            ),
            10,
        ).values
        for options in ({"frames_per_batch": 1}, {"frames_per_batch": 12})
    )
    assert once.shape == (10, 2, 16)
    np.testing.assert_allclose(again, once, rtol=1e-5, atol=1e-6)


def test_videos_that_were_skipped_are_missing_from_the_index(model):
    clips = clips_of_videos(3)
    features = ClipEmbedder(model).embed(batches_of(clips, [5, 0, 3], 2), 6)
    assert features.video_index.tolist() == [0, 3, 5]
    np.testing.assert_allclose(
        features.values[2], model(clips[0])["embedding"], rtol=1e-5, atol=1e-6
    )


def test_the_network_runs_in_inference_mode(tmp_path):
    class Mode(keras.Model):
        def call(self, clips, training=False):
            return {"embedding": tf.fill([tf.shape(clips)[0], 1], float(training))}

    batches = batches_of(clips_of_videos(2), np.arange(2), 2)
    features = ClipEmbedder(Mode()).embed(batches, 2)
    np.testing.assert_array_equal(features.values, 0.0)
