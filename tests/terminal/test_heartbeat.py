import sys
import time

import pytest

from vie_tf.terminal import command_line, heartbeat
from vie_tf.terminal.heartbeat import Heartbeat, doing


@pytest.fixture(name="quick")
def fixture_quick(monkeypatch):
    """Heartbeats of commands that come after a twentieth of a second."""
    monkeypatch.setattr(heartbeat, "SILENCE_SECS", 0.05)
    monkeypatch.setattr(heartbeat, "SECS_BETWEEN_LOOKS", 0.01)


def test_a_silent_command_says_what_it_is_doing(quick, capsys):
    def work():
        doing("counting sheep")
        time.sleep(0.3)

    assert command_line.exit_code_of(work) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith("Still counting sheep, after 0") for line in lines)


def test_a_command_that_prints_is_left_alone(quick):
    said = []
    with Heartbeat(time.monotonic, said.append).beating():  # just now, always
        doing("counting sheep")
        time.sleep(0.2)
    assert said == []


def test_work_that_reports_by_itself_is_left_alone(quick, capsys):
    def work():
        doing("counting sheep")
        doing("")
        time.sleep(0.2)

    assert command_line.exit_code_of(work) == 0
    assert capsys.readouterr().out == ""


def test_lines_come_at_least_every_half_minute():
    assert heartbeat.SILENCE_SECS + 2 * heartbeat.SECS_BETWEEN_LOOKS <= 30


def test_a_line_does_not_follow_a_bar_on_its_line(quick, capsys):
    def work():
        doing("counting sheep")
        print("\rbar 10%", end="", file=sys.stderr)
        time.sleep(0.1)

    assert command_line.exit_code_of(work) == 0
    printed = capsys.readouterr()
    assert printed.err == "\rbar 10%\n"
    assert printed.out.startswith("Still counting")
