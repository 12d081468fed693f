"""Reads the variables of a TF1 checkpoint."""

from __future__ import annotations

import collections
import contextlib
from typing import Collection, Iterator

import numpy as np
import tensorflow as tf

from vie_tf.runs import checkpoint_path
from vie_tf.runs.tf1_checkpoint.report import Report
from vie_tf.storage import files
from vie_tf.storage.errors import UserError

_REQUIRED = ("weights", "moving statistics")
_TF2_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"

# TF1 name -> kind (a key of `report.KINDS`), and the variable that takes the value.
Targets = dict[str, tuple[str, tf.Variable]]


class Tf1Checkpoint:
    """An open checkpoint.

    Attributes:
      path: path of its files up to `.index`.
      shapes: shape of each variable by its name.
    """

    def __init__(self, path: str) -> None:
        """Opens a checkpoint.

        Args:
          path: path of its files up to `.index`.

        Raises:
          UserError: there is no checkpoint, or it is not one of TF1.
        """
        self.path = path
        with self._damage_in_one_line():
            if not files.exists(f"{path}.index"):
                raise UserError(
                    f"There is no checkpoint {path!r}: give the path of its files up to"
                    f" .index.{_advice_on_archives(path)}"
                )
            self._reader = tf.train.load_checkpoint(checkpoint_path.plain(path))
            self.shapes: dict[str, list[int]] = self._reader.get_variable_to_shape_map()
        if _TF2_KEY in self.shapes:
            raise UserError(
                f"{path} is a checkpoint of TensorFlow 2, not of the authors' TF1 code."
                " To start from a run of this project, use train.py --init_from=RUN."
            )

    @contextlib.contextmanager
    def _damage_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            reason = str(error.message).partition("\n")[0]
            raise UserError(
                f"The checkpoint {self.path} cannot be read: {reason}. Copy it again."
            ) from error

    def check(
        self, targets: Targets, model_name: str, unused: Collection[str] = ()
    ) -> None:
        """Checks that all targets can be filled.

        Args:
          targets: variables to be filled.
          model_name: name of the network, for the message.
          unused: kinds that are not read.

        Raises:
          UserError: a variable is missing or has another shape.
        """
        problems = []
        for name, (kind, variable) in targets.items():
            if name not in self.shapes:
                if kind in _REQUIRED:
                    problems.append(f"{name!r} is missing")
            elif kind not in unused and self.shapes[name] != list(variable.shape):
                problems.append(
                    f"{name!r} is {self.shapes[name]}, not {list(variable.shape)}"
                )
        if problems:
            num_others = len(problems) - 3
            others = f"; and {num_others} more" if num_others > 0 else ""
            raise UserError(
                f"The checkpoint {self.path} does not fit the network {model_name!r}:"
                f" {'; '.join(problems[:3])}{others}. Give the --model and"
                " --resnet_size that it was trained with."
            )

    def read(
        self, targets: Targets, model_name: str, unused: Collection[str] = ()
    ) -> Report:
        """Assigns what the checkpoint has to the targets; arguments as in `check`."""
        self.check(targets, model_name, unused)
        matched: dict[str, list[str]] = collections.defaultdict(list)
        missing: dict[str, list[str]] = collections.defaultdict(list)
        for name, (kind, _) in targets.items():
            if name not in self.shapes:
                missing[kind].append(name)
            elif kind not in unused:
                matched[kind].append(name)
        names = [name for group in matched.values() for name in group]
        # Read before anything is assigned: a damaged file changes nothing.
        with self._damage_in_one_line():
            values = {name: self._reader.get_tensor(name) for name in names}
        for name, value in values.items():
            variable = targets[name][1]
            variable.assign(np.asarray(value).astype(variable.dtype.as_numpy_dtype))
        return Report(
            matched={kind: tuple(group) for kind, group in matched.items()},
            missing={kind: tuple(group) for kind, group in missing.items()},
            left_over=tuple(sorted(set(self.shapes) - set(names))),
        )


def _advice_on_archives(path: str) -> str:
    if not files.exists(path) or files.is_folder(path):
        return ""
    return f" Unpack an archive first: tar -xf {path}"
