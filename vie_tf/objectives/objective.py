"""The interface of an objective: what is learned, apart from how it is trained.

The training step (`vie_tf.training.step`) calls `loss` and `updates` on every replica
and then `after_step` once; the loop (`vie_tf.training.loop`) calls the rest.  Neither
knows an objective by its name.  `vie_tf.objectives.OBJECTIVES` lists those that
train.py offers, and docs/extending.md adds one to them.

Letters: B videos in the batch of a replica.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Sequence

import numpy as np
import tensorflow as tf

from vie_tf import models
from vie_tf.config import LossConfig, ModelConfig, RunConfig, settings_of
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.models.clip_input import PAIRED_INPUTS
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.clustering import Clusters
from vie_tf.storage.errors import UserError


class Objective:
    """A loss with the variables that it needs beside the network's.

    Create it inside the strategy's scope.

    Attributes:
      title: name of the loss in the terminal.
      needs_labels: whether every training video needs a label, which makes the network
        a classifier.
      divides_bank: whether it can train with --bank=sharded.
      has_own_head: whether it has layers of its own on endpoints of the network, and
        neither trains the layer of the embedding nor keeps a memory bank.  The
        embedding is `pooled` at unit norm then.
      chooses_by_motion: whether its clips are drawn by motion (--motion_windows).
      kinds: kinds of networks that can learn it, as `vie_tf.models.family.Family.kind`.
      bank: the memory bank; None for an objective without one.
    """

    title = ""
    needs_labels = False
    divides_bank = True
    has_own_head = False
    chooses_by_motion = False
    kinds: tuple[str, ...] = ("frames", "clips", "streams")
    bank: MemoryBank | None = None

    @classmethod
    def complete(cls, settings: LossConfig, num_videos: int) -> LossConfig:
        """Fills in what depends on the number of instances, and checks the result.

        Args:
          settings: settings as they were asked for.
          num_videos: N, the instances.

        Raises:
          UserError: settings that do not suit so many.
        """
        return settings

    @classmethod
    def complete_config(cls, config: RunConfig) -> RunConfig:
        """Checks that the network can learn the objective, and fills in its clips.

        Args:
          config: settings as they were asked for.

        Returns:
          Settings with what the objective decides of network and data.

        Raises:
          UserError: it cannot; the message names the families that can.
        """
        loss, model = config.loss.name, config.model
        kind = models.family(model.name).kind
        if kind not in cls.kinds:
            names = settings_of(ModelConfig)["name"].choices
            fitting = [n for n in names if models.family(n).kind in cls.kinds]
            raise UserError(
                f"--loss={loss} cannot be learned by --model={model.name}: give one of"
                f" {', '.join(fitting)}."
            )
        if model.input in PAIRED_INPUTS and "streams" not in cls.kinds:
            raise UserError(
                f"--loss={loss} is for networks of one stream, but"
                f" --input={model.input} makes two: give --input=frames or"
                " --input=differences."
            )
        if (config.data.motion_windows or 1) > 1 and not cls.chooses_by_motion:
            raise UserError(
                f"--motion_windows is for --loss=order, not for --loss={loss}, whose"
                " clips are drawn evenly: leave it out."
            )
        if config.loss.bank == "sharded":
            cls._check_divides(loss)
        return dataclasses.replace(
            config, model=dataclasses.replace(model, has_head=not cls.has_own_head)
        )

    @classmethod
    def _check_divides(cls, loss: str) -> None:
        if cls.needs_labels or cls.has_own_head:
            raise UserError(
                f"--loss={loss} keeps no memory bank to be divided: leave"
                " --bank=sharded out."
            )
        if not cls.divides_bank:
            raise UserError(
                f"--loss={loss} reads rows of the memory bank by the thousand, which"
                " --bank=sharded does not exchange: give --bank=whole, and"
                " --bank_dtype=bfloat16 to halve it."
            )

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Objective:
        """Makes the objective of a run at step 0.

        Args:
          config: complete settings of the run.
          labels: [N] classes of the instances, -1 where one has none.
        """
        raise NotImplementedError

    def make_head(self, num_channels: Mapping[str, int]) -> None:
        """Makes the layers of an own head; called once, in the strategy's scope.

        Args:
          num_channels: size of the last axis of each endpoint, by its name.
        """

    def trained_variables(self) -> list[tf.Variable]:
        """Returns variables that learn, and decay, beside those of the network."""
        return []

    @classmethod
    def training_recipe(cls, recipe: ClipRecipe) -> ClipRecipe:
        """Returns the recipe of training clips, from that of the network's clips."""
        return recipe

    def network_shape(self, num_videos: int, recipe: ClipRecipe) -> tuple[int, ...]:
        """Returns the shape of what `prepare` gives the network, [clips, T, S, S, C].

        Estimates of memory and time, and checks of batch norm, go by it.

        Args:
          num_videos: B.
          recipe: recipe of the network's clips.
        """
        return (num_videos, *recipe.shape)

    def prepare(self, batch: dict, step: tf.Tensor) -> dict:
        """Changes a batch before the network is given it; called in replica context.

        Args:
          batch: `clips` [B, T, S, S, C] uint8, `rows` [B] and `labels` [B], and where
            `training_recipe` asks a question, `targets` [B, ...] and clips as
            `vie_tf.input.questions.makers` makes them.
          step: as for `loss`.

        Returns:
          The batch that network and `loss` are given.  Its `clips` may be others,
          more, or of another size, of which the first B belong to the B videos in order
          (`network_shape`).
        """
        return batch

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes the loss of every video; called in replica context.

        Args:
          endpoints: of the network in training mode, by name.
          batch: `clips`, `rows` [B] and `labels` [B] of this replica, as `prepare`
            returned them.
          step: steps taken before this one, scalar int64, from which randomness comes.

        Returns:
          [B] float32, and parts [B] that are logged as means over the global batch.
        """
        raise NotImplementedError

    def updates(
        self, endpoints: dict[str, tf.Tensor], batch: dict
    ) -> dict[str, tf.Tensor]:
        """Computes what `after_step` is given, [B, ...] by name, in replica context.

        By default these are the new rows of the memory bank, where there is one.
        """
        if self.bank is None:
            return {}
        new_rows = self.bank.updated_rows(endpoints["embedding"], batch["rows"])
        return {"rows": batch["rows"], "new_rows": new_rows}

    def after_step(self, updates: Mapping[str, tf.Tensor]) -> None:
        """Writes variables after the update; called once, in cross-replica context.

        Args:
          updates: of all replicas, [global batch, ...] by name.
        """
        if self.bank is not None:
            self.bank.write(updates["rows"], updates["new_rows"])

    def before_step(self, steps_taken: int) -> Sequence[Clusters]:
        """Does what is due every so often, outside of the step's graph.

        Args:
          steps_taken: before the step.

        Returns:
          New clusterings, which are logged.
        """
        return ()

    def at(self, steps_taken: int) -> Objective:
        """Returns the objective of the next step, where several follow each other."""
        return self

    def after_validation(self, top1: float) -> None:
        """Takes note of the accuracy of a validation, a fraction."""

    def reference_accuracy(self) -> float | None:
        """Returns an accuracy that validations should not fall below, if any."""
        return None

    def checkpoint(self) -> dict[str, Any]:
        """Returns what a checkpoint holds of the objective, by its key in the file."""
        return {} if self.bank is None else {"bank": self.bank.checkpoint()}

    def recomputed(self) -> dict[str, tf.Variable]:
        """Returns the variables of `checkpoint` that the objective can compute again.

        A run that starts from one with other shapes of these leaves them out.
        """
        return {}

    def recompute(self) -> None:
        """Makes the next `before_step` compute the variables of `recomputed`."""


def counter(start: float, name: str, dtype: str = "int64") -> tf.Variable:
    """Makes a scalar variable that every replica holds the same value of."""
    return variable(tf.constant(start, dtype), name)


def variable(start: tf.Tensor, name: str) -> tf.Variable:
    """Makes a variable that is written in cross-replica context."""
    return tf.Variable(
        start,
        trainable=False,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )
