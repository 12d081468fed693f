"""The checkpoints of a run: the newest ones, and the best.

`step-N.*` are the newest ones; the file `checkpoint` names the last of them.  The best
one is `best/step-N.*`, and `best/best.json` names it with its score.  Names are written
after the files that they refer to, so a kill or a power cut at any moment leaves the
previous checkpoint.  Damaged checkpoints do not count.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Callable

from vie_tf.runs import checkpoint_files
from vie_tf.runs.checkpoint_files import INDEX
from vie_tf.runs.state import TrainState
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError

_STATE_NAME = "checkpoint"  # TensorFlow's name and format
_BEST_NAME = "best.json"
_NAME = re.compile(r"step-\d+", re.ASCII)
_INDEX = re.compile(rf"(step-\d+){re.escape(INDEX)}")
_LAST_NAMED = re.compile(r'^model_checkpoint_path: "(?:.*/)?(step-\d+)"', re.M)
_ALL_NAMED = re.compile(r'^all_model_checkpoint_paths: "(?:.*/)?(step-\d+)"', re.M)


class DamagedCheckpoints(UserError):
    """None of the checkpoints can be read."""


def step_of(path: str) -> int:
    """Returns the step that the name of a checkpoint contains."""
    return int(path.rpartition("-")[2])


class CheckpointFolder:
    """Writes and finds checkpoints."""

    def __init__(
        self,
        folder: str,
        num_to_keep: int,
        writes: bool = True,
        of_chief: Callable[[int], int] = int,
    ) -> None:
        """Prepares the folder, which the first `save` makes.

        Args:
          folder: folder of the checkpoints.
          num_to_keep: number of newest checkpoints that are kept beside the best.
          writes: whether this process writes for all workers.  Writing averages the
            variables of the workers, so all of them call the same methods at the same
            steps.
          of_chief: function that gives every worker the chief's value, since workers
            may see an older state of the folder.
        """
        self._folder = folder
        self._best_folder = os.path.join(folder, "best")
        self._best_path = os.path.join(self._best_folder, _BEST_NAME)
        self._state_path = os.path.join(folder, _STATE_NAME)
        self._num_to_keep = num_to_keep
        self._writes = writes
        self._of_chief = of_chief
        # Path -> why it cannot be read, None if it can.  Each is read once.
        self._damages: dict[str, str | None] = {}
        self._reported: set[str] = set()

    def save(self, state: TrainState) -> str:
        """Writes a checkpoint, unless there is one of this step, and returns its path.

        The state of a step is always the same, and a kill could damage a checkpoint
        that is overwritten.
        """
        name = f"step-{state.steps_taken()}"
        path = self._path(name)
        if self._of_chief(self._writes and self.latest() == path):
            return path
        self._write(state, path)
        if not self._writes:
            return path
        before = self._named() or self._unnamed()
        whole = [n for n in before if self._damages.get(self._path(n)) is None]
        names = [*(n for n in whole if n != name), name]
        self._name_all(names)
        surplus = names[: -self._num_to_keep]
        for old in surplus:
            checkpoint_files.remove(self._path(old))
        if surplus:
            self._name_all(names[-self._num_to_keep :])
        return path

    def save_best(self, state: TrainState, metric: str, score: float) -> bool:
        """Replaces the best checkpoint if this state is better.

        Args:
          state: state that was scored.
          metric: name of the score; the best by another metric is always replaced.
          score: higher for better states; the first of equal ones stays.

        Returns:
          Whether the state was better.
        """
        if not self._of_chief(self._writes and self._is_better(metric, score)):
            return False
        name = f"step-{state.steps_taken()}"
        self._write(state, os.path.join(self._best_folder, name))
        if not self._writes:
            return True
        best = {"checkpoint": name, "metric": metric, "score": score}
        files.write_atomically(self._best_path, json.dumps(best) + "\n")
        for other in files.names_in(self._best_folder):
            if other.startswith("step-") and not other.startswith(f"{name}."):
                files.remove(os.path.join(self._best_folder, other))
        return True

    def latest(self) -> str | None:
        """Path of the newest checkpoint that can be read, None without checkpoints.

        If it is not the one that the file `checkpoint` names, a line says so.

        Raises:
          DamagedCheckpoints: none of the checkpoints can be read.
        """
        named = self._named()
        damages = {}
        if not named and files.exists(self._state_path):
            damages[self._state_path] = "it names no checkpoint"
        for name in [*reversed(named), *reversed(self._unnamed())]:
            path = self._path(name)
            damage = self._damage_of(path)
            if damage is None:
                self._report(damages, path)
                return path
            damages[path] = damage
        if not damages:
            return None
        reasons = [f"{os.path.basename(p)}: {damages[p]}" for p in damages]
        raise DamagedCheckpoints(
            f"No checkpoint in {self._folder!r} can be read ({'; '.join(reasons)})."
            " Restore one from a backup, or remove that folder to start from scratch."
        )

    def best(self) -> str | None:
        """Path of the best checkpoint, None if none was scored yet.

        Raises:
          DamagedCheckpoints: it cannot be read.
        """
        best = self.best_metadata()
        damage = self._damage_of_best(best)
        if damage:
            raise DamagedCheckpoints(
                f"The best checkpoint, in {self._best_folder!r}, cannot be read"
                f" ({damage}). Use --checkpoint=latest."
            )
        return os.path.join(self._best_folder, best["checkpoint"]) if best else None

    def best_metadata(self) -> dict[str, Any] | None:
        """`checkpoint`, `metric`, `score` and `step` of the best checkpoint.

        None if no state was scored yet, or `best.json` is damaged.
        """
        if not files.exists(self._best_path):
            return None
        fields = {"checkpoint": "str", "metric": "str", "score": "float"}
        try:
            best = small_files.read_object(self._best_path, fields, "")
        except small_files.DamagedFile:
            return None
        if not _NAME.fullmatch(best["checkpoint"]):
            return None  # it could lead out of the folder
        return {**best, "step": step_of(best["checkpoint"]), "score": best["score"]}

    def _is_better(self, metric: str, score: float) -> bool:
        best = self.best_metadata()
        damage = self._damage_of_best(best)
        if damage:
            print(
                f"The best checkpoint, in {self._best_folder}, cannot be read"
                f" ({damage}): this validation replaces it."
            )
            return True
        return not best or best.get("metric") != metric or best["score"] < score

    def _damage_of_best(self, best: dict[str, Any] | None) -> str | None:
        if best is not None:
            return self._damage_of(os.path.join(self._best_folder, best["checkpoint"]))
        exists = files.exists(self._best_path)
        return f"{_BEST_NAME} is damaged" if exists else None

    def _report(self, damages: dict[str, str], path: str) -> None:
        """Prints once that a checkpoint is damaged, and which one replaces it."""
        for damaged, reason in damages.items():
            if damaged not in self._reported:
                print(f"{damaged} cannot be read ({reason}); {path} is used instead.")
        self._reported.update(damages)

    def _write(self, state: TrainState, path: str) -> None:
        if self._writes:
            checkpoint_files.write(state.checkpoint(), path)
            self._damages[path] = None
        else:
            checkpoint_files.take_part(state.checkpoint())

    def _damage_of(self, path: str) -> str | None:
        is_new = path not in self._damages
        if is_new or not files.exists(f"{path}{INDEX}"):
            self._damages[path] = checkpoint_files.damage_of(path)
        return self._damages[path]

    def _named(self) -> list[str]:
        """Names in the file `checkpoint`, the newest last; none if it is damaged.

        The newest checkpoint need not exist.
        """
        if not files.exists(self._state_path):
            return []
        text = files.read_bytes(self._state_path).decode(errors="replace")
        last = _LAST_NAMED.search(text)
        if last is None:
            return []
        found = self._found()
        named = [name for name in _ALL_NAMED.findall(text) if name in found]
        return [*(name for name in named if name != last[1]), last[1]]

    def _unnamed(self) -> list[str]:
        """Names of the other checkpoints, the newest last."""
        return sorted(self._found() - set(self._named()), key=step_of)

    def _found(self) -> set[str]:
        matches = (_INDEX.fullmatch(name) for name in files.names_in(self._folder))
        return {match[1] for match in matches if match}

    def _name_all(self, names: list[str]) -> None:
        """Writes the file `checkpoint`; the last name is the newest checkpoint's."""
        lines = [f'model_checkpoint_path: "{names[-1]}"\n']
        lines += [f'all_model_checkpoint_paths: "{name}"\n' for name in names]
        files.write_atomically(self._state_path, "".join(lines))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)
