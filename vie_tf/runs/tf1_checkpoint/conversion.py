"""A TF1 checkpoint -> a network, or a run directory.

Comes in: what the `tf.train.Saver` of the authors' code has written.  Goes out: a run
directory, from which train.py and evaluate.py go on, or the weights of a network
(`restore`).  Every variable is accounted for: what a run could use but the checkpoint
does not have is reported, and so is what the checkpoint has but was not used.
"""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import tensorflow as tf

from vie_tf.config import (
    DataConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.keras import keras
from vie_tf.models import tf1_names
from vie_tf.models.from_config import build_model, with_family_defaults
from vie_tf.objectives import objective_class
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.schedules import TF1MomentumSGD
from vie_tf.runs.state import TrainState
from vie_tf.runs.tf1_checkpoint.reader import Targets, Tf1Checkpoint
from vie_tf.runs.tf1_checkpoint.report import LABELS, Report
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, Manifest

_BANK = "instance/memory_bank"
_CLUSTERS = "instance/cluster_labels"
_STEP = "global_step"
_SLOT = "{}/Momentum"
_KINDS_OF_THE_BANK = ("memory bank", "cluster labels", "labels")

# Rows of the same videos have the same labels up to mistakes in the lists; shuffled
# rows of Kinetics' 400 classes agree for about one in a hundred.
_MIN_LABEL_AGREEMENT = 0.9


@dataclasses.dataclass(frozen=True)
class MadeRun:
    """A run directory that was made from a checkpoint.

    Attributes:
      config: settings of the run.
      report: what became of the checkpoint's variables.
      step: number of steps taken.
      num_videos: number of rows of the memory bank.
    """

    config: RunConfig
    report: Report
    step: int
    num_videos: int

    def describe(self) -> str:
        """Says in two lines what was written and how to go on."""
        origin = (
            "from the checkpoint" if "memory bank" in self.report.matched else "random"
        )
        defaults, settings = ModelConfig(), self.config.model
        flags = [f"--model={settings.name}", f"--loss={self.config.loss.name}"]
        flags += [
            f"--{name}={getattr(settings, name)}"
            for name in ("resnet_size", "num_filters")
            if getattr(settings, name) != getattr(defaults, name)
        ]
        if self.config.loss.la_num_clusterings != LossConfig.la_num_clusterings:
            flags.append(f"--la_num_clusterings={self.config.loss.la_num_clusterings}")
        model_dir = self.config.train.model_dir
        return (
            f"Wrote {model_dir}: step {self.step}, a memory bank of"
            f" {self.num_videos} rows ({origin}).\n"
            f"Go on with: python train.py {' '.join(flags)} --model_dir={model_dir}"
            f" --data_dir={self.config.data.data_dir or 'DATA'}"
        )


def restore(model: keras.Model, path: str) -> Report:
    """Reads the weights and the moving statistics of a network.

    Args:
      model: network from `vie_tf.models.build`, of the checkpoint's family.
      path: path of the files of a checkpoint of the authors' code, up to `.index`.

    Returns:
      What became of every variable; what is not part of the network is left over.

    Raises:
      UserError: there is no such checkpoint, or it belongs to another network; the
        model keeps its weights.
    """
    return Tf1Checkpoint(path).read(_network(model), model.name)


def make_run(
    settings: ModelConfig,
    path: str,
    model_dir: str,
    data_dir: str | None = None,
    fresh_bank: bool = False,
) -> MadeRun:
    """Makes a run directory that stands where a checkpoint of the authors' code stood.

    Args:
      settings: settings of the network.
      path: path of the checkpoint's files up to `.index`.
      model_dir: folder of the run, new or empty.
      data_dir: folder of the training videos; may be left out if the checkpoint has a
        bank.
      fresh_bank: whether the bank starts at random although the checkpoint has one.

    Raises:
      UserError: the checkpoint does not fit the network or the data, or the folder is
        not empty; nothing was written.
    """
    _check_is_empty(model_dir)
    manifest = Manifest.load(data_dir) if data_dir else None
    checkpoint = Tf1Checkpoint(path)
    uses_bank = _BANK in checkpoint.shapes and not fresh_bank
    config = _config(checkpoint, settings, model_dir, data_dir, uses_bank)
    model = build_model(config.model, config.train.seed)
    # First, so that a checkpoint of another network is called just that.
    checkpoint.check(_network(model), model.name)
    labels = _labels(checkpoint, manifest, uses_bank)
    # `clustered_at` stays at never: like the authors' code, a run that goes on
    # clusters before its first step of LA.
    objective = objective_class(config.loss.name).from_config(config, np.array(labels))
    optimizer = TF1MomentumSGD(config.train.learning_rate, config.train.momentum)
    state = TrainState(model, optimizer, objective)
    unused = () if uses_bank else _KINDS_OF_THE_BANK
    if manifest is None:
        unused = (*unused, "labels")  # a run takes its labels from its data
    their_labels = tf.Variable(tf.zeros([len(labels)], tf.int64), trainable=False)
    targets = {**_network(model), **_rest_of_state(state, their_labels)}
    report = checkpoint.read(targets, model.name, unused)
    if "labels" in report.matched:
        _check_same_order(path, their_labels.numpy(), np.array(labels))
    run = RunDirectory(model_dir)
    # The settings last: a folder with settings alone would be a run at step 0.
    run.save(state)
    run.save_config(config, manifest)
    return MadeRun(config, report, state.steps_taken(), len(labels))


def _check_is_empty(model_dir: str) -> None:
    if files.exists(model_dir) and (
        not files.is_folder(model_dir) or files.names_in(model_dir)
    ):
        raise UserError(
            f"--model_dir={model_dir} exists and is not empty. Give a folder that is"
            " new or empty."
        )


def _config(
    checkpoint: Tf1Checkpoint,
    settings: ModelConfig,
    model_dir: str,
    data_dir: str | None,
    uses_bank: bool,
) -> RunConfig:
    """Settings of the run: those that cannot change later are the checkpoint's."""
    loss = LossConfig()
    if uses_bank and _CLUSTERS in checkpoint.shapes:
        shape = checkpoint.shapes[_CLUSTERS]
        # Labels of another rank are refused when they are read.
        num_clusterings = shape[0] if len(shape) == 2 else 1
        loss = LossConfig(name="la", la_num_clusterings=num_clusterings)
    return with_family_defaults(
        RunConfig(
            data=DataConfig(data_dir or ""),
            model=settings,
            loss=loss,
            train=TrainConfig(model_dir),
            knn=KnnConfig(),
        )
    )


def _network(model: keras.Model) -> Targets:
    return {
        name: ("moving statistics" if "/moving_" in name else "weights", variable)
        for name, variable in tf1_names(model).items()
    }


def _rest_of_state(state: TrainState, labels: tf.Variable) -> Targets:
    """What a run has besides its network."""
    assert state.bank is not None
    names = {variable.ref(): name for name, variable in tf1_names(state.model).items()}
    slots = zip(state.model.trainable_variables, state.optimizer.accumulators)
    targets = {
        _SLOT.format(names[variable.ref()]): ("momentum", slot)
        for variable, slot in slots
    }
    targets[_BANK] = ("memory bank", state.bank.rows)
    if isinstance(state.objective, LocalAggregation):
        targets[_CLUSTERS] = ("cluster labels", state.objective.cluster_labels)
    targets[LABELS] = ("labels", labels)
    targets[_STEP] = ("step", state.step)
    return targets


def _labels(
    checkpoint: Tf1Checkpoint, manifest: Manifest | None, uses_bank: bool
) -> list[int]:
    """Labels of the rows of the run's bank, as far as they are known."""
    path, size = checkpoint.path, None
    if uses_bank:
        size = (checkpoint.shapes[_BANK] or [0])[0]
    if manifest is None:
        if size is None:
            raise UserError(
                f"The run gets no memory bank from {path}, and a new one needs a row"
                " for every training video. Give their --data_dir."
            )
        return [NO_LABEL] * size
    labels = [video.label for video in manifest.split(TRAIN_SPLIT)]
    if size is not None and size != len(labels):
        raise UserError(
            f"The memory bank of {path} has {size} rows, but the data has {len(labels)}"
            " training videos. Give the --data_dir that it was trained on, or"
            " --fresh_bank to start a new bank for these videos."
        )
    return labels


def _check_same_order(path: str, theirs: np.ndarray, ours: np.ndarray) -> None:
    """Raises UserError where the rows of the bank seem to belong to other videos.

    A run takes row i to belong to the i-th training video, whatever it was in TF1.
    `theirs` are 0 until the first step of a video, `ours` may be `NO_LABEL`; both [N].
    """
    known = (theirs > 0) & (ours != NO_LABEL)
    if not known.any():
        return
    pairs = collections.Counter(zip(theirs[known].tolist(), ours[known].tolist()))
    # Classes may be numbered differently, so each class of theirs is taken to be that
    # class of ours which most of its rows have.
    most: dict[int, int] = collections.defaultdict(int)
    for (label, _), count in pairs.items():
        most[label] = max(most[label], count)
    agreement = sum(most.values()) / known.sum()
    if agreement < _MIN_LABEL_AGREEMENT:
        raise UserError(
            f"The memory bank of {path} belongs to other videos than the data, or has"
            f" them in another order: only {agreement:.0%} of its rows have the data's"
            " label. Convert the videos in the order of the bank, or give --fresh_bank"
            " to start a new one."
        )
