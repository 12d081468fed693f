"""How long ago each row of the memory bank was written.

Comes in: rows that a step writes.  Goes out: their ages in steps, which TensorBoard
shows and `vie_tf.monitoring.alarms` judges.  No step depends on them.

Letters: B batch, N rows of the bank.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf


class RowAges(tf.Module):
    """A number for each row of a bank, the same on all replicas.

    Create it inside the strategy's scope.

    Attributes:
      last_written: [N] int64 variable: the step that wrote the row last; -1 - S for a
        row that was never written and is there since step S.
    """

    def __init__(self, num_rows: int) -> None:
        """Starts with rows that are there since step 0 and were never written.

        Args:
          num_rows: N.
        """
        super().__init__(name="row_ages")
        self._strategy = tf.distribute.get_strategy()
        self.last_written = tf.Variable(
            tf.fill([num_rows], _never(0)),
            trainable=False,
            name="last_written",
            # As for the rows of the bank: scatter updates ask for it.
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def write(self, indices: tf.Tensor, step: tf.Tensor) -> None:
        """Notes that a step has written rows; call in cross-replica context.

        Args:
          indices: [B] rows, of the global batch.
          step: scalar int64; the first step is 1.
        """
        self._strategy.extended.update(
            self.last_written,
            lambda written, where, what: written.scatter_nd_update(
                where[:, None], what
            ),
            args=(indices, tf.fill(tf.shape(indices), step)),
        )

    def start_at(self, step: int, written: bool) -> None:
        """Forgets what was noted: the rows are there since, or were written at, a step.

        Args:
          step: of the run.
          written: whether the rows hold embeddings.
        """
        value = tf.constant(step, tf.int64) if written else _never(step)
        self.last_written.assign(tf.fill(self.last_written.shape, value))

    def set_first(self, values: np.ndarray | None, count: int, step: int) -> None:
        """Takes over the numbers of a smaller bank; the rows behind are new.

        Args:
          values: [count] int64, `last_written` of the smaller bank; None if it is not
            known, which counts as written at this step.
          count: its rows.
          step: since which the rows behind them are there.
        """
        if values is None:
            values = np.full(count, step, np.int64)
        num_new = int(self.last_written.shape[0]) - count
        new = tf.fill([num_new], _never(step))
        self.last_written.assign(tf.concat([values, new], axis=0))

    def ages(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Ages at a step, and which of them are of rows that were never written.

        Returns:
          [N] int64, steps since the row was written, or since it is there; [N] bool.
        """
        values = self.last_written.numpy()
        never = values < 0
        return step - np.where(never, -1 - values, values), never


def _never(step: int) -> tf.Tensor:
    return tf.constant(-1 - step, tf.int64)
