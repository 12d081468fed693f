"""Tasks on data sets of pictures, which are videos of one frame."""

import pytest
from label_fixtures import restored, write_colors, write_run

from vie_tf.config import (
    FinetuneConfig,
    KnnConfig,
    KnnTaskConfig,
    LinearConfig,
    RetrievalConfig,
)
from vie_tf.evaluation.labels import finetune, linear, sklearn_linear
from vie_tf.evaluation.neighbors import knn_task, retrieval_task
from vie_tf.evaluation.restored_run import RestoredRun

pytestmark = pytest.mark.usefixtures("toy_networks")


@pytest.fixture(name="pictures")
def fixture_pictures(tmp_path):
    """A run of two frames on pictures as static videos."""
    write_colors(tmp_path / "images", num_frames=1)
    write_run(tmp_path / "run", tmp_path / "images")
    return restored(tmp_path / "run", tmp_path / "images", static_video=True)


@pytest.mark.parametrize("task", ["knn", "retrieval", "linear", "finetune"])
def test_one_clip_of_a_picture_gives_the_numbers_of_five(task, pictures, monkeypatch):
    steps = {"train_steps": 2, "batch_size": 9, "num_clips": 5}
    votes = KnnConfig(k=3)

    def evaluate():
        if task == "knn":
            return knn_task.evaluate(pictures, KnnTaskConfig(ks=(3,)))
        if task == "retrieval":
            return retrieval_task.evaluate(pictures, RetrievalConfig(votes))
        if task == "linear":
            return linear.evaluate_linear(pictures, LinearConfig(**steps))
        ways = {"lr_schedule": "boundaries", "test_clips": "spaced"}
        settings = FinetuneConfig(**steps, **ways)
        return finetune.evaluate_finetune([pictures], settings)

    one = evaluate()
    monkeypatch.setattr(RestoredRun, "clips_per_video", lambda run, count: count)
    five = evaluate()
    for name in ("top1", "top5", "grid", "recall", "map", "scores", "mean"):
        assert one.get(name) == five.get(name)
    assert (one["settings"]["num_clips"], five["settings"]["num_clips"]) == (1, 5)
    assert "of one clip" in one["protocol"]
    assert "averaged over 5 equally spaced clips" in five["protocol"]


def test_the_quick_look_takes_one_clip_of_a_picture(pictures):
    result = sklearn_linear.evaluate_linear_quick(pictures, LinearConfig())
    assert result["scores"]["conv1"]["top1"] == 1
    assert "standardized features of one clip without" in result["protocol"]
