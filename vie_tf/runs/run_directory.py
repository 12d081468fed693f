"""The folder of a run: its settings and checkpoints.

A run directory holds `config.json` (the settings), `starts.jsonl` (by what it was
made, `vie_tf.runs.history`), `checkpoints/`, `tensorboard/` and, while a process trains
there, a locked `lock`.  A checkpoint is all of `vie_tf.runs.state.TrainState`.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, Role, RunConfig, settings_of
from vie_tf.objectives.memory_bank import MemoryBank
from vie_tf.runs.checkpoint_folder import CheckpointFolder
from vie_tf.runs.state import TrainState
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import Manifest

_CONFIG_NAME = "config.json"
_VALUE = ".ATTRIBUTES/VARIABLE_VALUE"
_BANK_KEY = f"bank/rows/{_VALUE}"
_LOSS_SCALE_KEY = "optimizer/loss_scale/"

# What else than the data set decides which rows the bank has.
_VIEW = [
    name for name, one in settings_of(DataConfig).items() if one.role is Role.FIXED
]


class RunDirectory:
    """Reads and writes the state of one run.

    Args:
      model_dir: folder of the run; made when something is saved.
      num_to_keep: checkpoints that are kept.
      writes: whether this process is the one of a run that writes; the others call the
        same methods at the same steps (`vie_tf.runs.checkpoint_folder`).
      of_chief: gives all of them what the one that writes has.
    """

    def __init__(
        self,
        model_dir: str,
        num_to_keep: int = 3,
        writes: bool = True,
        of_chief: Callable[[int], int] = int,
    ) -> None:
        self.model_dir = model_dir
        self._checkpoints = CheckpointFolder(
            os.path.join(model_dir, "checkpoints"), num_to_keep, writes, of_chief
        )

    def save(self, state: TrainState) -> str:
        """Writes a checkpoint and returns its path; a kill while writing loses nothing.

        Where the last one is of this step, there is nothing to write.
        """
        return self._checkpoints.save(state)

    def save_best(self, state: TrainState, metric: str, score: float) -> bool:
        """Keeps the state if no earlier one of the run had such a score.

        Args:
          state: that was scored.
          metric: name of the score.
          score: the higher, the better.

        Returns:
          Whether it is the best.
        """
        return self._checkpoints.save_best(state, metric, score)

    def latest(self) -> str | None:
        """Path of the newest checkpoint that can be read.

        Raises:
          DamagedCheckpoints: there are some, but none can be read.
        """
        return self._checkpoints.latest()

    def best_metadata(self) -> dict[str, Any] | None:
        """`checkpoint`, `metric`, `score` and `step` of the best.

        None where none was scored yet, or what is written of it cannot be read.
        """
        return self._checkpoints.best_metadata()

    def chosen(self, which: str) -> str:
        """Path of the `latest` or the `best` checkpoint.

        Raises:
          UserError: there is none that can be read.
        """
        if which == "latest":
            return self._latest_or_raise()
        path = self._checkpoints.best()
        if path is None:
            raise UserError(
                f"There is no best checkpoint in {self.model_dir!r}: the run has not"
                " been validated yet, or has nothing to be validated on. Use"
                " --checkpoint=latest."
            )
        return path

    def save_config(self, config: RunConfig, manifest: Manifest | None) -> None:
        """Writes the settings and which data set the bank belongs to.

        Args:
          config: of the run.
          manifest: of the data set, None where it is not known; a run that goes on then
            has to have as many videos as the bank has rows, and that is all.
        """
        content = json.loads(config.to_json())
        known = self._load()[1] if self.exists() else []
        if manifest is not None:
            data_set = {
                "fingerprint": manifest.fingerprint(),
                "num_videos": len(manifest.videos),
                "num_classes": len(manifest.class_names),
            }
            known = [*(old for old in known if old != data_set), data_set]
        content["data_sets"] = known  # the last is that of now, the others its past
        files.make_folder(self.model_dir)
        write_atomically(self._config_path(), json.dumps(content, indent=1) + "\n")

    def exists(self) -> bool:
        """Whether there is a run in this folder."""
        return files.exists(self._config_path())

    def load_config(self) -> tuple[RunConfig, str]:
        """Returns the settings and the data set's fingerprint, empty if not known.

        Raises:
          UserError: the folder is not that of a run.
        """
        config, data_sets = self._load()
        return config, data_sets[-1]["fingerprint"] if data_sets else ""

    def data_set(self) -> dict[str, Any]:
        """Returns what is known of the run's data set.

        `fingerprint`, `num_videos` (of all splits) and `num_classes`; nothing where the
        run was made without a manifest.

        Raises:
          UserError: the folder is not that of a run.
        """
        data_sets = self._load()[1]
        return data_sets[-1] if data_sets else {}

    def _load(self) -> tuple[RunConfig, list[dict[str, Any]]]:
        if not self.exists():
            raise UserError(
                f"{self.model_dir!r} is not the folder of a run: it has no"
                f" {_CONFIG_NAME}. Give the --model_dir of a train.py run."
            )
        text = files.read_text(self._config_path())
        return RunConfig.from_json(text), json.loads(text).get("data_sets", [])

    def check_continues(self, config: RunConfig, manifest: Manifest) -> None:
        """Checks that this folder's run, if it has one, is the one of `config`.

        Raises:
          UserError: it was made with settings that cannot change.
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
          config: of the run that wants to go on from this one.
          manifest: of its data set: that of this run, or that with videos appended.

        Returns:
          Whether videos were appended, for which its bank may have no rows yet.

        Raises:
          UserError: the rows belong to other videos.
        """
        latest = self.latest()
        if latest is None:
            return False
        old_config, known = self._load()
        for name in _VIEW:
            old, new = getattr(old_config.data, name), getattr(config.data, name)
            if old != new:
                raise UserError(
                    f"The bank of the run in {self.model_dir!r} has its rows for"
                    f" --{name}={old}, not for --{name}={new}: give the same."
                )
        # Without an old fingerprint `restore` still compares the size of the bank.
        if not known or known[-1]["fingerprint"] == manifest.fingerprint():
            return len(known) > 1
        last = known[-1]
        before = manifest.prefix(last["num_videos"], last["num_classes"])
        if before.fingerprint() != last["fingerprint"]:
            raise UserError(
                f"The run in {self.model_dir!r} was trained on other videos than those"
                f" of {config.data.data_dir!r} (its bank has {self.bank_size(latest)}"
                " rows). Choose another --model_dir, or the --data_dir that it was"
                " trained on."
            )
        if config.data.subset < 1:
            raise UserError(
                f"Videos were appended to {config.data.data_dir!r} since the run in"
                f" {self.model_dir!r} has chosen its --subset={config.data.subset:g} of"
                " them. Start another run in another --model_dir."
            )
        return True

    def restore(
        self, state: TrainState, bank_grows: bool = False, with_head: bool = True
    ) -> int:
        """Restores all of the state from the newest checkpoint.

        Labels and centroids of another number of clusters or clusterings, such as
        those of an IR run that LA starts from, are left out: k-means starts from random
        rows before the next step of LA.  So is
        the loss scale of another precision, which finds its value anew.

        Args:
          state: receives the values.
          bank_grows: whether the bank may have more rows than that of the checkpoint;
            those behind its last row stay as they are, and clusters are left out.
          with_head: False leaves the head of the network and its momentum as they are,
            and clusters are left out.

        Returns:
          The number of rows of the bank that the checkpoint has not.

        Raises:
          UserError: there is no checkpoint, or it is of another network or bank.
        """
        path = self._latest_or_raise()
        self._check_bank(path, state.bank, bank_grows)
        self._check_shapes(path, state.model, with_head)
        shapes = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        was_scaled = any(key.startswith(_LOSS_SCALE_KEY) for key in shapes)
        has_scale = state.loss_scaler is not None
        recomputed = state.objective.recomputed()
        same_clusters = all(
            shapes.get(f"{name}/{_VALUE}") == variable.shape
            for name, variable in recomputed.items()
        )
        grows = state.bank is not None and self.bank_size(path) != state.bank.num_videos
        leave_out: set[str] = {"bank"} if grows else set()
        if grows or not with_head or not same_clusters or was_scaled != has_scale:
            leave_out.update(recomputed)
        status = state.checkpoint(leave_out, with_head).restore(path)
        if was_scaled or not has_scale:
            status.assert_existing_objects_matched()
        status.expect_partial()
        if leave_out:
            state.objective.recompute()
        if not grows:
            return 0
        assert state.bank is not None
        rows = self.read_bank()
        state.bank.set_first_rows(rows)
        return state.bank.num_videos - len(rows)

    def restore_model(self, model: tf.keras.Model, which: str = "latest") -> int:
        """Restores the network alone and returns the step of the checkpoint.

        Args:
          model: receives the weights.
          which: `latest` or `best`.

        Raises:
          UserError: there is no checkpoint, or it is of another network.
        """
        path = self.chosen(which)
        self._check_shapes(path, model)
        step = tf.Variable(0, dtype=tf.int64)
        tf.train.Checkpoint(model=model, step=step).restore(path).expect_partial()
        return int(step.numpy())

    def read_bank(self, which: str = "latest") -> np.ndarray:
        """Returns the rows of a checkpoint's memory bank, [N, D] float32.

        Args:
          which: `latest` or `best`.

        Raises:
          UserError: it has none.
        """
        path = self.chosen(which)
        if self.bank_size(path) is None:
            raise UserError(
                f"The run in {self.model_dir!r} has no memory bank, as it is"
                " supervised. Use --gallery=features."
            )
        return tf.train.load_checkpoint(path).get_tensor(_BANK_KEY)

    def _latest_or_raise(self) -> str:
        path = self.latest()
        if path is None:
            raise UserError(
                f"There is no checkpoint in {self.model_dir!r}: the run has not come to"
                " its first one, or this is not a run."
            )
        return path

    @staticmethod
    def bank_size(path: str) -> int | None:
        """Rows of the memory bank in a checkpoint, None if it has no bank."""
        shapes = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        return shapes[_BANK_KEY][0] if _BANK_KEY in shapes else None

    def _check_bank(self, path: str, bank: MemoryBank | None, bank_grows: bool) -> None:
        size = self.bank_size(path)
        if (size is None) != (bank is None):
            kind = "supervised" if size is None else "trained with a memory bank"
            raise UserError(
                f"The run in {self.model_dir!r} is {kind}: a run with --loss=supervised"
                " cannot start from one with --loss=ir or la, nor the other way round."
            )
        if bank is None or size is None:
            return
        if size > bank.num_videos or (size < bank.num_videos and not bank_grows):
            raise UserError(
                f"The checkpoint {path} has a memory bank of {size} videos, but the"
                f" data has {bank.num_videos} training videos. Give the"
                " --data_dir that the checkpoint was trained on."
            )

    @staticmethod
    def _check_shapes(path: str, model: tf.keras.Model, with_head: bool = True) -> None:
        shapes = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        part = "model/" if with_head else "model/backbone/"
        stored = sorted(
            tuple(shape)
            for key, shape in shapes.items()
            if key.startswith(part) and ".OPTIMIZER_SLOT" not in key
        )
        network = model if with_head else model.backbone
        wanted = sorted(tuple(variable.shape) for variable in network.variables)
        if stored != wanted:
            raise UserError(
                f"The checkpoint {path} is of another network than --model="
                f"{model.name}: give the --model, --resnet_size, --num_filters and"
                " --trn_head that it was trained with."
            )

    def _config_path(self) -> str:
        return os.path.join(self.model_dir, _CONFIG_NAME)
