"""The checkpoints of a run: the newest ones, and the best.

`step-N.*` are the newest, of which the file `checkpoint` names the last; the best is
`best/step-N.*`, named by `best/best.json` together with its score.  A name is written
only after everything that it stands for, so a kill or a power cut at any moment leaves
the checkpoint before.  A checkpoint that cannot be read any more is never counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import Any, Callable, Iterator

import tensorflow as tf

from vie_tf.runs import checkpoint_files
from vie_tf.runs.checkpoint_files import INDEX, UNFINISHED
from vie_tf.runs.state import TrainState
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically

_STATE_NAME = "checkpoint"  # as TensorFlow calls and reads it
_BEST_NAME = "best.json"
_PREFIX = "step"
_IN_MEMORY = "ram://checkpoint"  # TensorFlow's own, of this process
_INDEX = re.compile(rf"({_PREFIX}-\d+){re.escape(INDEX)}")
_LAST_NAMED = re.compile(rf'^model_checkpoint_path: "(?:.*/)?({_PREFIX}-\d+)"', re.M)
_ALL_NAMED = re.compile(
    rf'^all_model_checkpoint_paths: "(?:.*/)?({_PREFIX}-\d+)"', re.M
)


class DamagedCheckpoints(UserError):
    """There are checkpoints, but none that can be read."""


class CheckpointFolder:
    """Writes and finds checkpoints.

    Args:
      folder: made when something is saved.
      num_to_keep: newest checkpoints that are kept; the best is kept beside them.
      writes: whether this process is the one of a run that writes.  What several
        workers hold apart is averaged while a checkpoint is written, so the others
        have to call the same methods at the same steps.
      of_chief: gives all of them what the one that writes has: others may see the
        folder as it was some moments ago.
    """

    def __init__(
        self,
        folder: str,
        num_to_keep: int,
        writes: bool = True,
        of_chief: Callable[[int], int] = int,
    ) -> None:
        self._folder = folder
        self._best_folder = os.path.join(folder, "best")
        self._num_to_keep = num_to_keep
        self._writes = writes
        self._of_chief = of_chief
        # Path -> why it cannot be read, None if it can: they are read once.
        self._damages: dict[str, str | None] = {}
        self._told: set[str] = set()

    def save(self, state: TrainState) -> str:
        """Writes a checkpoint, unless the last is of this step, and returns its path.

        The state of a step is the same each time, and a kill while a checkpoint is
        written over itself could spoil it.
        """
        name = f"{_PREFIX}-{state.steps_taken()}"
        path = os.path.join(self._folder, name)
        if self._of_chief(self._writes and self.latest() == path):
            return path
        if not self._writes:
            _write_and_forget(state)
            return path
        with _nothing_unfinished(self._folder):
            self._write(state, path)
        before = self._named() or self._others()
        whole = [n for n in before if self._damages.get(self._path(n)) is None]
        names = [*(n for n in whole if n != name), name]
        self._name_all(names)
        surplus = names[: -self._num_to_keep]
        if surplus:
            for old in surplus:
                checkpoint_files.remove(self._path(old))
            self._name_all(names[-self._num_to_keep :])
        return path

    def save_best(self, state: TrainState, metric: str, score: float) -> bool:
        """Writes a checkpoint in place of the best, if it is better.

        Args:
          state: that was scored.
          metric: name of the score; that of another metric is replaced.
          score: the higher, the better; of equal ones the first is kept.

        Returns:
          Whether it was better.
        """
        if not self._of_chief(self._writes and self._is_better(metric, score)):
            return False
        if not self._writes:
            _write_and_forget(state)
            return True
        name = f"{_PREFIX}-{state.steps_taken()}"
        with _nothing_unfinished(self._best_folder):
            self._write(state, os.path.join(self._best_folder, name))
        facts = {"checkpoint": name, "metric": metric, "score": score}
        write_atomically(self._best_path(), json.dumps(facts) + "\n")
        for other in files.names_in(self._best_folder):
            if other.startswith(f"{_PREFIX}-") and not other.startswith(f"{name}."):
                files.remove(os.path.join(self._best_folder, other))
        return True

    def latest(self) -> str | None:
        """Path of the newest checkpoint that can be read.

        That is the one that the file `checkpoint` names, else one of the others; then
        a line says so.

        Raises:
          DamagedCheckpoints: there are some, but none can be read.
        """
        named = self._named()
        damages = {}
        if not named and self._has_state():
            damages[self._path(_STATE_NAME)] = "it names no checkpoint"
        for name in [*reversed(named), *reversed(self._others())]:
            path = self._path(name)
            damage = self._damage_of(path)
            if damage is None:
                self._tell(damages, path)
                return path
            damages[path] = damage
        if not damages:
            return None
        reasons = [f"{os.path.basename(p)}: {damages[p]}" for p in damages]
        raise DamagedCheckpoints(
            f"No checkpoint in {self._folder!r} can be read ({'; '.join(reasons)})."
            " Put one back from a copy, or remove that folder to start from scratch."
        )

    def _tell(self, damages: dict[str, str], path: str) -> None:
        """Prints once what is damaged, and the checkpoint that is taken for it."""
        for other in damages:
            if other not in self._told:
                reason = damages[other]
                print(f"{other} cannot be read ({reason}); {path} takes its place.")
        self._told.update(damages)

    def best(self) -> str | None:
        """Path of the best checkpoint, None if none was scored yet.

        Raises:
          DamagedCheckpoints: it cannot be read.
        """
        facts = self.best_metadata()
        damage = self._damage_of_best(facts)
        if damage:
            raise DamagedCheckpoints(
                f"The best checkpoint, in {self._best_folder!r}, cannot be read"
                f" ({damage}). Use --checkpoint=latest."
            )
        return os.path.join(self._best_folder, facts["checkpoint"]) if facts else None

    def best_metadata(self) -> dict[str, Any] | None:
        """`checkpoint`, `metric`, `score`, `step` of the best.

        None where none was scored yet, or what is written of it cannot be read.
        """
        if not files.exists(self._best_path()):
            return None
        text = files.read_bytes(self._best_path())
        try:
            facts = json.loads(text)
            step = int(facts["checkpoint"].rpartition("-")[2])
            return {**facts, "step": step, "score": float(facts["score"])}
        except (ValueError, LookupError, TypeError, AttributeError):
            return None

    def _is_better(self, metric: str, score: float) -> bool:
        known = self.best_metadata()
        damage = self._damage_of_best(known)
        if damage:
            print(
                f"The best checkpoint, in {self._best_folder}, cannot be read"
                f" ({damage}): this validation begins a new best."
            )
            return True
        return not known or known.get("metric") != metric or known["score"] < score

    def _damage_of_best(self, facts: dict[str, Any] | None) -> str | None:
        if facts is not None:
            return self._damage_of(os.path.join(self._best_folder, facts["checkpoint"]))
        is_there = files.exists(self._best_path())
        return f"{_BEST_NAME} is damaged" if is_there else None

    def _write(self, state: TrainState, path: str) -> None:
        checkpoint_files.write(state.checkpoint(), path)
        self._damages[path] = None

    def _damage_of(self, path: str) -> str | None:
        is_new = path not in self._damages
        if is_new or not files.exists(f"{path}{INDEX}"):
            self._damages[path] = checkpoint_files.damage_of(path)
        return self._damages[path]

    def _named(self) -> list[str]:
        """What the file `checkpoint` names, the newest last; none if it is damaged.

        The newest need not be there.
        """
        if not self._has_state():
            return []
        text = files.read_bytes(self._path(_STATE_NAME)).decode(errors="replace")
        last = _LAST_NAMED.search(text)
        if last is None:
            return []
        found = self._found()
        named = [name for name in _ALL_NAMED.findall(text) if name in found]
        return [*(name for name in named if name != last[1]), last[1]]

    def _others(self) -> list[str]:
        """What that file does not name, the newest last."""
        others = self._found() - set(self._named())
        return sorted(others, key=lambda name: int(name.rpartition("-")[2]))

    def _found(self) -> set[str]:
        matches = (_INDEX.fullmatch(name) for name in files.names_in(self._folder))
        return {match[1] for match in matches if match}

    def _has_state(self) -> bool:
        return files.exists(self._path(_STATE_NAME))

    def _name_all(self, names: list[str]) -> None:
        """Writes the file `checkpoint`; the last name is that of the newest."""
        lines = [f'model_checkpoint_path: "{names[-1]}"\n']
        lines += [f'all_model_checkpoint_paths: "{name}"\n' for name in names]
        write_atomically(self._path(_STATE_NAME), "".join(lines))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _best_path(self) -> str:
        return os.path.join(self._best_folder, _BEST_NAME)


def _write_and_forget(state: TrainState) -> None:
    """Takes part in a checkpoint that another worker writes.

    TensorFlow has no call for just that.  What it writes goes into memory, since the
    disk of temporary files may be small.
    """
    try:
        state.checkpoint().write(os.path.join(_IN_MEMORY, _PREFIX))
    finally:
        for name in files.names_in(_IN_MEMORY):
            files.remove(os.path.join(_IN_MEMORY, name))


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
    for name in files.names_in(folder):
        if name.startswith(f"{_PREFIX}-") and name.endswith(UNFINISHED):
            files.remove(os.path.join(folder, name))
