"""Where a run begins: at its own checkpoint, at that of another run, or at nothing."""

from __future__ import annotations

import tensorflow as tf

from vie_tf import schedules, streams
from vie_tf.checkpoints import RunDirectory
from vie_tf.config import RunConfig
from vie_tf.records import Manifest
from vie_tf.train_state import TrainState


def restore_or_start(
    state: TrainState, run: RunDirectory, config: RunConfig, manifest: Manifest
) -> None:
    """Own checkpoint, else that of other runs, else from scratch: in this order.

    Args:
      state: at step 0; call in the strategy's scope.
      run: folder of the run.
      config: of the run.
      manifest: of its data.

    Raises:
      ValueError: a checkpoint that does not fit, or none where one was asked for.
    """
    if run.latest():
        _restore(state, run, config, manifest)
        print(f"Going on from {run.latest()}.")
    elif config.train.init_from:
        origin = RunDirectory(config.train.init_from)
        if not tf.io.gfile.isdir(config.train.init_from):
            raise ValueError(
                f"--init_from={config.train.init_from}: there is no such folder. Give"
                " the --model_dir of an earlier run."
            )
        _restore(state, origin, config, manifest)
        # The other run's plateaus are not this one's.
        state.set_plateau(schedules.Plateau())
        print(f"Starting from {origin.latest()}.")
    elif config.train.single_from and config.train.dynamic_from:
        streams.restore_streams(
            state.model, config.train.single_from, config.train.dynamic_from
        )
        print(
            f"Starting from the networks of {config.train.single_from} and"
            f" {config.train.dynamic_from}, with a new memory bank."
        )
    else:
        print("Starting from scratch.")


def _restore(
    state: TrainState, run: RunDirectory, config: RunConfig, manifest: Manifest
) -> None:
    bank_grows = run.check_videos(config, manifest)
    num_new_rows = run.restore(state, bank_grows)
    if num_new_rows:
        print(
            f"Videos were appended to {config.data.data_dir}: {num_new_rows} rows of"
            " the memory bank are new and start at random."
        )
