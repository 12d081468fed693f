import contextlib
import dataclasses
import itertools
import json
import pathlib
import resource
import shutil

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_contents import events_in, numbers_in
from run_fixtures import (
    BATCH_SIZE,
    GridEmbedder,
    grid_state,
    random_clips,
    run_config,
    unit_rows,
)

from vie_tf import (
    clustering,
    health,
    losses,
    plateau_watch,
    run_setup,
    step_errors,
    train_loop,
    train_step,
)
from vie_tf.checkpoints import RunDirectory
from vie_tf.evaluation.validation import KnnValidation
from vie_tf.schedules import Plateau

NUM_VIDEOS = 10  # so an epoch has three steps of BATCH_SIZE
ROWS = np.array([3, 7, 0, 9])
NOISE_ROWS = np.array([[1, 2, 3], [0, 0, 5], [9, 8, 7], [4, 6, 2]])
CLUSTERS = np.array([[0, 0, 0, 1, 1, 1, 2, 2, 2, 1], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]])
RATE, DECAY, TEMPERATURE = 0.1, 0.01, 0.07


# ------------------------------------------------ one step against its slow twin


def slow_ir(embeddings, bank):
    """Loops over videos and their negatives."""
    partition, density = losses.IMAGENET_NORMALIZER * NUM_VIDEOS, 3 / NUM_VIDEOS
    values = []
    for embedding, row, noise_rows in zip(embeddings, ROWS, NOISE_ROWS):
        own = tf.exp(tf.tensordot(embedding, bank[row], 1) / TEMPERATURE) / partition
        value = -tf.math.log(own / (own + density + 1e-7))
        for noise_row in noise_rows:
            other = tf.tensordot(embedding, bank[noise_row], 1) / TEMPERATURE
            noise = tf.exp(other) / partition
            value -= tf.math.log(density / (noise + density + 1e-7))
        values.append(value)
    return tf.add_n(values) / BATCH_SIZE


def slow_la(embeddings, bank):
    """Loops over videos and their five background neighbours."""
    values = []
    for embedding, row in zip(embeddings, ROWS):
        nearest = np.argsort(-(bank @ embedding.numpy()))[:5]
        close, background = 0.0, 0.0
        for other in nearest:
            density = tf.exp(tf.tensordot(embedding, bank[other], 1) / TEMPERATURE)
            background += density
            if np.any(CLUSTERS[:, other] == CLUSTERS[:, row]):
                close += density
        values.append(-tf.math.log(close / background + 1e-7))
    return tf.add_n(values) / BATCH_SIZE


TWINS = {"ir": slow_ir, "la": slow_la}


class Step:
    """One step of `GridEmbedder`, and what its slow twin says it should do."""

    def __init__(self, loss):
        config = run_config(
            "data", loss={"weight_decay": DECAY}, learning_rate=RATE, momentum=0.9
        )
        strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
        with strategy.scope():
            state = grid_state(np.zeros(NUM_VIDEOS), num_clusterings=2)
        self.old_bank = unit_rows(NUM_VIDEOS)
        state.bank.rows.assign(self.old_bank)
        state.cluster_labels.assign(CLUSTERS)
        clips, weights = random_clips(), state.model.trainable_variables
        with tf.GradientTape() as tape:
            embeddings = state.model(clips)["embedding"]
            decay = DECAY * sum(tf.reduce_sum(weight**2) / 2 for weight in weights)
            total = TWINS[loss](embeddings, self.old_bank) + decay
        gradients = tape.gradient(total, weights)
        self.embeddings, self.wanted_loss = embeddings.numpy(), float(total)
        self.wanted_weights = [
            (w - RATE * g).numpy() for w, g in zip(weights, gradients)
        ]
        step = train_step.make_train_step(config, state, strategy, loss)
        batch = {"clips": tf.constant(clips), "rows": tf.constant(ROWS)}
        self.scalars = {name: float(value) for name, value in step(batch).items()}
        self.state = state


@pytest.fixture(name="step", scope="module", params=["ir", "la"])
def fixture_step(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_step, "draw_negatives", lambda *_: tf.constant(NOISE_ROWS))
        return Step(request.param)


def test_the_loss_equals_its_slow_twin_on_the_old_rows(step):
    assert step.scalars["loss"] == pytest.approx(step.wanted_loss, rel=1e-5)


def test_the_weights_move_against_the_gradient_of_the_slow_twin(step):
    for actual, wanted in zip(step.state.model.variables, step.wanted_weights):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-6)


def test_the_new_rows_lie_between_the_old_ones_and_the_embeddings(step):
    wanted = step.old_bank.copy()
    wanted[ROWS] = 0.5 * wanted[ROWS] + 0.5 * step.embeddings
    wanted[ROWS] /= np.linalg.norm(wanted[ROWS], axis=1, keepdims=True)
    np.testing.assert_allclose(step.state.bank.rows, wanted, rtol=1e-5, atol=1e-6)


def test_similarities_are_those_of_the_old_rows(step):
    own = np.sum(step.embeddings * step.old_bank[ROWS], axis=1).mean()
    between = (step.embeddings @ step.embeddings.T).mean()
    assert step.scalars["similarity_to_own_row"] == pytest.approx(own, rel=1e-4)
    assert step.scalars["similarity_between_videos"] == pytest.approx(between, rel=1e-4)


def test_a_step_counts_itself(step):
    assert step.state.steps_taken() == 1
    assert step.scalars["learning_rate"] == pytest.approx(RATE)


def test_the_weights_outlive_a_loss_that_is_not_finite():
    state = grid_state(np.zeros(NUM_VIDEOS))
    state.bank.rows.assign(np.full([NUM_VIDEOS, 16], np.nan, np.float32))
    kernel = state.model.dense.kernel.numpy()
    step = train_step.make_train_step(
        run_config("data"), state, tf.distribute.get_strategy(), "ir"
    )
    batch = {"clips": tf.constant(random_clips()), "rows": tf.constant(ROWS)}
    with pytest.raises(tf.errors.InvalidArgumentError, match="loss : Tensor had NaN"):
        step(batch)
    np.testing.assert_array_equal(state.model.dense.kernel, kernel)


def test_negatives_are_uniform_and_others_at_every_step():
    config = run_config("data", loss={"ir_num_negatives": 2000})
    state = grid_state(np.zeros(NUM_VIDEOS))
    first = train_step.draw_negatives(config, state).numpy()
    np.testing.assert_array_equal(first, train_step.draw_negatives(config, state))
    assert first.shape == (BATCH_SIZE, 2000)
    np.testing.assert_allclose(np.bincount(first.ravel()) / 8000, 0.1, atol=0.02)
    state.step.assign(1)
    assert np.mean(first == train_step.draw_negatives(config, state)) < 0.2


# ------------------------------- whole runs: 6 steps of IR, 4 of LA, on a ResNet-18


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    write_data_set(data_dir, num_train=NUM_VIDEOS)
    return data_dir


@pytest.fixture(name="runs", scope="module")
def fixture_runs(data_dir, tmp_path_factory):
    """Folders of a run of ten steps, and of one that was killed after eight."""
    folder = tmp_path_factory.mktemp("runs")

    def train(name):
        train_loop.train(
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


def leave_what_a_kill_leaves(run_dir, copy, step):
    """Copies a run as it was when the checkpoint of a step was the last."""
    shutil.copytree(
        run_dir, copy, ignore=shutil.ignore_patterns("step-10*", "tensorb*")
    )
    checkpoints = copy / "checkpoints"
    tf.compat.v1.train.update_checkpoint_state(
        str(checkpoints), str(checkpoints / f"step-{step}")
    )


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
    for name in ("sizes", "empty", "entropy", "effective_number", "iterations"):
        assert list(events[f"clusters/{name}"]) == [6, 9]
    # Clusters keep their numbers from one clustering to the next.
    assert list(events["clusters/changed_share"]) == [9]
    assert list(events["train/alignment"]) == list(range(1, 11))
    assert set(events["bank/uniformity"]) == {5, 10}
    # Ten videos in steps of four: all are written within three.
    assert events["bank/never_written_share"] == {5: 0.0, 10: 0.0}
    assert all(age <= 6 for age in events["bank/oldest_row"].values())


def test_every_name_in_tensorboard_is_explained(runs):
    names = set(events_in(runs / "whole"))
    names = {name for name in names if not name.startswith(("_", "alarms/"))}
    assert len(names) > 25
    page = (pathlib.Path(__file__).parents[1] / "docs/watching_a_run.md").read_text()
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


def test_a_run_that_has_no_la_keeps_no_centroids(quick, tmp_path):
    quick(tmp_path, train_steps=1)
    assert numbers_in(tmp_path)["cluster_centroids"].shape == (1, 0, 16)


def test_an_alarm_is_told_once_as_long_as_it_lasts(
    quick, tmp_path, monkeypatch, capsys
):
    # A single cluster makes all neighbours close.
    loss = {"name": "la", "ir_steps": 0, "la_num_clusters": 1}
    quick(tmp_path, loss=loss, train_steps=8)
    printed = capsys.readouterr().out
    assert printed.count("ALARM at step 4, all_close: 100.0% of the background") == 1
    assert printed.count("all_close") == 1
    assert list(events_in(tmp_path)["alarms/all_close"]) == [4]


def test_the_run_says_how_many_clusters_auto_takes(quick, tmp_path, capsys):
    loss = {"name": "la", "ir_steps": 0, "la_num_clusters": None}
    quick(tmp_path, loss=loss, train_steps=1)
    wanted = "--la_num_clusters=auto: 2 clusters for 10 training videos."
    assert wanted in capsys.readouterr().out
    assert numbers_in(tmp_path)["cluster_centroids"].shape == (1, 2, 16)
    config, _ = RunDirectory(str(tmp_path)).load_config()
    assert config.loss.la_num_clusters == 2


@pytest.mark.parametrize(
    ("num_videos", "wanted"),
    [(239_888, 8000), (120_000, 4002), (9537, 318), (480, 16), (60, 2), (2, 2)],
)
def test_auto_is_the_papers_number_of_clusters_for_as_many_videos(num_videos, wanted):
    assert run_setup.num_clusters_for(num_videos) == wanted


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


# ------------------------------------------- beginnings and ends, on a quick network


@pytest.fixture(name="quick")
def fixture_quick(monkeypatch, data_dir):
    """Trains `GridEmbedder` with given settings."""
    monkeypatch.setattr(
        train_loop, "build_model", lambda model, seed: GridEmbedder(seed=seed)
    )

    def train(model_dir, **settings):
        train_loop.train(run_config(data_dir, model_dir, log_steps=1, **settings))

    return train


def test_la_starts_from_the_weights_bank_and_step_of_another_run(quick, tmp_path):
    quick(tmp_path / "ir", train_steps=3)
    before = numbers_in(tmp_path / "ir")
    loss = {"name": "la", "ir_steps": 0, "la_num_clusterings": 2}
    origin = str(tmp_path / "ir")
    quick(
        tmp_path / "la", init_from=origin, loss=loss, train_steps=4, learning_rate=0.0
    )
    after, events = numbers_in(tmp_path / "la"), events_in(tmp_path / "la")
    np.testing.assert_array_equal(
        after["model/dense/kernel"], before["model/dense/kernel"]
    )
    changed = np.any(after["bank/rows"] != before["bank/rows"], axis=1)
    assert np.sum(changed) == BATCH_SIZE
    assert list(events["clusters/objective"]) == [3]
    assert list(events["train/loss"]) == [4]


def test_la_knows_after_a_restart_what_ir_had(quick, tmp_path, monkeypatch, capsys):
    accuracies = iter([0.2, 0.9, 0.4, 0.5])
    monkeypatch.setattr(
        KnnValidation, "__call__", lambda _: {"top1": next(accuracies), "top5": 1.0}
    )
    monkeypatch.setattr(health, "_STANDARD_ERRORS", 0.0)  # there are four queries
    loss = {"name": "la", "ir_steps": 2}
    quick(tmp_path, loss=loss, eval_steps=1, train_steps=2)
    assert numbers_in(tmp_path)["ir_accuracy"] == 0.9
    quick(tmp_path, loss=loss, eval_steps=1, train_steps=3)
    assert (
        "ALARM at step 3, knn_below_ir: kNN top-1 is 40.0%" in capsys.readouterr().out
    )
    assert numbers_in(tmp_path)["ir_accuracy"] == 0.9


PLATEAU = {"lr_schedule": "plateau", "plateau_patience": 2, "plateau_max_drops": 2}


def test_a_plateau_divides_the_rate_and_outlives_a_kill(
    quick, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(KnnValidation, "__call__", lambda _: {"top1": 0.5, "top5": 1.0})
    settings = {**PLATEAU, "eval_steps": 2, "checkpoint_steps": 4, "train_steps": 12}
    quick(tmp_path / "whole", **settings)
    # The first validation is a gain, those of steps 4 and 6 are none: the first drop.
    assert "step 6  rate divided by 10 (drop 1 of at most 2)" in capsys.readouterr().out
    wanted = dict(zip(range(1, 13), 6 * [0.01] + 4 * [0.001] + 2 * [0.0001]))
    rates = events_in(tmp_path / "whole")["train/learning_rate"]
    assert rates == pytest.approx(wanted, rel=1e-5)
    # Killed between the two validations that make the second drop.
    leave_what_a_kill_leaves(tmp_path / "whole", tmp_path / "killed", step=8)
    quick(tmp_path / "killed", **settings)
    goes_on = events_in(tmp_path / "killed")["train/learning_rate"]
    assert goes_on == {step: rates[step] for step in (9, 10, 11, 12)}
    whole, killed = numbers_in(tmp_path / "whole"), numbers_in(tmp_path / "killed")
    assert all(np.array_equal(killed[name], whole[name]) for name in whole)
    assert whole["num_drops"] == 2


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (10, Plateau(best=0.5)),
        (12, Plateau()),  # due as the last step, but no multiple of eval_steps
    ],
)
def test_which_validations_a_plateau_is_made_of(step, wanted):
    config = run_config("data", eval_steps=5, **PLATEAU)
    state = grid_state(np.zeros(NUM_VIDEOS))
    plateau_watch.watch(state, config.train, step, 0.5)
    assert state.plateau() == wanted


def test_validations_before_la_begins_make_no_plateau(quick, tmp_path):
    loss = {"name": "la", "ir_steps": 2}
    settings = {"loss": loss, "eval_steps": 1, **PLATEAU}
    quick(tmp_path, train_steps=2, **settings)
    assert numbers_in(tmp_path)["best_accuracy"] == Plateau.best
    quick(tmp_path, train_steps=3, **settings)
    assert numbers_in(tmp_path)["best_accuracy"] >= 0


def test_a_run_that_starts_from_another_has_plateaus_of_its_own(quick, tmp_path):
    quick(tmp_path / "first", eval_steps=1, train_steps=3, **PLATEAU)
    assert numbers_in(tmp_path / "first")["best_accuracy"] >= 0
    origin = str(tmp_path / "first")
    quick(tmp_path / "second", init_from=origin, train_steps=4, **PLATEAU)
    assert numbers_in(tmp_path / "second")["best_accuracy"] == Plateau.best


@pytest.mark.parametrize(
    ("num_classes", "eval_steps", "message"),
    [(2, 0, "--eval_steps=0 makes none"), (0, 5, "no videos with labels")],
)
def test_a_plateau_needs_validations(tmp_path, num_classes, eval_steps, message):
    write_data_set(tmp_path / "data", num_classes=num_classes)
    config = run_config(
        tmp_path / "data", tmp_path / "run", eval_steps=eval_steps, **PLATEAU
    )
    with pytest.raises(ValueError, match=message):
        train_loop.train(config)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_left_alone(quick, tmp_path, capsys):
    quick(tmp_path, train_steps=2)
    before = numbers_in(tmp_path)
    quick(tmp_path, train_steps=2)
    assert "Nothing to do: the run is at step 2" in capsys.readouterr().out
    for name, wanted in before.items():
        np.testing.assert_array_equal(numbers_in(tmp_path)[name], wanted)


def test_an_interrupted_run_leaves_a_checkpoint_of_its_last_step(
    quick, tmp_path, monkeypatch, capsys
):
    take_step, steps = train_loop.take_step, itertools.count(1)

    def interrupted(*arguments):
        if next(steps) == 3:
            raise KeyboardInterrupt
        return take_step(*arguments)

    monkeypatch.setattr(train_loop, "take_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path, train_steps=9)
    assert RunDirectory(str(tmp_path)).latest().endswith("step-2")
    assert "Stopped at step 2" in capsys.readouterr().out


def test_ctrl_c_while_the_first_graph_is_made_has_read_no_batch(
    quick, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    make = train_loop.make_train_step
    monkeypatch.setattr(train_loop, "make_train_step", lambda *_: interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path / "stopped", train_steps=2)
    assert numbers_in(tmp_path / "stopped")["position"] == 0
    monkeypatch.setattr(train_loop, "make_train_step", make)
    quick(tmp_path / "stopped", train_steps=2)
    quick(tmp_path / "whole", train_steps=2)
    for name, wanted in numbers_in(tmp_path / "whole").items():
        np.testing.assert_array_equal(numbers_in(tmp_path / "stopped")[name], wanted)


@contextlib.contextmanager
def largest_file(num_bytes):
    """No file of this process may grow beyond; the nearest thing to a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("method", ["save", "save_best"])
def test_a_full_disk_is_named_and_leaves_the_last_good_checkpoint(
    quick, tmp_path, monkeypatch, method
):
    quick(tmp_path, train_steps=2)
    write = getattr(RunDirectory, method)

    def on_a_full_disk(self, state, *arguments):
        with largest_file(1000):
            # Better than the best so far.
            return write(self, state, *(("knn/top1", 2.0) if arguments else ()))

    monkeypatch.setattr(RunDirectory, method, on_a_full_disk)
    with pytest.raises(OSError, match="File too large. Make room there") as caught:
        quick(tmp_path, train_steps=4)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(
        f"its last checkpoint, {tmp_path}/checkpoints/step-2."
    )
    assert not list(tmp_path.glob("checkpoints/**/*_temp"))


def test_no_space_left_is_said_in_one_line(quick, tmp_path, monkeypatch):
    def no_space(*_):
        text = f"{tmp_path}/step-1_temp/part; No space left on device [Op:SaveV2]"
        raise tf.errors.ResourceExhaustedError(None, None, text)

    monkeypatch.setattr(RunDirectory, "save", no_space)
    with pytest.raises(
        OSError, match="No space left on device. Make room.*the start.$"
    ):
        quick(tmp_path, train_steps=1)


def profiles_in(run_dir):
    """Sizes of the traces that a run has left."""
    paths = run_dir.glob("tensorboard/plugins/profile/*/*.xplane.pb")
    return [path.stat().st_size for path in paths]


def test_the_steps_that_are_asked_for_are_profiled(quick, tmp_path, capsys):
    quick(tmp_path / "run", train_steps=4, profile_steps=(2, 3))
    assert [size > 10_000 for size in profiles_in(tmp_path / "run")] == [True]
    assert "Wrote the profile of steps 2 to 3 to" in capsys.readouterr().out
    # It does not fix the run, which goes on behind the profile without another one.
    quick(tmp_path / "run", train_steps=5, profile_steps=(3, 5))
    assert len(profiles_in(tmp_path / "run")) == 1


def test_ctrl_c_within_a_profile_writes_what_there_is(quick, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(train_loop, "take_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path, train_steps=4, profile_steps=(1, 3))
    assert len(profiles_in(tmp_path)) == 1


def test_a_profile_behind_the_last_step_is_refused(quick, tmp_path):
    with pytest.raises(ValueError, match="--profile_steps=3,9 ends after the last"):
        quick(tmp_path / "run", train_steps=4, profile_steps=(3, 9))
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(quick, tmp_path):
    with pytest.raises(step_errors.TrainingDiverged, match="loss of step 2 is not a"):
        quick(tmp_path, train_steps=5, learning_rate=1e30)


@pytest.mark.usefixtures("quick")
def test_videos_without_labels_train_without_validation(tmp_path):
    write_data_set(tmp_path / "data", num_classes=0)
    train_loop.train(run_config(tmp_path / "data", tmp_path / "run", log_steps=1))
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
        train_loop.train(config)
    assert not (tmp_path / "run").exists()


def test_init_from_a_run_on_other_videos_is_refused(quick, tmp_path):
    quick(tmp_path / "origin", train_steps=1)
    write_data_set(tmp_path / "others", num_classes=3)
    settings = {"init_from": str(tmp_path / "origin"), "train_steps": 2}
    config = run_config(tmp_path / "others", tmp_path / "run", **settings)
    with pytest.raises(ValueError, match="was trained on other videos"):
        train_loop.train(config)
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.usefixtures("quick")
def test_a_run_goes_on_when_videos_were_appended_to_its_data(tmp_path, capsys):
    data_dir = str(tmp_path / "data")
    whole = write_data_set(data_dir, num_train=12, num_val=0, per_shard=5)
    first = dataclasses.replace(whole.prefix(10, 2), shards=whole.shards[:2])
    first.save(data_dir)
    train_loop.train(run_config(data_dir, tmp_path / "run", train_steps=2))
    before = numbers_in(tmp_path / "run")["bank/rows"]
    whole.save(data_dir)
    settings = {"train_steps": 3, "learning_rate": 0.0}
    train_loop.train(run_config(data_dir, tmp_path / "run", **settings))
    assert "2 rows of the memory bank are new" in capsys.readouterr().out
    after = numbers_in(tmp_path / "run")["bank/rows"]
    assert (len(before), len(after)) == (10, 12)
    changed = np.any(after[:10] != before, axis=1)
    assert BATCH_SIZE - 2 <= changed.sum() <= BATCH_SIZE  # by the third step


def test_a_missing_init_from_is_refused_and_leaves_no_run(quick, tmp_path):
    with pytest.raises(
        ValueError, match="--init_from=nowhere: there is no such folder"
    ):
        quick(tmp_path / "run", init_from="nowhere")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("num_videos", [0, 1])
def test_a_data_set_with_nothing_to_tell_apart_is_refused(tmp_path, num_videos):
    write_data_set(tmp_path / "data", num_train=num_videos)
    with pytest.raises(ValueError, match=f"{num_videos} training video.*at least 2"):
        train_loop.train(run_config(tmp_path / "data", tmp_path / "run"))
