"""The checkpoints of a run: the newest ones, and the best.

`step-N.*` are the newest, of which the file `checkpoint` names the last; the best is
`best/step-N.*`, named by `best/best.json` together with its score.  A name is written
only after everything that it stands for, so a kill at any moment leaves the checkpoint
before.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from typing import Any, Iterator

import tensorflow as tf

from vie_tf.records import write_atomically
from vie_tf.train_state import TrainState

_BEST_NAME = "best.json"
_PREFIX = "step"


class CheckpointFolder:
    """Writes and finds checkpoints.

    Args:
      folder: made when something is saved.
      num_to_keep: newest checkpoints that are kept; the best is kept beside them.
      writes: whether this process is the one of a run that writes.  What several
        workers hold apart is averaged while a checkpoint is written, so the others
        have to call the same methods at the same steps.
    """

    def __init__(self, folder: str, num_to_keep: int, writes: bool = True) -> None:
        self._folder = folder
        self._best_folder = os.path.join(folder, "best")
        self._num_to_keep = num_to_keep
        self._writes = writes
        self._manager: tf.train.CheckpointManager | None = None

    def save(self, state: TrainState) -> str:
        """Writes a checkpoint, unless the last is of this step, and returns its path.

        The state of a step is the same each time, and a kill while a checkpoint is
        written over itself could spoil it.
        """
        step = state.steps_taken()
        path = os.path.join(self._folder, f"{_PREFIX}-{step}")
        if self.latest() == path:
            return path
        if not self._writes:
            _write_and_forget(state)
            return path
        if self._manager is None:
            self._manager = tf.train.CheckpointManager(
                state.checkpoint(),
                self._folder,
                max_to_keep=self._num_to_keep,
                checkpoint_name=_PREFIX,
            )
        with _nothing_unfinished(self._folder):
            return self._manager.save(checkpoint_number=step)

    def save_best(self, state: TrainState, metric: str, score: float) -> bool:
        """Writes a checkpoint in place of the best, if it is better.

        Args:
          state: that was scored.
          metric: name of the score; that of another metric is replaced.
          score: the higher, the better; of equal ones the first is kept.

        Returns:
          Whether it was better.
        """
        known = self.best_facts()
        if known and known["metric"] == metric and known["score"] >= score:
            return False
        if not self._writes:
            _write_and_forget(state)
            return True
        name = f"{_PREFIX}-{state.steps_taken()}"
        with _nothing_unfinished(self._best_folder):
            state.checkpoint().write(os.path.join(self._best_folder, name))
        facts = {"checkpoint": name, "metric": metric, "score": score}
        write_atomically(self._best_path(), json.dumps(facts) + "\n")
        for path in tf.io.gfile.glob(os.path.join(self._best_folder, f"{_PREFIX}-*")):
            if not os.path.basename(path).startswith(f"{name}."):
                tf.io.gfile.remove(path)
        return True

    def latest(self) -> str | None:
        """Path of the newest complete checkpoint."""
        return tf.train.latest_checkpoint(self._folder)

    def best(self) -> str | None:
        """Path of the best checkpoint, None if none was scored yet."""
        facts = self.best_facts()
        return os.path.join(self._best_folder, facts["checkpoint"]) if facts else None

    def best_facts(self) -> dict[str, Any] | None:
        """`checkpoint`, `metric`, `score`, `step` of the best, None without one."""
        if not tf.io.gfile.exists(self._best_path()):
            return None
        with tf.io.gfile.GFile(self._best_path()) as file:
            facts = json.loads(file.read())
        return {**facts, "step": int(facts["checkpoint"].rpartition("-")[2])}

    def _best_path(self) -> str:
        return os.path.join(self._best_folder, _BEST_NAME)


def _write_and_forget(state: TrainState) -> None:
    """Takes part in a checkpoint that another worker writes.

    TensorFlow has no call for just that.
    """
    with tempfile.TemporaryDirectory() as folder:
        state.checkpoint().write(os.path.join(folder, _PREFIX))


@contextlib.contextmanager
def _nothing_unfinished(folder: str) -> Iterator[None]:
    """Removes what a killed process has left, and what is left where this fails.

    On a full disk, a part of a checkpoint would stand in the way.
    """
    _remove_unfinished(folder)
    try:
        yield
    except (OSError, tf.errors.OpError):
        _remove_unfinished(folder)
        raise


def _remove_unfinished(folder: str) -> None:
    for path in tf.io.gfile.glob(os.path.join(folder, f"{_PREFIX}-*_temp")):
        tf.io.gfile.rmtree(path)
