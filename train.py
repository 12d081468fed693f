"""Trains a video embedding without labels, or goes on with a run.

python train.py --model=slow --loss=ir --data_dir=DATA --model_dir=RUN

With --show_batch=8 or --check_input it looks at the input of that run instead.
"""

from __future__ import annotations

from flags import (
    cli,
    data,
    distribution,
    knn,
    loss,
    model,
    optimization,
    rehearsal,
    run,
    streams,
    training,
)
from vie_tf.config import RunConfig


def main() -> None:
    """Flags -> config -> one call."""
    train = training.train_config(
        run.model_dir(), streams.single_from(), streams.dynamic_from()
    )
    config = RunConfig(
        data=data.data_config(),
        model=model.model_config(streams.static_frames(), data.crop_size()),
        loss=loss.loss_config(
            starts_from_run=bool(train.init_from),
            weight_decay=optimization.weight_decay(),
        ),
        train=train,
        knn=knn.knn_config(),
        distribution=distribution.distribution_config(),
    )
    # Here, so that --help need not wait for TensorFlow.
    if rehearsal.show_batch() or rehearsal.check_input():
        from vie_tf.training.dry_run import check_input, show_batch

        if rehearsal.show_batch():
            show_batch(config, rehearsal.show_batch())
        if rehearsal.check_input():
            check_input(config)
        return
    from vie_tf.training import loop

    loop.train(config)


if __name__ == "__main__":
    stations = [data, model, streams, loss, optimization, training, knn, run]
    cli.run(main, [*stations, distribution, rehearsal])
