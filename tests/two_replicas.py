"""Trains on one and on two logical CPUs, for `test_replicas`.

A process of its own, since devices cannot be divided once TensorFlow has started, and
all other tests are about one device.

    python tests/two_replicas.py <folder of records> <folder for the results>
"""

import os
import sys

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import (
    grid_model,
    numbers_of,
    restored,
    use_grid_models,
    write_run,
)
from run_fixtures import (
    DIM,
    GridEmbedder,
    grid_state,
    random_clips,
    run_config,
    unit_rows,
)

from vie_tf import clustering, distribution, train_loop, train_step
from vie_tf.config import FinetuneConfig, LinearConfig
from vie_tf.evaluation import finetune_task, linear_task
from vie_tf.memory_bank import MemoryBank
from vie_tf.models.blocks import BatchNormRelu, Conv
from vie_tf.run_setup import build_model
from vie_tf.schedules import Momentum
from vie_tf.train_state import TrainState

NUM_STEPS = 20
# Global batches of four; video 3 is in both halves of the first.
ROWS = np.random.default_rng(0).integers(0, 10, 4 * NUM_STEPS)
ROWS[:8] = 3, 7, 3, 9, 0, 3, 1, 2
# Settings of the loss by the names of their results.
STEPS = {
    "ir": {},
    "ir_of_batch_normalizer": {"ir_normalizer": "batch"},
    "la": {},
}
RESNET = {"name": "single", "num_frames": 1}


def take_steps(strategy, name):
    """Steps on given clips; returns the numbers that each replica ends with."""
    loss = {"weight_decay": 0.01, **STEPS[name]}
    config = run_config("data", learning_rate=0.1, loss=loss)
    with strategy.scope():
        state = grid_state(np.zeros(10))
    state.bank.rows.assign(unit_rows(10))
    state.cluster_labels.assign([np.arange(10) % 3])
    step = train_step.make_train_step(config, state, strategy, name[:2])
    videos = {"clips": random_clips(len(ROWS)), "rows": ROWS}
    batches = tf.data.Dataset.from_tensor_slices(videos).batch(4)
    scalars = [step(b) for b in strategy.experimental_distribute_dataset(batches)]

    def of_replicas(variable):
        return [copy.numpy() for copy in strategy.experimental_local_results(variable)]

    return {
        "bank": of_replicas(state.bank.rows),
        "kernel": of_replicas(state.model.dense.kernel),
        "accumulator": of_replicas(state.optimizer.accumulators[0]),
        "steps": of_replicas(state.step),
        "last_written": of_replicas(state.row_ages.last_written),
        **{name: [float(s[name]) for s in scalars] for name in sorted(scalars[0])},
    }


class SynchronisedNet(tf.keras.Model):
    """Two convolutions with synchronised batch norm, their means and a dense layer."""

    def __init__(self):
        super().__init__(name="synchronised")
        self.convolutions = [Conv(size, (1, 3, 3), (1, 2, 2)) for size in (8, 16)]
        self.norms = [BatchNormRelu() for _ in self.convolutions]
        for norm in self.norms:
            norm.synchronize()
        self.dense = tf.keras.layers.Dense(DIM)
        tf.keras.utils.set_random_seed(0)
        self(tf.zeros([1, 1, 64, 64, 3], tf.uint8))

    def call(self, clips, training=False):
        features = tf.cast(clips[:, 0], tf.float32) / 255 - 0.5
        for convolution, norm in zip(self.convolutions, self.norms):
            features = norm(convolution(features), training=training)
        raw = self.dense(tf.reduce_mean(features, axis=[1, 2]))
        return {"embedding": tf.math.l2_normalize(raw, axis=1)}


def resnet(**settings):
    """A quick ResNet-18."""
    return build_model(run_config("data", model={**RESNET, **settings}).model, 0)


def frozen_resnet():
    """A quick ResNet-18 whose batch norm is a constant."""
    model = resnet()
    for module in model.submodules:
        if isinstance(module, BatchNormRelu):
            module.trainable = False
    return model


# Network and number of steps.  Twenty steps of an untrained ResNet with batch norm
# over few clips are chaotic: rounding grows fivefold a step.
NETWORKS = {
    "frozen_resnet": (frozen_resnet, NUM_STEPS),
    "synchronised": (SynchronisedNet, NUM_STEPS),
    "synchronised_resnet": (lambda: resnet(sync_batch_norm=True), 1),
}


def train_network(strategy, name):
    """Steps of IR from the start of a network; returns losses and numbers."""
    make_network, num_steps = NETWORKS[name]
    config = run_config("data", batch_size=8)
    with strategy.scope():
        state = TrainState(
            model=make_network(),
            optimizer=Momentum(config.train.learning_rate, 0.9),
            bank=MemoryBank(np.zeros(10, np.int64), DIM, 0),
            num_clusterings=1,
        )
    step = train_step.make_train_step(config, state, strategy, "ir")
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 10, [NUM_STEPS, 8])
    rows[0, 1] = rows[0, 0]  # a video twice on one replica,
    rows[1, 7] = rows[1, 0]  # and on both
    clips = rng.integers(0, 256, [NUM_STEPS * 8, 1, 64, 64, 3], dtype=np.uint8)
    videos = {"clips": clips, "rows": rows.ravel()}
    batches = tf.data.Dataset.from_tensor_slices(videos).batch(8).take(num_steps)
    losses = [
        float(step(batch)["loss"])
        for batch in strategy.experimental_distribute_dataset(batches)
    ]

    def flat(variables):
        return np.concatenate([variable.numpy().ravel() for variable in variables])

    return {
        "losses": losses,
        "gradients": flat(state.optimizer.accumulators),  # summed over the steps
        "bank": state.bank.rows.numpy(),
        "weights": flat(state.model.variables),  # moving statistics included
    }


def cluster(strategy, num_rows):
    """k-means of random rows; returns all that it finds."""
    found = clustering.k_means(unit_rows(num_rows), 5, strategy=strategy)
    return {"labels": found.labels, "centroids": found.centroids}


def train_on_labels(data_dir, model_dir, strategy):
    """Read-outs and fine-tuning of a quick network; the kernels of all read-outs."""
    make_strategy, one = tf.distribute.MirroredStrategy, pytest.MonkeyPatch()
    tf.distribute.MirroredStrategy = lambda *_: strategy
    use_grid_models(one)
    one.setattr(linear_task, "build_model", grid_model)
    try:
        write_run(model_dir, data_dir)
        run = restored(model_dir, data_dir)
        shared = {"train_steps": 6, "batch_size": 4, "num_clips": 1}
        linear_task.evaluate_linear(run, LinearConfig(**shared))
        finetune_task.evaluate_finetune([run], FinetuneConfig(**shared, dropout=0.5))
    finally:
        tf.distribute.MirroredStrategy = make_strategy
        one.undo()
    numbers = numbers_of(f"{run.eval_dir}/linear")
    return np.concatenate(
        [numbers[name].ravel() for name in sorted(numbers) if "/kernels/" in name]
    )


def train(data_dir, model_dir, strategy, **settings):
    """A run on the devices of this strategy."""
    join = distribution.join
    distribution.join = lambda _: distribution.Distribution(strategy)
    try:
        train_loop.train(run_config(data_dir, model_dir, **settings))
    finally:
        distribution.join = join


def error_of_train(data_dir, model_dir, strategy, **settings):
    """The message of the error that a run stops with."""
    try:
        train(data_dir, model_dir, strategy, **settings)
    except ValueError as error:
        return str(error)
    return "none"


def main():
    """Writes steps.npz and three runs."""
    data_dir, output_dir = sys.argv[1:]
    cpu = tf.config.list_physical_devices("CPU")[0]
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    # Made once: two strategies on the same devices mix up their collective operations.
    one = tf.distribute.MirroredStrategy(["/cpu:0"])
    two = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    results = {"error": error_of_train(data_dir, output_dir, two, batch_size=3)}
    for number, strategy in ((1, one), (2, two)):
        for steps in STEPS:
            for name, value in take_steps(strategy, steps).items():
                results[f"{steps}/{name}/{number}"] = value
        for network in NETWORKS:
            for name, value in train_network(strategy, network).items():
                results[f"{network}/{name}/{number}"] = value
        for num_rows in (5, 301):  # not to be divided by two
            for name, value in cluster(strategy, num_rows).items():
                results[f"clusters_of_{num_rows}/{name}/{number}"] = value
        folder = os.path.join(output_dir, f"labels_{number}")
        results[f"read_outs/{number}"] = train_on_labels(data_dir, folder, strategy)
    np.savez(os.path.join(output_dir, "steps.npz"), **results)
    train(
        data_dir, os.path.join(output_dir, "resnet"), two, model=RESNET, train_steps=1
    )
    train_loop.build_model = lambda model, seed: GridEmbedder(seed=seed)
    train(data_dir, os.path.join(output_dir, "grid_1"), one, train_steps=4)
    train(data_dir, os.path.join(output_dir, "grid_2"), two, train_steps=4)


if __name__ == "__main__":
    main()
