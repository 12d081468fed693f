"""The folder of a run: its settings and checkpoints.

It holds `config.json` (settings), `starts.jsonl` (history of starts, see
`vie_tf.runs.history`), `checkpoints/`, `tensorboard/` and, while a process trains
there, a locked `lock`.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Callable

from vie_tf.config import DataConfig, Role, RunConfig, settings_of
from vie_tf.runs.checkpoint_folder import CheckpointFolder
from vie_tf.runs.state import TrainState
from vie_tf.runs.stored_checkpoint import StoredCheckpoint
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest

_CONFIG_NAME = "config.json"
_ADVICE = (
    "Restore it from a backup, or from the last line of starts.jsonl beside it; else"
    " start a new --model_dir."
)

# Settings of data that decide which instances the rows of the bank belong to.
_INSTANCES = [
    name for name, one in settings_of(DataConfig).items() if one.role is Role.FIXED
]


@dataclasses.dataclass(frozen=True)
class _DataSet:
    """Metadata of a data set that a run has seen."""

    fingerprint: str
    num_videos: int
    num_classes: int


class RunDirectory:
    """Reads and writes the state of one run.

    Attributes:
      model_dir: folder of the run.
      checkpoints: its checkpoints.
    """

    def __init__(
        self,
        model_dir: str,
        num_to_keep: int = 3,
        writes: bool = True,
        of_chief: Callable[[int], int] = int,
    ) -> None:
        """Prepares the folder, which the first `save` makes.

        Args:
          model_dir: folder of the run.
          num_to_keep: number of checkpoints that are kept, the best not counted.
          writes: whether this process writes for all workers; the others call the same
            methods at the same steps (see `vie_tf.runs.checkpoint_folder`).
          of_chief: function that gives every worker the chief's value.
        """
        self.model_dir = model_dir
        self._config_path = os.path.join(model_dir, _CONFIG_NAME)
        self.checkpoints = CheckpointFolder(
            os.path.join(model_dir, "checkpoints"), num_to_keep, writes, of_chief
        )

    # Settings.

    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return files.exists(self._config_path)

    def load_config(self) -> tuple[RunConfig, str]:
        """Returns the settings and the data set's fingerprint, empty if unknown.

        Raises:
          UserError: the folder does not hold a run.
        """
        config, _ = self._load()
        return config, self.data_set().get("fingerprint", "")

    def data_set(self) -> dict[str, Any]:
        """Returns metadata of the run's data set.

        They are `fingerprint`, `num_videos` (of all splits) and `num_classes`; none if
        the run was made without a manifest.

        Raises:
          UserError: the folder does not hold a run.
        """
        data_sets = self._load()[1]
        return data_sets[-1] if data_sets else {}

    def save_config(self, config: RunConfig, manifest: Manifest | None) -> None:
        """Writes the settings, and the data set that the bank belongs to.

        Args:
          config: settings of the run.
          manifest: manifest of the data set.  A run without one resumes on any data
            with as many videos as the bank has rows.
        """
        content = json.loads(config.to_json())
        data_sets = self._load()[1] if self.exists() else []
        if manifest is not None:
            data_set = {
                "fingerprint": manifest.fingerprint(),
                "num_videos": len(manifest.videos),
                "num_classes": len(manifest.class_names),
            }
            data_sets = [*(old for old in data_sets if old != data_set), data_set]
        content["data_sets"] = data_sets  # the last one is in use
        files.make_folder(self.model_dir)
        files.write_atomically(self._config_path, json.dumps(content, indent=1) + "\n")

    def _load(self) -> tuple[RunConfig, list[dict[str, Any]]]:
        """Reads the settings and the data sets that the run has seen."""
        if not self.exists():
            raise UserError(
                f"{self.model_dir!r} does not hold a run: it has no {_CONFIG_NAME}."
                " Give the --model_dir of a train.py run."
            )
        content = small_files.read_object(self._config_path, {}, _ADVICE)
        data_sets = content.pop("data_sets", [])
        try:
            known = small_files.entries_of(_DataSet, data_sets)
            config = RunConfig.from_json(json.dumps(content))
        except (UserError, TypeError) as error:
            raise small_files.DamagedFile(
                self._config_path, str(error).rstrip("."), _ADVICE
            ) from error
        return config, [dataclasses.asdict(data_set) for data_set in known]

    # Checks before a run resumes.

    def check_continues(self, config: RunConfig, manifest: Manifest) -> None:
        """Checks that the run in this folder, if there is one, can resume.

        Raises:
          UserError: the data set or a fixed setting has changed.
        """
        if not self.exists():
            return
        changed = config.changes(self.load_config()[0], (Role.FIXED,))
        if changed:
            raise UserError(
                f"The run in {self.model_dir!r} has other settings:"
                f" {'; '.join(changed)}. Choose another --model_dir."
            )
        self.check_videos(config, manifest)

    def check_videos(self, config: RunConfig, manifest: Manifest) -> bool:
        """Checks that the rows of this run's bank belong to the videos of a data set.

        Args:
          config: settings of the run that starts from this one.
          manifest: manifest of its data set: this run's, perhaps with videos appended.

        Returns:
          Whether videos were appended, which the bank may not have rows for yet.

        Raises:
          UserError: the rows belong to other videos.
        """
        if self.latest() is None:
            return False
        old_config, data_sets = self._load()
        for name in _INSTANCES:
            old, new = getattr(old_config.data, name), getattr(config.data, name)
            if old != new:
                raise UserError(
                    f"The memory bank of the run in {self.model_dir!r} was made with"
                    f" --{name}={old}, not with --{name}={new}: give the same value."
                )
        # Without a fingerprint `restore` still compares the size of the bank.
        if not data_sets or data_sets[-1]["fingerprint"] == manifest.fingerprint():
            return len(data_sets) > 1
        last, data_dir = data_sets[-1], config.data.data_dir
        before = manifest.prefix(last["num_videos"], last["num_classes"])
        if before.fingerprint() != last["fingerprint"]:
            num_rows = self.checkpoint().bank_size
            bank = f" (its bank has {num_rows} rows)" if num_rows is not None else ""
            raise UserError(
                f"The run in {self.model_dir!r} was trained on other videos or classes"
                f" than those of {data_dir!r}{bank}. Choose another --model_dir, or the"
                " --data_dir that it was trained on."
            )
        if config.data.subset < 1:
            raise UserError(
                f"Videos were appended to {data_dir!r} since the run in"
                f" {self.model_dir!r} chose its --subset={config.data.subset:g}. Start"
                " a new run in another --model_dir."
            )
        return True

    # Checkpoints.

    def save(self, state: TrainState) -> str:
        """Writes a checkpoint; see `CheckpointFolder.save`."""
        return self.checkpoints.save(state)

    def latest(self) -> str | None:
        """Path of the newest readable checkpoint; see `CheckpointFolder.latest`."""
        return self.checkpoints.latest()

    def chosen(self, which: str = "latest") -> str:
        """Path of the `latest` or the `best` checkpoint.

        Raises:
          UserError: there is none that can be read.
        """
        path = self.latest() if which == "latest" else self.checkpoints.best()
        if path is not None:
            return path
        if which == "latest":
            raise UserError(
                f"There is no checkpoint in {self.model_dir!r}: its first one is yet to"
                " be written, or the folder does not hold a run."
            )
        raise UserError(
            f"There is no best checkpoint in {self.model_dir!r}: the run has not been"
            " validated yet, or has no validation videos. Use --checkpoint=latest."
        )

    def checkpoint(self, which: str = "latest") -> StoredCheckpoint:
        """Opens the `latest` or the `best` checkpoint; errors as `chosen`."""
        return StoredCheckpoint(self.chosen(which))
