"""Checks the input of a run without training: a picture of clips, and its speed."""

from __future__ import annotations

import os

import tensorflow as tf

from vie_tf.config import DistributionConfig, RunConfig
from vie_tf.input.inspection import batch_picture, input_rates
from vie_tf.input.instances import Instances
from vie_tf.models.from_config import clip_recipe
from vie_tf.storage.manifest import Manifest
from vie_tf.terminal.wording import counted
from vie_tf.training import distribution, start
from vie_tf.training.setup import complete_settings
from vie_tf.training.step import make_train_step

PICTURE_NAME = "batch.png"
_SECONDS = 5.0  # of each measurement


def show_batch(config: RunConfig, num_clips: int) -> str:
    """Draws the first clips of a run, before and after augmentation.

    Returns:
      Path of the picture, in the folder of the run, which is made if it is missing.
    """
    config, manifest, instances = _prepare(config)
    clips = start.clips_of_run(config, manifest, instances)
    examples = [clips.example(position) for position in range(num_clips)]
    recipe = clip_recipe(config.model)
    title = (
        f"{config.model.name}: clips of {recipe.num_frames} x {recipe.crop_size} x"
        f" {recipe.crop_size}, --crop={config.data.crop} --color={config.data.color}."
        " Above: stored frames and window. Below: what the network sees."
    )
    path = os.path.join(config.train.model_dir, PICTURE_NAME)
    batch_picture.draw(examples, title).save(path)
    print(
        f"Wrote {path}: {counted(num_clips, 'clip')}, each before and after"
        " augmentation."
    )
    return path


def check_input(config: RunConfig) -> input_rates.InputRates:
    """Measures the input of a run and its training step, and prints the result."""
    config, manifest, instances = _prepare(config)
    # Without the other workers, if there are any.
    own = DistributionConfig(num_replicas=config.distribution.num_replicas)
    strategy = distribution.join(own).strategy
    clips = start.clips_of_run(config, manifest, instances)
    with strategy.scope():
        state = start.make_state(config, instances.labels)
    step = make_train_step(
        *(state, state.objective.at(0), strategy),
        *(config.train, config.loss.weight_decay),
    )

    def take_step(batch: dict) -> None:
        whole = tf.data.Dataset.from_tensors(batch).unbatch().batch(len(batch["rows"]))
        (shared,) = strategy.experimental_distribute_dataset(whole)
        step(shared)["loss"].numpy()

    print("Measuring; this takes half a minute ...", flush=True)
    rates = input_rates.measure(clips, take_step, _SECONDS)
    has_gpu = bool(tf.config.list_logical_devices("GPU"))
    print(rates.table())
    print(rates.advice(config.data.color, has_gpu))
    return rates


def _prepare(config: RunConfig) -> tuple[RunConfig, Manifest, Instances]:
    manifest = Manifest.load(config.data.data_dir)
    instances = Instances.from_config(config.data, manifest)
    return complete_settings(config, manifest, instances), manifest, instances
