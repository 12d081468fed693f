"""The process that answers queries, and what it survives."""

import contextlib
import os
import threading
import time

import pytest
from query_loads import load

from vie_tf.serve.query_worker import QueryRefused, QueryWorker
from vie_tf.storage.errors import UserError

pytestmark = pytest.mark.process


@contextlib.contextmanager
def started(*arguments, max_secs=60.0):
    with contextlib.closing(QueryWorker(load, arguments, max_secs)) as worker:
        yield worker


@pytest.fixture(name="ask")
def fixture_ask(tmp_path):
    """Asks a worker about a file with some content."""

    def ask(worker, content):
        path = tmp_path / f"{time.monotonic_ns()}"
        path.write_bytes(content)
        return worker.answer(str(path))

    return ask


def has_ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_all_queries_are_answered_by_what_was_loaded_once(tmp_path, ask):
    log = tmp_path / "log"
    with started("hello", str(log)) as worker:
        worker.wait_until_ready()
        for length in (1, 2, 3):
            content = {"greeting": "hello", "length": length}
            assert ask(worker, b"x" * length) == content
        (pid,) = map(int, log.read_text().split())
    assert has_ended(pid)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"crash", "SIGABRT"), (b"hang", "more than 1 seconds")]
)
def test_a_decoder_that_crashes_or_hangs_costs_its_own_query(
    content, reason, tmp_path, ask
):
    log = tmp_path / "log"
    with started("hello", str(log), max_secs=1) as worker:
        with pytest.raises(QueryRefused, match=reason):
            ask(worker, content)
        assert ask(worker, b"xy")["length"] == 2
        first, second = map(int, log.read_text().split())
        assert has_ended(first) and not has_ended(second)


def test_a_reason_for_the_visitor_is_told_and_folders_are_not(ask, capfd):
    with started("hello") as worker:
        with pytest.raises(QueryRefused, match="it is not a video"):
            ask(worker, b"refuse")
        with pytest.raises(QueryRefused) as refused:
            ask(worker, b"private")
    assert "secret" not in str(refused.value)
    assert "/secret/folder is full" in capfd.readouterr().err


def test_a_process_that_cannot_start_says_why(ask):
    with started("no index") as worker:
        with pytest.raises(UserError, match="There is no index"):
            worker.wait_until_ready()
        with pytest.raises(UserError, match="There is no index"):  # and tries again
            ask(worker, b"x")
    with started("broken") as worker, pytest.raises(UserError, match="exit code 1"):
        worker.wait_until_ready()


def test_queries_of_several_threads_are_answered_one_by_one(ask):
    with started("hello") as worker:
        worker.wait_until_ready()
        ends = []

        def ask_slowly():
            ask(worker, b"slow")
            ends.append(time.monotonic())

        threads = [threading.Thread(target=ask_slowly) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ends) == 3 and ends[2] - ends[0] >= 1.9


def test_no_query_starts_a_process_after_the_end(tmp_path, ask):
    log = tmp_path / "log"
    with started("hello", str(log)) as worker:
        worker.wait_until_ready()
        thread = threading.Thread(
            target=lambda: pytest.raises(QueryRefused, ask, worker, b"hang")
        )
        thread.start()
        time.sleep(0.3)
    thread.join(10)
    assert not thread.is_alive()
    assert len(log.read_text().split()) == 1
