"""From video files to neighbors: a network learns to tell generated videos apart.

Each of twelve classes is a pattern of stripes, in two videos that differ in light and
position; one of them is trained on, the other validated.  The untrained network finds
about half of the classes.
"""

import json

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import run_config, with_settings
from video_fixtures import write_pictures

from data_prep.config import ConversionConfig
from data_prep.convert import conversion
from vie_tf.config import KnnTaskConfig, RetrievalConfig
from vie_tf.evaluation.neighbors import knn_task, retrieval_task
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.training import train as training

NUM_CLASSES, NUM_FRAMES, NUM_NEGATIVES, NUM_STEPS = 12, 4, 32, 300
KNN = {"ks": (1,), "num_clips": 3}
ANGLES, PERIODS = (0, 45, 90), (4, 6.5, 11, 18)  # degrees, pixels

# What IR costs when all embeddings are one point, so that nothing is told apart: each
# of the video and its negatives then has the probability 1 / N.
COLLAPSED_LOSS = np.log(1 + NUM_NEGATIVES) + NUM_NEGATIVES * np.log(
    1 + 1 / NUM_NEGATIVES
)


def striped_pictures(label, rng):
    """[48, 64, 3] uint8 each; every picture has its own light and position."""
    angle, period = np.radians(ANGLES[label % 3]), PERIODS[label // 3]
    across, down = np.meshgrid(np.arange(64), np.arange(48))
    distance = across * np.cos(angle) + down * np.sin(angle)
    for _ in range(NUM_FRAMES):
        wave = np.sin(2 * np.pi * (distance / period + rng.uniform()))
        picture = rng.uniform(100, 150) + rng.uniform(40, 90) * wave
        yield np.repeat(picture.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    """The videos, converted; half of each class is for validation."""
    videos, data_dir = (tmp_path_factory.mktemp(name) for name in ("videos", "data"))
    for label in range(NUM_CLASSES):
        for number in range(2):
            rng = np.random.default_rng(100 * number + label)
            path = videos / f"stripes_{label:02d}" / f"{number}.avi"
            write_pictures(path, list(striped_pictures(label, rng)))
    conversion.convert(
        ConversionConfig(str(videos), str(data_dir), val_fraction=0.5, num_processes=1)
    )
    return data_dir


@pytest.fixture(name="config", scope="module")
def fixture_config(data_dir, tmp_path_factory):
    config = run_config(
        data_dir,
        tmp_path_factory.mktemp("run"),
        model={"name": "single", "num_frames": 1, "num_filters": 16},
        loss={"ir_num_negatives": NUM_NEGATIVES, "ir_normalizer": "batch"},
        train_steps=NUM_STEPS,
        batch_size=NUM_CLASSES,
        learning_rate=0.002,
        log_steps=1,
    )
    # The moving statistics have to follow within a run of this length.
    config = with_settings(config, "model", embedding_dim=32, batch_norm_momentum=0.9)
    return with_settings(config, "knn", k=1, num_clips=3)


@pytest.fixture(name="run", scope="module")
def fixture_run(config):
    training.train(config)
    return RestoredRun.load(config.train.model_dir, config.data)


def scalars_of(config, tag):
    """One value of TensorBoard for every step."""
    values = []
    (path,) = tf.io.gfile.glob(f"{config.train.model_dir}/tensorboard/*")
    for event in tf.compat.v1.train.summary_iterator(path):
        for value in event.summary.value:
            if value.tag == tag:
                values.append(tf.make_ndarray(value.tensor).item())
    return np.array(values)


def test_ir_tells_videos_apart(run, config):
    losses = scalars_of(config, "train/loss_data") + scalars_of(
        config, "train/loss_noise"
    )
    assert len(losses) == NUM_STEPS
    assert losses[:5].mean() > COLLAPSED_LOSS
    assert losses[-20:].mean() < COLLAPSED_LOSS - 0.5


def test_videos_come_close_to_their_own_rows_and_stay_apart(run, config):
    own = scalars_of(config, "train/similarity_to_own_row")
    between = scalars_of(config, "train/similarity_between_videos")
    assert abs(own[0]) < 0.3  # the rows start at random
    assert own[-20:].mean() > 0.8
    assert own[-20:].mean() - between[-20:].mean() > 0.2


def test_validation_videos_find_their_classes(run, config, capsys):
    result = knn_task.evaluate(run, KnnTaskConfig(**KNN, compare_untrained=True))
    assert result["chance"] == pytest.approx(1 / 12)
    assert result["untrained"]["top1"] < result["top1"]
    assert result["top1"] > 0.9
    with open(f"{config.train.model_dir}/eval/knn.json") as file:
        assert json.load(file) == result
    assert f"{result['top1']:.1%}" in capsys.readouterr().out


def test_the_memory_bank_of_the_run_is_a_gallery_too(run, config):
    result = knn_task.evaluate(run, KnnTaskConfig(**KNN, gallery="bank"))
    assert result["top1"] > 0.4
    assert result["settings"]["gallery"] == "bank"


def test_retrieval_writes_a_picture_and_the_nearest_videos(run, config):
    content = retrieval_task.evaluate(run, RetrievalConfig(config.knn))
    nearest = [query["nearest"][0]["video"] for query in content["queries"]]
    labels = [query["label"] for query in content["queries"]]
    found = [video.split("/")[0] == label for video, label in zip(nearest, labels)]
    assert np.mean(found) >= 0.75
    picture = tf.io.read_file(f"{config.train.model_dir}/eval/retrieval.png")
    assert tf.io.decode_png(picture).shape[0] > 6 * 84  # six queries
