"""Where a run begins: at its own checkpoint, at that of another run, or at nothing."""

from __future__ import annotations

import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.runs import schedules, streams
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import Manifest


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
        with_head = not _is_of_single_frames(origin, config)
        _restore(state, origin, config, manifest, with_head)
        # The other run's plateaus are not this one's, nor are its validations.
        state.set_plateau(schedules.Plateau())
        state.validated_at.assign(state.step)
        but_head = "" if with_head else ", with a new head"
        print(f"Starting from {origin.latest()}{but_head}.")
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


def _is_of_single_frames(origin: RunDirectory, config: RunConfig) -> bool:
    """Whether a run of `trn` starts from one of `single`.

    The networks of their frames are the same.  The authors' VIE-TRN started from their
    last VIE-Single.

    Raises:
      ValueError: the embeddings have other dimensions, so that its bank is of no use.
    """
    old = origin.load_config()[0].model
    if (old.name, config.model.name) != ("single", "trn"):
        return False
    if old.embedding_dim != config.model.embedding_dim:
        raise ValueError(
            f"--init_from={origin.model_dir}: its memory bank has"
            f" {old.embedding_dim} dimensions. Give --embedding_dim="
            f"{old.embedding_dim}."
        )
    return True


def _restore(
    state: TrainState,
    run: RunDirectory,
    config: RunConfig,
    manifest: Manifest,
    with_head: bool = True,
) -> None:
    bank_grows = run.check_videos(config, manifest)
    num_new_rows = run.restore(state, bank_grows, with_head)
    if num_new_rows:
        print(
            f"Videos were appended to {config.data.data_dir}: {num_new_rows} rows of"
            " the memory bank are new and start at random."
        )
