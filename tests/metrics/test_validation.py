"""Validation that several workers share."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_fixtures import GridEmbedder, grid_state

from vie_tf.config import DataConfig, KnnConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.pipeline import ClipShard
from vie_tf.keras import keras
from vie_tf.metrics.features import NothingRead
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.metrics.validation import (
    Scores,
    SoftmaxValidation,
    make_validation,
    split_to_validate,
)
from vie_tf.storage.manifest import NO_LABEL

RECIPE = ClipRecipe(num_frames=2, frame_interval=2, crop_size=32, sampling="sparse")


class ClassZero(keras.Model):
    """Takes every video to be of the first of two classes."""

    def call(self, clips, training=False):
        return {"logits": tf.tile([[1.0, 0.0]], [tf.shape(clips)[0], 1])}


@pytest.fixture(name="validation_of", params=["knn", "softmax"])
def fixture_validation_of(request, tmp_path):
    """Makes the validation of one of two workers on a single video."""
    manifest = write_data_set(tmp_path, num_val=1)
    data = DataConfig(str(tmp_path))

    def of_knn(part, gather):
        state = grid_state([video.label for video in manifest.split("train")])
        settings = KnnConfig(k=3, num_clips=2)
        return make_validation(
            *(state.bank, data, manifest, RECIPE, settings),
            network=state.model,
            shard=part,
            gather=gather,
        )

    def of_softmax(part, gather):
        network = GridEmbedder(dim=2)
        return SoftmaxValidation(
            name="softmax",
            heads=("",),
            logits=SplitPass(lambda clips: {"": network(clips)["embedding"]}),
            clips=pipeline.evaluation_clips(
                data, manifest, "val", RECIPE, num_clips=2, shard=part
            ),
            labels=np.array([video.label for video in manifest.split("val")]),
            num_classes=2,
            gather=gather,
        )

    make = of_knn if request.param == "knn" else of_softmax
    return lambda worker, gather: make(ClipShard(worker, 2), gather)


def test_a_worker_without_a_video_has_the_scores_of_the_others(validation_of):
    of_chief = []

    def gather_at_chief(values):
        of_chief.append(values)
        return values

    def gather_at_other(values):
        (other, *of_chief[:]) = of_chief
        assert len(other) == 1 and len(values) == 0
        assert (values.dtype, values.shape[1:]) == (other.dtype, other.shape[1:])
        return np.concatenate([other, values])

    scores = validation_of(0, gather_at_chief)()
    assert validation_of(1, gather_at_other)() == scores
    assert not of_chief


def test_that_no_worker_could_read_a_video_is_said(validation_of):
    with pytest.raises(NothingRead, match="No video could be read .1 video tried"):
        validation_of(1, gather=lambda values: values)()


@pytest.mark.parametrize("kind", ["knn", "softmax"])
def test_videos_without_a_label_are_left_out_of_the_accuracies(tmp_path, kind):
    manifest = write_data_set(tmp_path, num_val=3)
    unlabeled = manifest.split("val")[-1].id
    manifest = dataclasses.replace(
        manifest,
        videos=tuple(
            dataclasses.replace(v, label=NO_LABEL if v.id == unlabeled else 0)
            for v in manifest.videos
        ),
    )
    state = grid_state([0] * len(manifest.split("train")))
    bank = state.bank if kind == "knn" else None
    validation = make_validation(
        *(bank, DataConfig(str(tmp_path)), manifest, RECIPE, KnnConfig(3, 0.07, 2)),
        network=state.model if kind == "knn" else ClassZero(),
        shard=ClipShard(),
        gather=lambda values: values,
    )
    # All labels are those of class 0, which every video is told to be of.
    scores = validation()
    assert (scores.top1, scores.num_queries) == (1.0, 2)


def test_validation_videos_without_labels_are_nothing_to_validate_on(tmp_path):
    manifest = write_data_set(tmp_path)
    videos = tuple(
        dataclasses.replace(v, label=NO_LABEL) if v.split == "val" else v
        for v in manifest.videos
    )
    manifest = dataclasses.replace(manifest, videos=videos)
    assert split_to_validate(manifest, len(manifest.split("train"))) is None


def test_what_was_skipped_is_left_out_of_the_accuracies():
    def logits_of(clips):  # class 0 for bright videos
        level = tf.reduce_mean(tf.cast(clips, tf.float32), axis=[1, 2, 3, 4])
        return {"": tf.stack([level, tf.ones_like(level)], axis=1)}

    def batch(level, row):
        clips = np.full([1, 1, 2, 4, 4, 3], level, np.uint8)
        return {"clips": tf.constant(clips), "rows": tf.constant([row], tf.int64)}

    validation = SoftmaxValidation(
        name="softmax",
        heads=("",),
        logits=SplitPass(logits_of),
        clips=[batch(3, 0), batch(2, 2)],  # the second of three videos is skipped
        labels=np.array([0, 0, 1]),
        num_classes=2,
    )
    assert validation() == Scores({"": {"top1": 0.5, "top5": 1.0}}, 2)
