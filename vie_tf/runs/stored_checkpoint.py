"""One checkpoint of a run, from which a state, a network or a bank is restored."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.runs import checkpoint_path
from vie_tf.runs.state import TrainState
from vie_tf.storage.errors import UserError

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_BANK = f"bank/rows{_VALUE}"
_LOSS_SCALE = "optimizer/loss_scale/"


class StoredCheckpoint:
    """Reads a checkpoint.

    Attributes:
      path: path of its files, without their endings.
      shapes: shape of each stored variable, by its key.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._readable = checkpoint_path.plain(path)
        self._reader = tf.train.load_checkpoint(self._readable)
        self.shapes: dict[str, list[int]] = self._reader.get_variable_to_shape_map()

    @property
    def bank_size(self) -> int | None:
        """Number of rows of the memory bank; None for a run without one."""
        return self.shapes[_BANK][0] if _BANK in self.shapes else None

    def read_bank(self) -> np.ndarray:
        """Returns the rows of the memory bank, [N, D] float32.

        Raises:
          UserError: the run has no bank.
        """
        if self.bank_size is None:
            raise UserError(
                f"The checkpoint {self.path} has no memory bank: its objective keeps"
                " none. Use --gallery=features."
            )
        return self._reader.get_tensor(_BANK).astype(np.float32)

    def restore_model(self, model: keras.Model) -> int:
        """Restores the weights of a network; returns the step of the checkpoint.

        Raises:
          UserError: the checkpoint belongs to another network.
        """
        self._check_network(model, with_head=True)
        step = tf.Variable(0, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(model=model, step=step)
        checkpoint.restore(self._readable).expect_partial()
        return int(step.numpy())

    def restore_network(self, model: keras.Model) -> bool:
        """Restores the backbone of a network, and its head if that fits.

        Args:
          model: network that receives the weights.

        Returns:
          Whether the head was restored.

        Raises:
          UserError: the checkpoint belongs to another backbone.
        """
        part, with_head = model, self._shapes_of("model/") == _shapes_of(model)
        if not with_head:
            self._check_network(model, with_head=False)
            part = tf.train.Checkpoint(backbone=model.backbone)
        checkpoint = tf.train.Checkpoint(model=part)
        checkpoint.restore(self._readable).expect_partial()
        return with_head

    def restore(
        self, state: TrainState, bank_grows: bool = False, with_head: bool = True
    ) -> int:
        """Restores the state of a run.

        Variables that the objective can recompute, such as clusters, are left out if
        their shapes differ, the bank grows, the head is new, or the precision has
        changed.  A loss scale that the checkpoint lacks starts at its default.  Rows of
        the bank are rounded to its dtype.

        Args:
          state: state that receives the values.
          bank_grows: whether the bank may have more rows than the checkpoint's; they
            keep their values.
          with_head: whether the head of the network and its momentum are restored.

        Returns:
          Number of rows of the bank that the checkpoint lacks.

        Raises:
          UserError: the checkpoint belongs to another network, bank or version.
        """
        self._check_bank(state.bank, bank_grows)
        self._check_network(state.model, with_head)
        was_scaled = any(key.startswith(_LOSS_SCALE) for key in self.shapes)
        is_scaled = state.loss_scaler is not None
        bank, size = state.bank, self.bank_size
        num_new_rows = bank.num_videos - size if bank and size else 0
        dtypes = self._reader.get_variable_to_dtype_map()
        is_set_later = bool(num_new_rows or (bank and dtypes[_BANK] != bank.rows.dtype))
        leave_out: set[str] = {"bank"} if is_set_later else set()
        recomputed = state.objective.recomputed()
        fits = was_scaled == is_scaled and all(
            self.shapes.get(f"{name}{_VALUE}") == variable.shape.as_list()
            for name, variable in recomputed.items()
        )
        if num_new_rows or not with_head or not fits:
            leave_out.update(recomputed)
        status = state.checkpoint(leave_out, with_head).restore(self._readable)
        if was_scaled or not is_scaled:
            self._check_complete(status)
        status.expect_partial()
        if leave_out & recomputed.keys():
            state.objective.recompute()
        if bank and is_set_later:
            bank.set_first_rows(self.read_bank())
        return num_new_rows

    def _check_complete(self, status: Any) -> None:
        try:
            status.assert_existing_objects_matched()
        except AssertionError as error:
            raise UserError(
                f"The checkpoint {self.path} lacks a part of the state"
                f" ({str(error).splitlines()[0]}): another version wrote it. Go on"
                " with that version, or start a new --model_dir."
            ) from error

    def _check_bank(self, bank: MemoryBank | None, bank_grows: bool) -> None:
        size = self.bank_size
        if (size is None) != (bank is None):
            kind = "without one" if size is None else "with a memory bank"
            raise UserError(
                f"The checkpoint {self.path} belongs to a run {kind}: --loss=supervised"
                " and objectives with a head of their own cannot start from a run with"
                " a memory bank, nor can --loss=ir and la start from theirs."
            )
        if bank is None or size is None:
            return
        if size > bank.num_videos or (size < bank.num_videos and not bank_grows):
            raise UserError(
                f"The checkpoint {self.path} has a memory bank of {size} videos, but"
                f" the data has {bank.num_videos} training videos. Give the --data_dir"
                " that the run was trained on."
            )

    def _check_network(self, model: keras.Model, with_head: bool) -> None:
        prefix = "model/" if with_head else "model/backbone/"
        network = model if with_head else model.backbone
        if self._shapes_of(prefix) != _shapes_of(network):
            raise UserError(
                f"The checkpoint {self.path} belongs to another network than --model="
                f"{model.name} of this size: give the --model, --resnet_size,"
                " --num_filters and --trn_head that it was trained with."
            )

    def _shapes_of(self, prefix: str) -> list[tuple[int, ...]]:
        return sorted(
            tuple(shape)
            for key, shape in self.shapes.items()
            if key.startswith(prefix) and ".OPTIMIZER_SLOT" not in key
        )


def _shapes_of(network: keras.Model) -> list[tuple[int, ...]]:
    return sorted(tuple(variable.shape) for variable in network.variables)
