"""Runs tasks as an Apache Beam pipeline, which may use many machines.

Function and tasks are the same as for `worker_pool`, but Beam returns no results: tasks
write them.  Beam is optional, so it is imported when a pipeline starts.
"""

from __future__ import annotations

import functools
import logging
import os
import pickle
import uuid
from types import ModuleType
from typing import Any, Callable, Sequence

from data_prep.workers.worker_pool import Report
from vie_tf.storage import files
from vie_tf.storage.errors import UserError

COUNTERS = "vie_tf"  # their namespace in the runner

# The local runner in Python; the DirectRunner would first try to download a program.
_DEFAULT_RUNNER = "--runner=FnApiRunner"


def check_installed() -> None:
    """Raises UserError, with the command to install it, if there is no Beam."""
    _beam()


def run_tasks(
    function: Callable[[Any, Report], Any],
    tasks: Sequence[Any],
    *,
    options: Sequence[str],
    shared_dir: str,
) -> None:
    """Calls `function(task, report)` for all tasks; returns when all are done.

    Reports are counted by state, in counters that the runner shows.

    Args:
      function: importable function; its result is dropped.
      tasks: tasks that can be pickled.  Workers read them from a file, since some
        runners refuse pipelines of several megabytes.
      options: options of the pipeline and its runner, each as on Beam's own command
        lines (`--runner=FlinkRunner`); see `_DEFAULT_RUNNER`.
      shared_dir: folder of that file, which all workers can read.

    Raises:
      UserError: an option is wrong, or the pipeline has failed.
    """
    beam = _beam()
    path = os.path.join(shared_dir, f"beam-{uuid.uuid4().hex}.pickle")
    files.write_atomically(path, pickle.dumps(list(tasks)))
    logging.getLogger(beam.__name__).setLevel(logging.WARNING)
    do_task = functools.partial(_do_task, function=function, path=path)
    # The later one of two runners counts.
    words = [_DEFAULT_RUNNER, *options]
    try:
        pipeline = beam.Pipeline(
            options=beam.options.pipeline_options.PipelineOptions(words)
        )
    except ValueError as error:  # an unknown runner, or what it does not allow
        files.remove(path)
        raise UserError(f"--beam_option={' '.join(options)}: {error}") from error
    (
        pipeline
        | "Tasks" >> beam.Create(range(len(tasks)))
        # Without it, a runner may give all tasks to one worker.
        | "Spread" >> beam.Reshuffle()
        | "Do" >> beam.Map(do_task)
    )
    try:
        state = pipeline.run().wait_until_finish()
    except RuntimeError as error:
        # The text is a stack trace of the worker, whose last line says what happened.
        reason = str(error).strip().splitlines()[-1]
        raise UserError(f"The Beam pipeline has failed: {reason}") from error
    finally:
        files.remove(path)
    if state != beam.runners.runner.PipelineState.DONE:
        raise UserError(f"The Beam pipeline has ended as {state}.")


def _do_task(number: int, *, function: Callable[[Any, Report], Any], path: str) -> None:
    counter = _beam().metrics.Metrics.counter

    def report(item: str, state: str) -> None:
        counter(COUNTERS, state).inc()

    function(_tasks_in(path)[number], report)


@functools.lru_cache(maxsize=1)  # Read once by every worker process.
def _tasks_in(path: str) -> list[Any]:
    return pickle.loads(files.read_bytes(path))


def _beam() -> ModuleType:
    try:
        import apache_beam
    except ImportError:
        raise UserError(
            "--runner=beam needs Apache Beam, which is not installed. On Python 3.10"
            " and later: pip install -c constraints.txt -e '.[beam]'"
        ) from None
    return apache_beam
