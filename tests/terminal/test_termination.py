"""SIGTERM ends a command, wherever it comes."""

import os
import signal
import sys
import time

import pytest

from vie_tf.terminal import termination
from vie_tf.terminal.termination import Terminated


class SendsWhenDeleted:
    """Gets a SIGTERM within `__del__`, where Python drops exceptions."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.001)


def sleep():
    for _ in range(2000):
        time.sleep(0.005)


def test_a_signal_raises_terminated_and_the_next_one_is_ignored():
    with termination.handled(termination.interrupt):
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
            sleep()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)


def test_a_signal_whose_exception_python_drops_is_sent_again():
    before = sys.unraisablehook, signal.getsignal(signal.SIGTERM)
    with termination.handled(termination.interrupt), pytest.raises(Terminated):
        sender = SendsWhenDeleted()
        del sender
        sleep()
    assert (sys.unraisablehook, signal.getsignal(signal.SIGTERM)) == before


def test_other_exceptions_that_python_drops_are_shown_as_before(monkeypatch):
    class Fails:
        def __del__(self):
            raise ValueError("in __del__")

    shown = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: shown.append(it.exc_type))
    with termination.handled(termination.interrupt):
        failing = Fails()
        del failing
    assert shown == [ValueError]
