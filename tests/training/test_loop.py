"""Whole runs: six steps of IR and four of LA on a ResNet-18; others are quick."""

import itertools
import json
import pathlib
import types

import numpy as np
import pytest
from record_fixtures import write_data_set
from run_contents import events_in, leave_what_a_kill_leaves, numbers_in
from run_fixtures import run_config

from vie_tf.monitoring import stopwatch
from vie_tf.objectives import clustering, local_aggregation
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.training import train as training

NUM_VIDEOS = 10  # so an epoch has three steps of BATCH_SIZE


@pytest.fixture(name="runs", scope="module")
def fixture_runs(data_dir, tmp_path_factory):
    """Folders of a run of ten steps, and of one that was killed after eight."""
    folder = tmp_path_factory.mktemp("runs")

    def train(name):
        training.train(
            run_config(
                data_dir,
                folder / name,
                loss={"name": "la", "ir_steps": 6},
                train_steps=10,
                log_steps=1,
                eval_steps=5,
                checkpoint_steps=4,
                learning_rate=0.03,
            )
        )

    train("whole")
    leave_what_a_kill_leaves(folder / "whole", folder / "killed", step=8)
    train("killed")
    return folder


def test_a_run_leaves_checkpoints_settings_and_events(runs):
    assert RunDirectory(str(runs / "whole")).latest().endswith("step-10")
    kept = (runs / "whole" / "checkpoints").glob("*.index")
    assert sorted(path.stem for path in kept) == ["step-10", "step-4", "step-8"]
    config, fingerprint = RunDirectory(str(runs / "whole")).load_config()
    assert (config.train.train_steps, config.loss.name) == (10, "la")
    assert fingerprint


def test_the_best_checkpoint_is_that_of_the_best_validation(runs):
    scores = events_in(runs / "whole")["knn/top1"]
    facts = (runs / "whole" / "checkpoints" / "best" / "best.json").read_text()
    best = max(scores, key=scores.get)  # the first of equal ones
    assert json.loads(facts)["checkpoint"] == f"step-{best}"
    assert json.loads(facts)["score"] == pytest.approx(scores[best])
    assert numbers_in(runs / "whole", "best")["step"] == best


def test_every_start_is_noted_with_its_step(runs):
    lines = (runs / "killed" / "starts.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 8]


def test_hyper_parameters_are_written_once_in_a_run(runs):
    assert "_hparams_/session_start_info" in events_in(runs / "whole")
    # Its event files begin with its second start.
    assert "_hparams_/session_start_info" not in events_in(runs / "killed")


def test_tensorboard_has_a_finite_loss_of_every_step(runs):
    losses_of_steps = events_in(runs / "whole")["train/loss"]
    assert list(losses_of_steps) == list(range(1, 11))
    assert np.all(np.isfinite(list(losses_of_steps.values())))


def test_la_follows_the_given_number_of_ir_steps(runs):
    events = events_in(runs / "whole")
    assert list(events["train/loss_data"]) == [1, 2, 3, 4, 5, 6]
    assert list(events["train/close_share"]) == [7, 8, 9, 10]


def test_the_bank_is_clustered_when_la_begins_and_once_per_epoch(runs):
    events = events_in(runs / "whole")
    assert list(events["clusters/objective"]) == [6, 9]
    numbers = numbers_in(runs / "whole")
    assert numbers["clustered_at"] == 9
    labels = numbers["cluster_labels"]
    assert set(labels.ravel()) == {0, 1, 2}
    assert np.all(np.any(numbers["cluster_centroids"], axis=2))  # [1, 3, 16]


def test_tensorboard_has_the_facts_of_every_clustering(runs):
    events = events_in(runs / "whole")
    for name in ("sizes", "empty", "entropy", "perplexity", "iterations"):
        assert list(events[f"clusters/{name}"]) == [6, 9]
    # Clusters keep their numbers from one clustering to the next.
    assert list(events["clusters/changed_share"]) == [9]
    assert list(events["train/alignment"]) == list(range(1, 11))
    assert set(events["bank/uniformity"]) == {5, 10}


def test_every_name_in_tensorboard_is_explained(runs):
    names = set(events_in(runs / "whole"))
    names = {name for name in names if not name.startswith(("_", "alarms/"))}
    assert len(names) > 25
    page = (pathlib.Path(__file__).parents[2] / "docs/watching_a_run.md").read_text()
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_the_second_clustering_starts_from_the_centroids_of_the_first(
    quick, tmp_path, monkeypatch
):
    k_means, starts, ends = clustering.k_means, [], []

    def noted(*arguments, start, **settings):
        clusters = k_means(*arguments, start=start, **settings)
        starts.append(start)
        ends.append(clusters.centroids)
        return clusters

    monkeypatch.setattr(clustering, "k_means", noted)
    loss = {"name": "la", "ir_steps": 0, "la_num_clusterings": 2}
    quick(tmp_path, loss=loss, train_steps=4)
    assert starts[:2] == [None, None]
    np.testing.assert_array_equal(starts[2], ends[0])
    np.testing.assert_array_equal(starts[3], ends[1])
    assert len(starts) == 4


def test_the_time_of_k_means_is_none_of_the_steps(quick, tmp_path, monkeypatch):
    k_means, now = clustering.k_means, itertools.count()
    clock = types.SimpleNamespace(perf_counter=lambda: next(now))

    def slow(*arguments, **settings):
        for _ in range(1000):
            clock.perf_counter()
        return k_means(*arguments, **settings)

    monkeypatch.setattr(clustering, "k_means", slow)
    monkeypatch.setattr(stopwatch, "time", clock)
    loss = {"name": "la", "ir_steps": 0}
    quick(tmp_path, loss=loss, train_steps=4)  # clustered before the first and the last
    speeds = events_in(tmp_path)["train/steps_per_second"]
    assert min(speeds.values()) > 1 / 10


def test_a_run_that_has_no_la_keeps_no_clusters(quick, tmp_path):
    quick(tmp_path, train_steps=1)
    assert not [name for name in numbers_in(tmp_path) if "cluster" in name]


def test_an_alarm_is_told_once_as_long_as_it_lasts(
    quick, tmp_path, monkeypatch, capsys
):
    # A single cluster makes all neighbors close.
    loss = {"name": "la", "ir_steps": 0, "la_num_clusters": 1}
    quick(tmp_path, loss=loss, train_steps=8)
    printed = capsys.readouterr().out
    assert printed.count("ALARM at step 4, all_close: 100.0% of the background") == 1
    assert printed.count("all_close") == 1
    assert list(events_in(tmp_path)["alarms/all_close"]) == [4]


def test_a_run_prints_and_keeps_the_numbers_that_auto_takes(quick, tmp_path, capsys):
    automatic = {"la_num_clusters": None, "la_num_background": None}
    loss = {"name": "la", "ir_steps": 0, **automatic}
    quick(tmp_path, loss=loss, train_steps=1)
    printed = capsys.readouterr().out
    assert all(f"--{name}=auto: 2 for 10" in printed for name in automatic)
    assert numbers_in(tmp_path)["cluster_centroids"].shape == (1, 2, 16)
    config, _ = RunDirectory(str(tmp_path)).load_config()
    assert (config.loss.la_num_clusters, config.loss.la_num_background) == (2, 2)


@pytest.mark.parametrize(
    ("num_videos", "wanted"),
    [(239_888, 8000), (120_000, 4002), (9537, 318), (480, 16), (60, 2), (2, 2)],
)
def test_auto_is_the_papers_number_of_clusters_for_as_many_videos(num_videos, wanted):
    assert local_aggregation.num_clusters_for(num_videos) == wanted


@pytest.mark.parametrize(
    ("num_videos", "wanted"), [(239_888, 512), (2560, 512), (480, 96), (12, 2), (2, 2)]
)
def test_auto_is_a_fifth_of_the_videos_as_background(num_videos, wanted):
    assert local_aggregation.num_background_for(num_videos) == wanted


def test_knn_is_validated_when_it_is_due(runs):
    events = events_in(runs / "whole")
    assert list(events["knn/top1"]) == [5, 10]
    # Four validation videos of two classes: top-5 is always right.
    assert all(
        value in (0, 0.25, 0.5, 0.75, 1) for value in events["knn/top1"].values()
    )
    assert set(events["knn/top5"].values()) == {1.0}


def test_the_rows_of_all_videos_are_on_the_sphere_after_an_epoch(runs):
    bank = numbers_in(runs / "whole")["bank/rows"]
    np.testing.assert_allclose(np.linalg.norm(bank, axis=1), 1, rtol=1e-5)


def test_a_run_that_was_killed_ends_with_the_same_bits(runs):
    whole, killed = numbers_in(runs / "whole"), numbers_in(runs / "killed")
    assert whole.keys() == killed.keys()
    assert len(whole) > 100  # weights, moving statistics, accumulators, bank, clusters
    for name, wanted in whole.items():
        np.testing.assert_array_equal(killed[name], wanted, err_msg=name)


def test_a_run_that_was_killed_takes_only_the_steps_that_are_missing(runs):
    whole, killed = events_in(runs / "whole"), events_in(runs / "killed")
    assert list(killed["train/loss"]) == [9, 10]
    for step, loss in killed["train/loss"].items():
        assert loss == whole["train/loss"][step]
    assert list(killed["clusters/objective"]) == [9]  # three steps after the last


@pytest.mark.usefixtures("quick")
def test_videos_without_labels_train_without_validation(tmp_path):
    write_data_set(tmp_path / "data", num_classes=0)
    training.train(run_config(tmp_path / "data", tmp_path / "run", log_steps=1))
    events = events_in(tmp_path / "run")
    assert list(events["train/loss"]) == [1, 2]
    assert "knn/top1" not in events


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"la_num_clusters": 11}, "--la_num_clusters=11 is more than the 10 training"),
        ({"la_num_background": 11}, "--la_num_background=11 is more than the 10"),
    ],
)
def test_la_settings_beyond_the_number_of_videos_are_refused_at_once(
    data_dir, tmp_path, settings, message
):
    config = run_config(data_dir, tmp_path / "run", loss={"name": "la", **settings})
    with pytest.raises(ValueError, match=message):
        training.train(config)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("num_videos", [0, 1])
def test_a_data_set_with_nothing_to_tell_apart_is_refused(tmp_path, num_videos):
    write_data_set(tmp_path / "data", num_train=num_videos)
    with pytest.raises(ValueError, match=f"{num_videos} training video.*at least 2"):
        training.train(run_config(tmp_path / "data", tmp_path / "run"))
