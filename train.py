"""Trains a video embedding without labels, or goes on with a run.

python train.py --model=slow --loss=ir --data_dir=DATA --model_dir=RUN
"""

from __future__ import annotations

from flags import cli, data, knn, loss, model, run, streams, training
from vie_tf.config import RunConfig


def main() -> None:
    """Flags -> config -> one call."""
    train = training.train_config(
        run.model_dir(), streams.single_from(), streams.dynamic_from()
    )
    config = RunConfig(
        data=data.data_config(),
        model=model.model_config(streams.static_frames()),
        loss=loss.loss_config(starts_from_run=bool(train.init_from)),
        train=train,
        knn=knn.knn_config(),
    )
    from vie_tf import train_loop  # here, so that --help need not wait for TensorFlow

    train_loop.train(config)


if __name__ == "__main__":
    cli.run(main, [data, model, streams, loss, training, knn, run])
