"""A copy of a run's network that belongs to one worker alone."""

from __future__ import annotations

import tensorflow as tf


class NetworkCopy:
    """For work that every worker does at its own pace.

    Reading the moving statistics of the run's own network is an operation in which all
    workers take part.

    Args:
      source: the network of the run.
      model: of the same settings, made outside of the strategy's scope.
    """

    def __init__(self, source: tf.keras.Model, model: tf.keras.Model) -> None:
        self._source = source
        self.model = model

    def refresh(self) -> None:
        """Takes over the weights as they are now; all workers have to call it."""
        for own, other in zip(self.model.variables, self._source.variables):
            own.assign(other.read_value())
