"""Values that all workers of a run must share, by names for the user."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import tensorflow as tf

from vie_tf.config import Role, RunConfig
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import Manifest


def from_config(
    config: RunConfig, manifest: Manifest, latest: str | None
) -> dict[str, Any]:
    """Returns settings other than the defaults, the data and the newest checkpoint."""
    values: dict[str, Any] = {
        setting.label: value
        for _, setting, value in config.settings()
        if setting.role is not Role.PLACE and value != setting.default
    }
    values["the videos of --data_dir"] = manifest.fingerprint()[:12]
    values["the last checkpoint in --model_dir"] = latest and os.path.basename(latest)
    values["TensorFlow"] = tf.__version__
    return values


def from_state(state: TrainState) -> dict[str, Any]:
    """Returns a digest of weights, optimizer, counters and objective.

    Call it outside of the strategy's scope.
    """
    digest = hashlib.sha256()
    variables = [*state.model.variables, *state.optimizer.variables()]
    variables += [state.step, state.position]
    for part in state.objective.checkpoint().values():
        variables += getattr(part, "variables", [part])
    for variable in variables:
        digest.update(variable.numpy().tobytes())
    return {"at the start the weights and bank": digest.hexdigest()[:12]}
