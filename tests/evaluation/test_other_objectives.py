"""Runs of other methods of table 2 are evaluated and exported as any run."""

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import NUM_CLASSES, restored, write_colors
from run_fixtures import run_config

from vie_tf.config import (
    EmbeddingConfig,
    ExportConfig,
    FinetuneConfig,
    KnnTaskConfig,
    LinearConfig,
    RetrievalConfig,
)
from vie_tf.evaluation.labels import finetune, sklearn_linear
from vie_tf.evaluation.neighbors import knn_task, retrieval_task
from vie_tf.export import video_clips
from vie_tf.export.export_run import export
from vie_tf.search.embedder import VideoEmbedder
from vie_tf.search.embeddings import averaged
from vie_tf.search.video_source import blocks_of_data_set
from vie_tf.storage.manifest import Manifest
from vie_tf.training import train as training

# An own head, cells in place of clips, and two views with a memory bank.
RUNS = {
    "rotation": {"name": "slow"},
    "puzzle": {"name": "slow", "crop_size": 48},
    "cmc": {"name": "single", "num_frames": None, "input": "later"},
}

pytestmark = pytest.mark.usefixtures("toy_networks")


@pytest.fixture(name="base", scope="module", params=RUNS)
def fixture_base(request, toy_networks, tmp_path_factory):
    """Videos of three colors, and a run on them after two steps."""
    base = tmp_path_factory.mktemp(request.param)
    write_colors(base / "data")
    config = run_config(
        *(base / "data", base / "run"),
        model=RUNS[request.param],
        loss={"name": request.param},
        eval_steps=0,
    )
    training.train(config)
    return base


@pytest.fixture(name="run")
def fixture_run(base):
    return restored(base / "run", base / "data")


def test_neighbors_are_found(run):
    found = knn_task.evaluate(run, KnnTaskConfig(ks=(1,), num_clips=2))
    assert 0 <= found["top1"] <= 1
    found = retrieval_task.evaluate(run, RetrievalConfig())
    assert found["step"] == 2


def test_layers_are_probed(run):
    settings = LinearConfig(batch_size=9, num_clips=1)
    scores = sklearn_linear.evaluate_linear_quick(run, settings)["scores"]
    assert scores["conv5"]["top1"] > 1 / NUM_CLASSES


def test_the_network_is_fine_tuned_without_its_old_head(run):
    settings = FinetuneConfig(
        *(),
        **{"batch_size": 9, "learning_rate": 0.05, "num_clips": 1, "eval_steps": 0},
        **{"train_steps": 2, "lr_schedule": "boundaries"},
    )
    result = finetune.evaluate_finetune([run], settings)
    assert 0 <= result["mean"]["top1"] <= 1


def test_its_saved_model_computes_what_embed_writes(base, run, tmp_path):
    export(ExportConfig(str(base / "run"), str(tmp_path / "saved")))
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    embedder = VideoEmbedder(EmbeddingConfig(str(base / "run")))
    manifest = Manifest.load(str(base / "data"))
    *_, block = blocks_of_data_set(str(base / "data"), manifest)
    (features,) = embedder.embed(block)
    embedding = averaged("embedding", features.values["embedding"])
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-5)
    num_frames, size, *_ = run.recipe.shape
    frames = np.random.default_rng(0).integers(0, 256, [2 * num_frames, 60, 80, 3])
    frames = tf.constant(frames, tf.uint8)
    clips = tf.reshape(frames, [2, num_frames, 60, 80, 3])
    found = saved.signatures["serving_default"](clips=clips)["embedding"]
    cropped = video_clips.center_crop(frames, size, run.config.data.crop)
    wanted = run.model(tf.reshape(cropped, [2, num_frames, size, size, 3]))
    np.testing.assert_allclose(found, wanted["embedding"], atol=1e-5)
