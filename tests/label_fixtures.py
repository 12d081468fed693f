"""Runs and data for tests of what is trained on labels."""

import numpy as np
import tensorflow as tf
from record_fixtures import write_data_set
from run_fixtures import run_config

from vie_tf import train_loop
from vie_tf.checkpoints import RunDirectory
from vie_tf.config import DataConfig
from vie_tf.evaluation import finetune_task, restored_run
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.models.blocks import BatchNormRelu
from vie_tf.models.embedder import Classifier, Embedder
from vie_tf.models.relation import FrameConcat
from vie_tf.models.resnet import READ_OUTS
from vie_tf.records import Manifest
from vie_tf.run_setup import with_family_defaults

NUM_CLASSES = 3
COLOURS = np.array([[220, 30, 30], [30, 220, 30], [30, 30, 220]], np.uint8)
SINGLE = {"name": "single", "num_frames": 1, "frame_interval": 1}


class GridBackbone(tf.keras.layers.Layer):
    """Mean colours of a 4 x 4 grid after batch norm, in place of a ResNet.

    Its layers have 96, 192, ... 480 features, so that none is taken for another.
    """

    def __init__(self):
        super().__init__()
        self.norm = BatchNormRelu()
        self.norm.momentum = 0.5
        self.dense = tf.keras.layers.Dense(8)

    def call(self, clips, training=False):
        frames = tf.reshape(clips, [-1, *clips.shape[2:]])
        size = clips.shape[2] // 4
        cells = tf.nn.avg_pool2d(frames, size, size, "VALID")
        cells = self.norm(tf.concat([cells, -cells], axis=-1), training=training)
        cells = tf.reshape(cells, [-1, clips.shape[1], 4, 4, 6])  # [B, T, 4, 4, 6]
        activations = {
            block: tf.tile(cells, [1, 1, 1, 1, number + 1])
            for number, block in enumerate(READ_OUTS.values())
        }
        features = self.dense(tf.reduce_mean(cells, axis=[1, 2, 3]))
        return activations, features[:, None]


def grid_model(config, seed):
    """Makes a network of `GridBackbone`; stands in for `run_setup.build_model`."""
    tf.keras.utils.set_random_seed(seed)
    kind = Classifier if config.num_classes else Embedder
    head = FrameConcat(config.num_classes or config.embedding_dim)
    model = kind(GridBackbone(), head, config.num_frames, "slow")
    model(tf.zeros([1, config.num_frames, 32, 32, 3], tf.uint8))
    return model


def use_grid_models(monkeypatch):
    """Networks whose graphs are made in a second."""
    for module in (train_loop, restored_run, finetune_task):
        monkeypatch.setattr(module, "build_model", grid_model)


def write_colours(data_dir, num_train=9, num_val=6, num_classes=NUM_CLASSES, **options):
    """Videos of one colour per class, each with a gray square of its own."""
    sizes = (num_train, num_val, num_classes)
    videos = write_data_set(data_dir, *sizes, **options).videos
    labels = {video.id: video.label for video in videos}

    def frames_of(video_id, num_frames):
        frame = np.tile(COLOURS[labels[video_id] % 3], [36, 48, 1])
        frame[10:20, video_id % 30 : video_id % 30 + 10] = 128
        return [tf.io.encode_jpeg(frame).numpy()] * num_frames

    return write_data_set(data_dir, *sizes, make_frames=frames_of, **options)


def write_run(model_dir, data_dir, *, step=0, model=None, **settings):
    """A run whose checkpoint is the untrained network."""
    settings.setdefault("loss", None)
    config = run_config(data_dir, model_dir, model=model, **settings)
    manifest = Manifest.load(str(data_dir))
    config = with_family_defaults(config)
    state = train_loop.make_state(config, manifest)
    state.step.assign(step)
    directory = RunDirectory(str(model_dir))
    directory.save_config(config, manifest)
    directory.save(state)


def restored(model_dir, data_dir, **data):
    """The run with the data that it is evaluated on."""
    data.setdefault("color", "none")
    return RestoredRun.load(str(model_dir), DataConfig(str(data_dir), **data))


def numbers_of(folder):
    """All numbers of the newest checkpoint in a folder, by name."""
    reader = tf.train.load_checkpoint(RunDirectory(str(folder)).latest())
    names = reader.get_variable_to_shape_map()
    return {
        name: reader.get_tensor(name)
        for name in names
        if not name.startswith(("_CHECKPOINTABLE", "save_counter"))
    }


def stop_after(monkeypatch, module, num_steps):
    """Lets Ctrl-C come before the next step of a training."""
    real, taken = module.take_step, []

    def step(*arguments):
        if len(taken) == num_steps:
            raise KeyboardInterrupt
        taken.append(None)
        return real(*arguments)

    monkeypatch.setattr(module, "take_step", step)


def run_maker(root, data_dir, step=0):
    """Makes runs in folders of their own, evaluated on these videos or on others."""

    def make_run(name="run", data=None, **data_settings):
        folder = root / name
        if not folder.exists():
            write_run(folder, data_dir, step=step)
        return restored(folder, data or data_dir, **data_settings)

    return make_run
