import pytest

from vie_tf.monitoring import console
from vie_tf.monitoring.stopwatch import Interval

HOUR, DAY = 3600, 24 * 3600
# Ten steps in four seconds, one of which was waited.
INTERVAL = Interval(10, 4.0, 1.0)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0.0, "0:00 min"),
        (200.9, "3:20 min"),
        (HOUR - 1, "59:59 min"),
        (HOUR, "1 h 0 min"),
        (5 * HOUR + 12 * 60 + 59, "5 h 12 min"),
        (DAY - 1, "23 h 59 min"),
        (DAY, "1 d 0 h"),
        (11 * DAY + 2 * HOUR + 1800, "11 d 2 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds, wanted):
    assert console.duration(seconds) == wanted


def test_a_step_of_weeks_of_training_tells_the_days_that_are_left():
    values = {"loss": 3.0, "learning_rate": 0.03, "similarity_to_own_row": 0.5}
    line = console.step_line(1, "IR", values, INTERVAL, 1_600_001, 0.6)
    assert line.startswith("step 1/1600001  IR loss 3.000  similarity to own row 0.50")
    assert line.endswith("2.50 steps/s  waiting for input 25%  left 11 d 2 h")


def test_a_step_on_labels_tells_the_hours_that_are_left():
    values = {"loss": 3.0, "learning_rate": 0.03, "conv5_accuracy": 0.25}
    line = console.step_line(100, "", values, INTERVAL, 18_820, 1.0)
    assert "accuracy conv5 0.25" in line
    assert line.endswith("left 5 h 12 min")
