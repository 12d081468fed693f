"""A training says whether it is better than what has learned nothing."""

import json

import numpy as np
import pytest
from record_fixtures import numbered_frames, write_data_set
from run_contents import events_in, numbers_in
from run_fixtures import run_config, with_settings
from toy_networks import make_embedder, use_toy_networks

from vie_tf.metrics.learning import check as learning_check
from vie_tf.models.from_config import clip_recipe
from vie_tf.storage import small_files
from vie_tf.storage.manifest import Manifest
from vie_tf.training.train import train


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    write_data_set(folder, num_train=40, num_val=2)
    return folder


@pytest.fixture(autouse=True)
def fixture_embedders(monkeypatch):
    use_toy_networks(monkeypatch.setitem, make_embedder)


def settings(data, run, **train):
    given = {"learning_videos": 2000, "train_steps": 4, "eval_steps": 2, **train}
    return run_config(data, run, log_steps=1, **given)


def notes(run):
    return json.loads((run / "learning.json").read_text())


def test_the_last_line_is_the_verdict(data, tmp_path, capsys):
    train(settings(data, tmp_path))
    lines = capsys.readouterr().out.splitlines()
    (verdict,) = [line for line in lines if "Better than pixels and motion map" in line]
    assert verdict.startswith("step 4 ") and "of 40 videos" in verdict
    (note,) = notes(tmp_path)
    values = note["values"]
    assert note["step"] == 4 and note["chance"] == 0.5
    assert list(values) == ["run", "untrained", "pixels", "motion_map"]
    answer = values["run"]["knn"] > max(
        values[name]["knn"] for name in ("pixels", "motion_map")
    )
    assert ("motion map: yes" in verdict) == answer
    events = events_in(tmp_path)
    assert events["learning/knn_run"] == {4: pytest.approx(values["run"]["knn"])}


def test_untrained_figures_are_those_of_step_0_wherever_the_run_begins(data, tmp_path):
    train(settings(data, tmp_path / "a"))
    train(settings(data, tmp_path / "b", train_steps=2, learning_videos=0))
    train(settings(data, tmp_path / "b"))
    ((first,), (second,)) = (notes(tmp_path / name) for name in "ab")
    assert first == second


def test_a_comparison_changes_no_bit_of_the_run(data, tmp_path, capsys):
    train(settings(data, tmp_path / "with", eval_steps=1))
    capsys.readouterr()
    train(settings(data, tmp_path / "without", eval_steps=1, learning_videos=0))
    assert "Better" not in capsys.readouterr().out
    assert not (tmp_path / "without" / "references.npz").exists()
    first, second = (numbers_in(tmp_path / name) for name in ("with", "without"))
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name


def test_references_are_computed_once_or_when_they_are_damaged(
    data, tmp_path, monkeypatch
):
    train(settings(data, tmp_path, train_steps=2))
    path = tmp_path / "references.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    train(settings(data, tmp_path, train_steps=4))
    assert small_files.read_arrays(str(path), "")["untrained/is_right"].shape == (40,)
    monkeypatch.setattr(learning_check, "read_vectors", None)  # cannot be called
    train(settings(data, tmp_path, train_steps=6))
    assert [note["step"] for note in notes(tmp_path)] == [2, 4, 6]


def test_comparisons_take_a_quarter_of_the_trained_clips_at_most(data):
    config, manifest = settings(data, "run"), Manifest.load(str(data))
    sample = learning_check.choose(config, manifest, clip_recipe(config.model))
    check = learning_check.LearningCheck(sample, None, {})
    # 160 clips, a quarter of 640: every 8th validation of 20 steps of 4.
    due = [step for step in range(20, 700, 20) if check.is_due(step, 20, 4)]
    assert due == [160, 320, 480, 640]
    assert check.is_due(1000, 1000, 4) and not check.is_due(1000, 0, 4)


def test_a_sample_is_the_same_at_every_start(data):
    config = settings(data, "run", learning_videos=10)
    manifest = Manifest.load(str(data))
    recipe = clip_recipe(config.model)
    first, second = (
        learning_check.choose(config, manifest, recipe).videos for _ in range(2)
    )
    assert first == second and len(first) == 10
    assert list(first) == sorted(first, key=lambda video: video.id)


def test_videos_that_cannot_be_read_are_left_out(tmp_path):
    def frames_of(video_id, num_frames):
        frames = numbered_frames(video_id, num_frames)
        return [frame[:99] for frame in frames] if video_id == 3 else frames

    write_data_set(tmp_path / "data", 12, 0, make_frames=frames_of)
    config = settings(tmp_path / "data", tmp_path / "run")
    train(with_settings(config, "data", on_bad_record="skip"))
    (note,) = notes(tmp_path / "run")
    assert note["num_videos"] == 11


def test_images_and_labels_are_not_compared(tmp_path, capsys):
    write_data_set(tmp_path / "images", 8, 0, num_frames=1)
    config = settings(tmp_path / "images", tmp_path / "run")
    train(with_settings(config, "model", name="single", num_frames=1))
    assert "Better" not in capsys.readouterr().out
