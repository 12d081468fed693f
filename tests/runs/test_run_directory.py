import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import (
    DIM,
    GridEmbedder,
    grid_state,
    run_config,
    unit_rows,
    with_settings,
)

from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, VideoEntry

NUM_VIDEOS = 6
LABELS = np.arange(NUM_VIDEOS) % 2


def data_set(num_videos, name="video"):
    """The manifest of a data set that has no shards."""
    facts = {"split": "train", "shard": "", "frames": 9, "fps": 25.0}
    facts.update(height=32, width=32, bytes=1)
    videos = tuple(
        VideoEntry(id=i, label=i % 2, source=f"{name}_{i}.mp4", **facts)
        for i in range(num_videos)
    )
    return Manifest(("a", "b"), videos, shards=(), refused=(), settings={})


DATA = data_set(NUM_VIDEOS)


def accumulator(number, shape):
    return np.random.default_rng(90 + number).normal(size=shape)


def used_state(num_clusterings=2):
    """A state in which no variable has its starting value."""
    state = grid_state(LABELS, num_clusterings=num_clusterings, num_clusters=5)
    for number, variable in enumerate(state.model.variables):
        variable.assign(np.random.default_rng(number).normal(size=variable.shape))
    for number, variable in enumerate(state.optimizer.accumulators):
        variable.assign(accumulator(number, variable.shape))
    state.bank.rows.assign(unit_rows(NUM_VIDEOS))
    clusters = np.arange(num_clusterings * 6).reshape(-1, 6) % 5
    state.objective.cluster_labels.assign(clusters)
    centroids = np.random.default_rng(70).normal(size=(num_clusterings, 5, DIM))
    state.objective.cluster_centroids.assign(centroids)
    state.step.assign(12)
    state.objective.clustered_at.assign(9)
    state.objective.first.accuracy.assign(0.375)
    return state


def new_state():
    """A state that a checkpoint of `used_state` fits."""
    return grid_state(LABELS, seed=1, num_clusterings=2, num_clusters=5)


def numbers(state):
    return {
        "weights": [variable.numpy() for variable in state.model.variables],
        "accumulators": [v.numpy() for v in state.optimizer.accumulators],
        "bank": [state.bank.rows.numpy()],
        "clusters": [v.numpy() for v in state.objective.recomputed().values()],
        "steps": [state.step.numpy()],
        "watched": [state.objective.first.accuracy.numpy()],
    }


@pytest.fixture(name="run")
def fixture_run(tmp_path):
    return RunDirectory(str(tmp_path / "run"))


@pytest.fixture(name="config")
def fixture_config(tmp_path):
    return with_family_defaults(run_config("data", tmp_path / "run"))


def error_of(function, *arguments):
    """The message of the UserError, which has to be one line."""
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_restored_state_is_the_saved_one_bit_by_bit(run):
    saved, restored = used_state(), new_state()
    run.save(saved)
    run.checkpoint().restore(restored)
    for name, values in numbers(saved).items():
        assert len(values)
        for wanted, actual in zip(values, numbers(restored)[name]):
            np.testing.assert_array_equal(actual, wanted, err_msg=name)


def test_the_momentum_of_a_restored_optimizer_acts_on_the_next_step(run):
    saved, restored = used_state(), new_state()
    run.save(saved)
    run.checkpoint().restore(restored)
    before = saved.model.dense.kernel.numpy()
    for state in (saved, restored):
        state.optimizer.apply_gradients(
            [(tf.ones_like(v), v) for v in state.model.trainable_variables]
        )
    after = restored.model.dense.kernel.numpy()
    np.testing.assert_array_equal(after, saved.model.dense.kernel.numpy())
    wanted = before - 0.01 * (0.9 * accumulator(0, before.shape) + 1)
    np.testing.assert_allclose(after, wanted, rtol=1e-4, atol=1e-6)


def test_the_newest_checkpoints_are_kept_and_the_last_is_found(tmp_path):
    run, state = RunDirectory(str(tmp_path), num_to_keep=2), grid_state(LABELS)
    for step in (3, 6, 9):
        state.step.assign(step)
        run.save(state)
    kept = sorted(path.stem for path in (tmp_path / "checkpoints").glob("*.index"))
    assert kept == ["step-6", "step-9"]
    assert run.latest() == str(tmp_path / "checkpoints" / "step-9")


def test_the_best_checkpoint_outlives_the_newest_ones(tmp_path):
    run, state = RunDirectory(str(tmp_path), num_to_keep=1), grid_state(LABELS)
    for step, score in ((3, 0.4), (6, 0.8), (9, 0.7), (12, 0.8)):
        state.step.assign(step)
        run.save(state)
        assert run.checkpoints.save_best(state, "knn/top1", score) == (step in (3, 6))
    best = tmp_path / "checkpoints" / "best"
    assert [path.stem for path in best.glob("*.index")] == ["step-6"]
    facts = {"checkpoint": "step-6", "metric": "knn/top1", "score": 0.8}
    assert json.loads((best / "best.json").read_text()) == facts
    assert run.checkpoint("best").restore_model(GridEmbedder()) == 6
    assert run.checkpoint().restore_model(GridEmbedder()) == 12
    assert run.checkpoint("best").read_bank().shape == (NUM_VIDEOS, 16)


def test_a_run_that_was_never_scored_has_no_best_checkpoint(run):
    run.save(used_state())
    message = error_of(run.checkpoint, "best")
    assert "--checkpoint=latest" in message


def test_what_a_kill_left_of_a_checkpoint_is_removed(run, tmp_path):
    left = tmp_path / "run" / "checkpoints" / "step-4_temp"
    left.mkdir(parents=True)
    (left / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"half")
    run.save(used_state())
    assert not left.exists()


def test_a_checkpoint_is_not_written_over_itself(run, tmp_path):
    path = pathlib.Path(run.save(used_state()) + ".index")
    before = path.stat().st_ino
    again = RunDirectory(str(tmp_path / "run"))
    assert again.save(used_state()) == str(path.with_suffix(""))
    assert path.stat().st_ino == before


def test_a_worker_does_what_the_chief_decides_whatever_it_sees_itself(tmp_path, run):
    # A network file system may show it the folder as it was some moments ago.
    told, wrote = [], []

    class Counted(type(used_state())):
        def checkpoint(self, *arguments):
            wrote.append(self.steps_taken())
            return super().checkpoint(*arguments)

    def take_part(folder, decision):
        """Calls both methods of a worker that sees a folder."""
        worker = RunDirectory(
            str(folder), writes=False, of_chief=lambda own: told.append(own) or decision
        )
        state = used_state()
        state.__class__ = Counted
        path = worker.save(state)
        return path, worker.checkpoints.save_best(state, "knn/top1", 0.5)

    run.save(used_state())
    run.checkpoints.save_best(used_state(), "knn/top1", 0.5)
    for folder in (tmp_path / "run", tmp_path / "stale"):
        assert take_part(folder, 1)[0].endswith("checkpoints/step-12")
    assert wrote == [12, 12]  # save_best
    for folder in (tmp_path / "run", tmp_path / "stale"):
        assert take_part(folder, 0)[1] is False
    assert wrote == [12] * 4
    assert len(told) == 8
    assert not (tmp_path / "stale").exists()


def test_a_worker_that_takes_part_in_a_checkpoint_needs_no_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    decisions = iter([0, 1])  # not there already, but better
    worker = RunDirectory(
        str(tmp_path / "run"), writes=False, of_chief=lambda own: next(decisions)
    )
    worker.save(used_state())
    assert worker.checkpoints.save_best(used_state(), "knn/top1", 0.5)
    assert not list(tmp_path.iterdir())
    assert not tf.io.gfile.listdir("ram://checkpoint/")  # its memory is free again


def test_the_network_and_the_bank_can_be_read_alone(run):
    state, model = used_state(), GridEmbedder(seed=5)
    run.save(state)
    assert run.checkpoint().restore_model(model) == 12
    np.testing.assert_array_equal(model.dense.kernel, state.model.dense.kernel)
    np.testing.assert_array_equal(run.checkpoint().read_bank(), unit_rows(NUM_VIDEOS))


def test_a_bank_of_another_size_is_refused(run):
    run.save(used_state())
    message = error_of(
        run.checkpoint().restore, grid_state(np.zeros(9, int), num_clusterings=2)
    )
    assert "6 videos" in message and "9 training videos" in message
    assert "--data_dir" in message


def test_another_network_is_refused(run):
    run.save(used_state())
    other = grid_state(LABELS, dim=8, num_clusterings=2)
    assert "--model=grid" in error_of(run.checkpoint().restore, other)
    assert "--model=grid" in error_of(
        run.checkpoint().restore_model, GridEmbedder(dim=8)
    )


def test_a_refused_checkpoint_changes_nothing(run):
    run.save(used_state())
    other = grid_state(LABELS, dim=8, num_clusterings=2)
    before = other.model.dense.kernel.numpy()
    error_of(run.checkpoint().restore, other)
    np.testing.assert_array_equal(other.model.dense.kernel, before)
    assert other.steps_taken() == 0


def test_a_run_without_checkpoint_says_so(run):
    assert run.model_dir in error_of(run.checkpoint)
    assert run.latest() is None


def test_settings_survive_a_round_trip(run, config):
    config = with_settings(config, "train", lr_boundaries=(3, 5), init_from="other")
    run.save_config(config, DATA)
    assert run.load_config() == (config, DATA.fingerprint())


def test_a_folder_without_settings_is_no_run(run):
    assert "--model_dir" in error_of(run.load_config)


def test_settings_of_another_version_are_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model": {"name": "slow"}}))
    message = error_of(RunDirectory(str(tmp_path)).load_config)
    assert "Not the settings of a VIE-TF run" in message


def test_the_same_settings_on_the_same_data_go_on(run, config):
    run.check_continues(config, DATA)  # a new folder
    run.save_config(config, DATA)
    run.save(used_state())
    run.check_continues(config, DATA)


def test_settings_that_may_change_go_on(run, config):
    run.save_config(config, DATA)
    changed = with_settings(config, "train", train_steps=99, learning_rate=1.0)
    run.check_continues(with_settings(changed, "loss", ir_steps=3), DATA)


@pytest.mark.parametrize(
    ("group", "setting", "value", "message"),
    [
        ("model", "name", "single", "--model was 'slow', is now 'single'"),
        ("model", "num_frames", 4, "--num_frames was 2, is now 4"),
        ("loss", "name", "la", "--loss was 'ir', is now 'la'"),
        ("train", "batch_size", 8, "--batch_size was 4, is now 8"),
        ("train", "seed", 3, "--seed was 0, is now 3"),
    ],
)
def test_settings_that_cannot_change_are_named(
    run, config, group, setting, value, message
):
    run.save_config(config, DATA)
    changed = with_settings(config, group, **{setting: value})
    assert message in error_of(run.check_continues, changed, DATA)


def test_other_data_are_refused_once_there_is_a_checkpoint(run, config):
    run.save_config(config, DATA)
    run.check_continues(config, data_set(NUM_VIDEOS, "other"))
    run.save(used_state())
    message = error_of(run.check_continues, config, data_set(NUM_VIDEOS, "other"))
    assert "None" not in message
    assert "--data_dir" in message and "6 rows" in message


def test_videos_that_were_appended_get_rows_at_the_end_of_the_bank(run, config):
    run.save_config(config, DATA)
    run.save(used_state())
    grown = data_set(NUM_VIDEOS + 2)
    run.check_continues(config, grown)
    assert run.check_videos(config, grown)
    state = grid_state([*LABELS, 0, 1], seed=1)
    new_rows = state.bank.rows.numpy()[NUM_VIDEOS:]
    assert run.checkpoint().restore(state, bank_grows=True) == 2
    np.testing.assert_array_equal(state.bank.rows[:NUM_VIDEOS], unit_rows(NUM_VIDEOS))
    np.testing.assert_array_equal(state.bank.rows[NUM_VIDEOS:], new_rows)
    assert state.steps_taken() == used_state().steps_taken()
    assert state.objective.clustered_at.numpy() == -1


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_bank_of_16_bits_starts_from_the_rounded_rows_of_a_run(run, config, dtype):
    run.save_config(config, DATA)
    run.save(used_state())
    state = grid_state(LABELS, num_clusterings=2, num_clusters=5, bank_dtype=dtype)
    assert run.checkpoint().restore(state) == 0
    rounded = tf.cast(unit_rows(NUM_VIDEOS), dtype)
    np.testing.assert_array_equal(state.bank.rows, rounded)
    assert state.objective.clustered_at.numpy() == 9  # clusters stay


def test_a_kill_before_the_first_checkpoint_of_a_grown_bank_loses_nothing(run, config):
    run.save_config(config, DATA)
    run.save(used_state())
    grown = data_set(NUM_VIDEOS + 2)
    run.save_config(config, grown)  # and then the power fails
    assert run.check_videos(config, grown)
    assert run.checkpoint().restore(grid_state([*LABELS, 0, 1]), bank_grows=True) == 2


@pytest.mark.parametrize("instances", [{"subset_seed": 1}, {"bin_frames": 52}])
def test_a_bank_of_other_instances_of_the_same_videos_is_refused(
    run, config, instances
):
    # As with --init_from: the banks may be of one size, but not of the same videos.
    config = with_settings(config, "data", subset=0.5)
    run.save_config(config, DATA)
    run.save(used_state())
    other = with_settings(config, "data", **instances)
    ((name, value),) = instances.items()
    message = error_of(run.check_videos, other, DATA)
    assert f"--{name}=0" in message and f"--{name}={value}" in message


def test_a_subset_does_not_grow(run, config):
    config = with_settings(config, "data", subset=0.5)
    run.save_config(config, DATA)
    run.save(used_state())
    message = error_of(run.check_continues, config, data_set(NUM_VIDEOS + 2))
    assert "--subset=0.5" in message and "--model_dir" in message


def test_more_clusterings_can_start_from_a_run_that_has_one(run):
    # An IR run has one row of cluster labels, which are computed when LA begins.
    run.save(used_state(num_clusterings=1))
    state = grid_state(LABELS, seed=1, num_clusterings=3)
    run.checkpoint().restore(state)
    np.testing.assert_array_equal(state.bank.rows, unit_rows(NUM_VIDEOS))
    assert state.objective.cluster_labels.shape == (3, NUM_VIDEOS)
    assert state.objective.clustered_at.numpy() == -1


def test_a_run_whose_number_of_clusters_changes_clusters_from_random_rows(run):
    run.save(used_state())
    state = grid_state(LABELS, seed=1, num_clusterings=2, num_clusters=4)
    run.checkpoint().restore(state)
    np.testing.assert_array_equal(state.bank.rows, unit_rows(NUM_VIDEOS))
    assert state.objective.clustered_at.numpy() == -1


def test_a_checkpoint_without_a_part_of_the_state_is_refused(run, monkeypatch):
    saved = used_state()
    partial = saved.checkpoint(leave_out=["ir_accuracy"])
    monkeypatch.setattr(saved, "checkpoint", lambda: partial)
    run.save(saved)
    assert "ir_accuracy" in error_of(run.checkpoint().restore, new_state())
