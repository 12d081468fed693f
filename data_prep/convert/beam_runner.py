"""Tasks over an Apache Beam pipeline, which may run on many machines.

Comes in: the same function and tasks as for `worker_pool`.  Goes out: nothing but
what the tasks write, as no Beam runner brings results back to where it was started
from.  Beam is an extra: it is imported when a pipeline is asked for.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import uuid
from types import ModuleType
from typing import Any, Callable, Sequence

import tensorflow as tf

from data_prep.convert import storage
from data_prep.workers.worker_pool import Report
from vie_tf.storage import remote_files
from vie_tf.storage.files import file_errors

COUNTERS = "vie_tf"  # the namespace in which a runner shows them

# The local runner that is written in Python; the DirectRunner would first try to
# download a program.
_DEFAULT_RUNNER = "--runner=FnApiRunner"


def check_installed() -> None:
    """Raises ValueError, with the command that mends it, if there is no Beam."""
    _beam()


def run_tasks(
    function: Callable[[str, Report], Any],
    tasks: Sequence[str],
    *,
    options: Sequence[str],
    data_dir: str,
) -> None:
    """Calls `function(task, report)` for all tasks; returns when all are done.

    What a task reports is counted, by state, in counters that the runner shows.

    Args:
      function: importable on the workers; what it returns is dropped.
      tasks: texts of any size and number: they go to the workers through a file, as
        pipelines of more than some megabytes are refused by some runners.
      options: of the pipeline and its runner, each as on Beam's own command lines
        (`--runner=FlinkRunner`); see `_DEFAULT_RUNNER`.
      data_dir: folder of the data set; the workers must be able to read and write it.

    Raises:
      ChildProcessError: the pipeline has failed.
    """
    beam = _beam()
    if not remote_files.is_remote(data_dir):
        storage.scratch_dir(data_dir)  # Makes the folder.
    path = os.path.join(data_dir, storage.STATE_DIR, f"beam-{uuid.uuid4().hex}.json")
    with file_errors(path), tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(list(tasks)))
    logging.getLogger(beam.__name__).setLevel(logging.WARNING)
    do_task = functools.partial(_do_task, function=function, path=path)
    # Of two runners, the later one holds.
    words = [_DEFAULT_RUNNER, *options]
    pipeline = beam.Pipeline(
        options=beam.options.pipeline_options.PipelineOptions(words)
    )
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
        # The text is a stack trace of the worker; its last line says what happened.
        reason = str(error).strip().splitlines()[-1]
        raise ChildProcessError(f"The Beam pipeline has failed: {reason}") from error
    finally:
        storage.remove(path)
    if state != beam.runners.runner.PipelineState.DONE:
        raise ChildProcessError(f"The Beam pipeline has ended as {state}.")


def _do_task(number: int, *, function: Callable[[str, Report], Any], path: str) -> None:
    counter = _beam().metrics.Metrics.counter

    def report(item: str, state: str) -> None:
        del item
        counter(COUNTERS, state).inc()

    function(_tasks_in(path)[number], report)


@functools.lru_cache(maxsize=1)  # Read once by every worker process.
def _tasks_in(path: str) -> list[str]:
    remote_files.connect(path)
    return json.loads(storage.read_text(path))


def _beam() -> ModuleType:
    try:
        import apache_beam
    except ImportError:
        raise ValueError(
            "--runner=beam needs Apache Beam, which is not installed. On Python 3.10 or"
            " 3.11: pip install -c constraints.txt -e '.[beam]'"
        ) from None
    return apache_beam
