"""Trains a video embedding without labels, or goes on with a run.

python train.py --model=slow --loss=ir --data_dir=DATA --model_dir=RUN

With --show_batch=8 or --check_input it looks at the input of that run instead.
"""

from __future__ import annotations

from typing import Sequence

from vie_tf.config import Preset, PresetConfig, RunConfig, TrainConfig
from vie_tf.flags import cli, shared
from vie_tf.flags import train as train_flags
from vie_tf.terminal.heartbeat import doing


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains, and returns the exit code."""
    return cli.run(_train, train_flags.GROUPS, __doc__, arguments)


def _train(flags: cli.Flags) -> None:
    config = settings_of_run(flags)
    dry_run = flags.config(train_flags.DryRunConfig)
    # Here, so that --help need not wait for TensorFlow.
    if dry_run.show_batch or dry_run.check_input:
        from vie_tf.training.dry_run import check_input, show_batch

        if dry_run.show_batch:
            show_batch(config, dry_run.show_batch)
        if dry_run.check_input:
            check_input(config)
        return
    data, model, loss = config.data, config.model, config.loss
    print(f"Training {model.name} by {loss.name} on {data.data_dir}.", flush=True)
    doing("loading TensorFlow")
    from vie_tf.training.train import train as train_run

    train_run(config)


def settings_of_run(flags: cli.Flags) -> RunConfig:
    """Builds the settings of the run from flags, preset and data.

    Raises:
      UserError: a flag is missing, two contradict each other, or there is no data set.
    """
    # First of what was given alone: a preset has to read the data, by TensorFlow.
    train_flags.config(flags)
    return train_flags.config(flags, _preset(flags))


def _preset(flags: cli.Flags) -> Preset:
    """Returns the values of --preset; but for the paper's, the data decide them."""
    name = flags.config(PresetConfig).preset
    if name == Preset.name:
        return train_flags.PAPER
    from vie_tf.runs import chosen_preset

    return chosen_preset.choose(
        name,
        shared.data_config(flags),
        flags.config(TrainConfig).model_dir,
        flags.all_given(),
        flags.shown,
    )
