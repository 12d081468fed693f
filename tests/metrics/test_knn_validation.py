"""kNN validation against the memory bank and against fresh embeddings."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import HEIGHT, WIDTH, write_data_set
from run_fixtures import grid_state

from vie_tf.config import DataConfig, KnnConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.pipeline import ClipShard
from vie_tf.metrics import knn
from vie_tf.metrics.features import video_embeddings
from vie_tf.metrics.validation import (
    gallery_of_run,
    left_out_note,
    make_validation,
    split_to_validate,
)

RECIPE = ClipRecipe(num_frames=2, frame_interval=2, crop_size=32, sampling="sparse")
SETTINGS = KnnConfig(k=1, num_clips=2)


def labels_of(manifest, split="train"):
    return np.array([video.label for video in manifest.split(split)])


def validation_of(data_dir, manifest, state, gallery, shard=None, gather=None):
    return make_validation(
        *(state.bank, DataConfig(str(data_dir)), manifest, RECIPE, SETTINGS),
        network=state.model,
        shard=shard or ClipShard(),
        gather=gather or (lambda values: values),
        gallery=gallery,
    )


def relabel(manifest, labels):
    videos = tuple(
        dataclasses.replace(video, label=label)
        for video, label in zip(manifest.videos, labels)
    )
    return dataclasses.replace(manifest, videos=videos)


@pytest.fixture(name="trained")
def fixture_trained(tmp_path):
    """Data whose queries are copies of training videos."""
    first_val = 7  # the ids are 2, 3, 4, 5 and 7, 8, 9, 10

    def frames_of(video_id, num_frames):
        of_train = video_id if video_id < first_val else video_id - 5
        cells = np.random.default_rng(of_train).integers(0, 256, (4, 4, 3), np.uint8)
        frame = np.kron(cells, np.ones((HEIGHT // 4, WIDTH // 4, 1), np.uint8))
        return [tf.io.encode_jpeg(frame).numpy()] * num_frames

    manifest = write_data_set(tmp_path, num_train=4, num_val=4, make_frames=frames_of)
    state = grid_state(labels_of(manifest))
    return tmp_path, manifest, state


def write_bank_of_the_other_class(validation, state):
    """Writes rows that are not of the network's embeddings, as training mode may."""
    embeddings = validation.embedder.embed(validation.clips, 4)
    rows = video_embeddings(embeddings.values)
    state.bank.rows.assign(np.roll(rows, 1, axis=0))  # classes take turns


def test_bank_and_features_disagree_and_only_features_are_of_the_network(trained):
    data_dir, manifest, state = trained
    of_bank = validation_of(data_dir, manifest, state, "bank")
    write_bank_of_the_other_class(of_bank, state)
    assert of_bank().top1 == 0.0
    of_features = validation_of(data_dir, manifest, state, "features")
    assert of_features().top1 == 1.0  # every query finds its copy
    assert (of_bank.gallery, of_features.gallery) == ("bank", "features")


def test_workers_embed_a_part_of_the_gallery_each_and_score_alike(trained):
    data_dir, manifest, state = trained
    alone = validation_of(data_dir, manifest, state, "features")()
    own = []  # what worker 1 gathers, in order
    validation_of(
        *(data_dir, manifest, state, "features", ClipShard(1, 2)),
        lambda values: (own.append(values), values)[1],
    )()
    assert len(own[1]) == 2  # rows of half of the gallery
    others = iter(own[:2])

    def gather(values):
        other = next(others, None)
        return values if other is None else np.concatenate([values, other])

    half = validation_of(
        *(data_dir, manifest, state, "features", ClipShard(0, 2)), gather
    )()
    assert half.num_queries == 2 and half.top1 == alone.top1 == 1.0


@pytest.mark.parametrize("gallery", ["bank", "features"])
def test_a_query_is_not_its_own_neighbor(tmp_path, gallery):
    manifest = write_data_set(tmp_path, num_train=4, num_val=0)
    manifest = relabel(manifest, [0, 0, 1, 1])
    state = grid_state(labels_of(manifest))
    validation = validation_of(tmp_path, manifest, state, gallery)
    features = validation.embedder.embed(validation.clips, 4).values
    rows = video_embeddings(features)
    state.bank.rows.assign(rows)
    votes = knn.classify_videos(
        *(rows, labels_of(manifest), features, 2), k=1, own_index=np.arange(4)
    )
    assert validation().heads[""] == knn.accuracies(votes, labels_of(manifest))


@pytest.mark.parametrize("gallery", ["bank", "features"])
def test_queries_that_are_alone_in_their_class_are_left_out(tmp_path, gallery):
    manifest = write_data_set(tmp_path, num_train=4, num_val=0, num_classes=3)
    manifest = relabel(manifest, [0, 1, 0, 2])
    scores = validation_of(
        tmp_path, manifest, grid_state(labels_of(manifest)), gallery
    )()
    assert (scores.num_queries, scores.num_single) == (2, 2)
    assert "leave out 2 of 4 training videos" in left_out_note(manifest, 4)


def test_a_video_in_every_class_is_nothing_to_validate_on(tmp_path):
    manifest = write_data_set(tmp_path, num_train=3, num_val=0, num_classes=3)
    assert split_to_validate(manifest, 3) is None
    assert "no query can be right" in left_out_note(manifest, 3)
    two_each = write_data_set(tmp_path, num_train=6, num_val=0, num_classes=3)
    assert split_to_validate(two_each, 6) == "train"
    assert left_out_note(two_each, 6) == ""


@pytest.mark.parametrize(
    ("num_val", "num_trained_clips", "wanted"),
    [
        (2, 250, ("features", 5)),  # ten training videos of five clips are a fifth
        (2, 249, ("features", 4)),
        (2, 50, ("features", 1)),
        (2, 49, ("bank", 1)),
        (0, 1, ("features", 5)),  # the queries are the gallery
    ],
)
def test_auto_takes_features_where_they_are_cheap(
    tmp_path, num_val, num_trained_clips, wanted
):
    manifest = write_data_set(tmp_path, num_train=10, num_val=num_val)
    assert gallery_of_run(manifest, 10, num_trained_clips, 5) == wanted


def test_the_papers_runs_keep_the_bank(tmp_path):
    manifest = write_data_set(tmp_path, num_train=1, num_val=1)
    (train, val) = manifest.videos
    videos = (*[train] * 239_888, val)
    manifest = dataclasses.replace(manifest, videos=videos)
    assert gallery_of_run(manifest, 239_888, 5000 * 128, 5) == ("bank", 1)
