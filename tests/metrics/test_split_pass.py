"""What is told of a pass over a split."""

import re
import time

import pytest
import tensorflow as tf

from vie_tf.metrics import split_pass
from vie_tf.metrics.split_pass import describe_limit, watched
from vie_tf.monitoring.stopwatch import Interval


def batches_of(seconds=0.0):
    """Three batches of two videos with four clips each, which come after a while."""
    for first in (0, 2, 4):
        time.sleep(seconds)
        rows = tf.constant([first, first + 1], tf.int64)
        yield {"clips": tf.zeros([2, 4, 1, 8, 8, 3], tf.uint8), "rows": rows}


@pytest.mark.parametrize(
    ("waited", "words"),
    [
        (8.68, "62% of it waiting for input: the input is the limit."),
        (1.4, "10% of it waiting for input: the network is the limit."),
    ],
)
def test_what_limited_a_pass_is_said_in_one_line(waited, words):
    interval = Interval(steps=10, seconds=14.0, waited=waited)
    assert describe_limit(1200, interval) == f"1,200 clips in 14 s, {words}"


@pytest.mark.parametrize("limit", ["input", "network"])
def test_waiting_and_the_work_on_a_batch_are_told_apart(limit, monkeypatch, capsys):
    monkeypatch.setattr(split_pass, "_SHORT_SECONDS", 0.0)
    input_seconds, network_seconds = (0.1, 0.0) if limit == "input" else (0.0, 0.1)
    rows = []
    for batch in watched(batches_of(input_seconds), 6, "embedding val"):
        time.sleep(network_seconds)
        rows += batch["rows"].numpy().tolist()
    assert rows == list(range(6))
    line = rf"embedding val: 24 clips in \d+ s, \d+% .*: the {limit} is the limit\.\n"
    assert re.fullmatch(line, capsys.readouterr().out)


@pytest.mark.parametrize("title", ["embedding val", ""])
def test_nothing_is_said_of_a_short_pass_or_one_without_a_title(title, capsys):
    assert len(list(watched(batches_of(), 6, title))) == 3
    assert capsys.readouterr().out == ""
