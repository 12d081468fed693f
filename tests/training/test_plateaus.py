"""A plateau of the validations divides the rate of a run."""

import numpy as np
import pytest
from record_fixtures import write_data_set
from run_contents import events_in, leave_what_a_kill_leaves, numbers_in
from run_fixtures import (
    grid_state,
    run_config,
)

from vie_tf.metrics.validation import KnnValidation, Scores
from vie_tf.runs.schedules import Plateau
from vie_tf.training import loop
from vie_tf.training import train as training

NUM_VIDEOS = 10
PLATEAU = {"lr_schedule": "plateau", "plateau_patience": 2, "plateau_max_drops": 2}


def test_a_plateau_divides_the_rate_and_outlives_a_kill(
    quick, tmp_path, monkeypatch, capsys
):
    scores = Scores({"": {"top1": 0.5, "top5": 1.0}}, 4)
    monkeypatch.setattr(KnnValidation, "__call__", lambda _: scores)
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
    loop.watch_plateau(state, config.train, step, 0.5)
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
        training.train(config)
    assert not (tmp_path / "run").exists()
