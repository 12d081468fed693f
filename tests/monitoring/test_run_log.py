import time

import numpy as np
import pytest
from run_contents import events_in
from run_fixtures import grid_state, run_config

from vie_tf.monitoring import run_log
from vie_tf.monitoring.run_log import RunLog
from vie_tf.monitoring.stopwatch import Interval, StepClock
from vie_tf.monitoring.tensorboard import Summaries

NUM_VIDEOS = 10  # an epoch has three steps
SCALARS = {
    "loss": 3.0,
    "learning_rate": 0.1,
    "similarity_to_own_row": 0.5,
    "similarity_between_videos": 0.1,
}


@pytest.fixture(name="state")
def fixture_state():
    return grid_state(np.zeros(NUM_VIDEOS))


@pytest.fixture(name="log")
def fixture_log(tmp_path, state):
    config = run_config("data", loss={"name": "la"})
    return RunLog(
        state,
        Summaries(str(tmp_path)),
        group="train",
        train_steps=99,
        log_steps=1,
        settled_at=3,
        loss=config.loss,
    )


def test_an_interval_has_the_steps_since_the_last_one(monkeypatch):
    times = iter([0.0, 4.0, 4.0, 100.0, 102.0, 102.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    clock = StepClock()
    for seconds in (1.0, 2.0):
        clock.waited(seconds)
    assert clock.interval() == Interval(steps=2, seconds=4.0, waited=3.0)
    clock.reset()  # after a validation
    clock.waited(0.5)
    interval = clock.interval()
    assert (interval.steps_per_second, interval.wait_share) == (0.5, 0.25)


def intervals(monkeypatch, waits):
    """The log sees intervals of ten seconds, of which some are waited."""
    given = iter(Interval(5, 10.0, waited) for waited in waits)
    monkeypatch.setattr(run_log.StepClock, "interval", lambda _: next(given))


@pytest.mark.parametrize(
    ("waits", "told_at"),
    [
        ([9, 9, 9], None),  # the first does not count, and two are too few
        ([9, 9, 9, 9], 4),
        ([0, 9, 1, 1, 9], None),  # one slow moment in three
        ([9, 4, 4, 4, 6, 9], 6),
    ],
)
def test_input_that_keeps_the_network_waiting_raises_an_alarm(
    log, tmp_path, monkeypatch, capsys, waits, told_at
):
    intervals(monkeypatch, waits)
    for step in range(1, len(waits) + 1):
        log.step(step, "IR", SCALARS)
    events = events_in(tmp_path)
    wanted = {step: pytest.approx(w / 10) for step, w in enumerate(waits, start=1)}
    assert events["input/wait_share"] == wanted
    assert list(events["alarms/input_bound"]) == ([told_at] if told_at else [])
    assert ("ALARM at step" in capsys.readouterr().out) == bool(told_at)


def test_a_batch_of_one_video_is_told_of_without_others_and_without_alarm(log, capsys):
    alone = {**SCALARS}
    del alone["similarity_between_videos"]
    log.step(50, "IR", alone)
    told = capsys.readouterr().out
    assert "similarity to own row 0.50  rate" in told
    assert "ALARM" not in told


@pytest.mark.parametrize(
    ("reference", "top1", "is_told"),
    [(0.6, 0.4, True), (0.6, 0.58, False), (None, 0.0, False)],
)
def test_a_validation_below_its_reference_raises_an_alarm(
    log, tmp_path, reference, top1, is_told
):
    scores = {"": {"top1": top1, "top5": 1.0}}
    log.validation(5, "knn", scores, 2, num_queries=500, reference=reference)
    events = events_in(tmp_path)
    assert events["knn/top1"] == {5: pytest.approx(top1)}
    assert ("alarms/knn_below_ir" in events) == is_told


@pytest.mark.parametrize(
    ("accuracy", "at", "wanted"),
    [(0.6, 9, 0.6), (0.6, 3, None), (-1.0, 9, None)],  # IR, or nothing is known of it
)
def test_what_ir_had_is_the_reference_of_la(accuracy, at, wanted):
    state = grid_state(np.zeros(NUM_VIDEOS), ir_steps=5)
    state.objective.first.accuracy.assign(accuracy)
    assert state.objective.at(at).reference_accuracy() == wanted


def test_a_loss_that_leaves_its_range_raises_an_alarm_before_an_epoch_is_over(
    log, tmp_path
):
    log.step(1, "IR", SCALARS)
    log.step(2, "IR", {**SCALARS, "loss": 6e19})
    assert list(events_in(tmp_path)["alarms/loss_out_of_range"]) == [2]


@pytest.mark.parametrize(
    ("gallery", "words"),
    [("bank", "against the memory bank"), ("features", "against embeddings")],
)
def test_a_knn_validation_says_what_it_compares_with(
    log, tmp_path, capsys, gallery, words
):
    scores = {"": {"top1": 0.5, "top5": 1.0}}
    log.validation(5, "knn", scores, 2, num_queries=500, gallery=gallery)
    assert words in capsys.readouterr().out
    wanted = {5: float(gallery == "features")}
    assert events_in(tmp_path)["knn/gallery_is_features"] == wanted
