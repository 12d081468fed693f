"""Protocols in words: phrases that several tasks share, so that they say the same.

Comes in: what is evaluated.  Goes out: parts of sentences, which `task_files` writes
into results, beside the numbers.
"""

from __future__ import annotations

from vie_tf.evaluation.restored_run import RestoredRun


def with_network(run: RestoredRun, protocol: str) -> str:
    """A protocol of a task, and of which network its numbers are.

    Args:
      run: what is evaluated.
      protocol: of the task.
    """
    return f"{protocol}; {run.streams.in_words}" if run.streams else protocol
