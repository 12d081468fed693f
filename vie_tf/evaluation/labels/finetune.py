"""Fine-tuning: all layers learn the labels of another data set (table 2, appendix E).

What comes out is the run of a supervised network in `RUN/eval/finetune-DATA`, which
evaluate.py takes as its --model_dir like any other.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

import tensorflow as tf

from vie_tf.config import (
    FinetuneConfig,
    KnnConfig,
    LossConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.evaluation import data_checks, results
from vie_tf.evaluation.labels import finetune_results, training
from vie_tf.evaluation.labels import settings as label_settings
from vie_tf.evaluation.labels.finetune_results import TASK
from vie_tf.evaluation.labels.folder import locked_folder
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.keras import keras
from vie_tf.metrics.validation import SoftmaxValidation
from vie_tf.models.from_config import build_model
from vie_tf.models.heads import MultiScaleRelation
from vie_tf.models.two_stream import TwoStream
from vie_tf.objectives.supervised import Supervised
from vie_tf.runs.schedules import TF1MomentumSGD
from vie_tf.runs.state import TrainState
from vie_tf.storage.errors import UserError
from vie_tf.training.distribution import Distribution

_HEAD = "softmax"


class FineTuning(Supervised):
    """The softmax loss of a classifier, with dropout of its pooled features.

    Args:
      model: the classifier.
      dropout: fraction of the pooled features that a step leaves out.
      seed: seed of which.
    """

    title = ""

    def __init__(self, model: keras.Model, dropout: float, seed: int) -> None:
        self._model, self._dropout, self._seed = model, dropout, seed

    def logits(
        self, endpoints: dict[str, tf.Tensor], step: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Computes logits [B, C] in replica context, with dropout drawn by step."""
        if not self._dropout:
            return {_HEAD: endpoints["logits"]}
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        number = step * context.num_replicas_in_sync + replica
        # A function of the seed, so that a training goes on with the same bits.
        seed = tf.stack([tf.constant(self._seed, tf.int64), number])
        pooled = tf.nn.experimental.stateless_dropout(
            endpoints["pooled"], self._dropout, seed
        )
        return {_HEAD: self._model.classify(pooled)}


def evaluate_finetune(
    runs: Sequence[RestoredRun],
    settings: FinetuneConfig,
    *,
    start_over: bool = False,
    devices: Distribution | None = None,
) -> dict[str, Any]:
    """Trains and tests on every split; writes and prints `eval/finetune-DATA.json`.

    Args:
      runs: the same network, with the data of each split.
      settings: settings of the training.
      start_over: whether trainings that are there are removed.
      devices: devices that share a batch; None takes all of this machine.

    Raises:
      UserError: the data or the settings do not suit.
    """
    for run in runs:
        data_checks.check_all_labels(run, TASK)
        data_checks.check_clips(run)
        data_checks.check_val_split(run, TASK)
    _check_splits(runs)
    # Also with `start_over`, which is about the trainings of these splits.
    names = [run.data_name for run in runs]
    results.check_free(runs[0], finetune_results.task_name(runs[0], settings), names)
    if settings.dropout and runs[0].config.model.trn_head != "concat":
        raise UserError(
            f"--dropout={settings.dropout:g} is for networks whose pooled features go"
            f" into one dense layer, not for --trn_head="
            f"{runs[0].config.model.trn_head}: leave it out."
        )
    devices = devices or Distribution(tf.distribute.MirroredStrategy())
    splits = [_tune_on_split(run, settings, start_over, devices) for run in runs]
    return finetune_results.save(runs, settings, splits)


def _check_splits(runs: Sequence[RestoredRun]) -> None:
    names = [run.data_name for run in runs]
    if len(set(names)) < len(names):
        raise UserError(
            f"--splits has folders of the same name ({', '.join(names)}), by which the"
            " results are told apart: rename them."
        )
    classes = [run.manifest.class_names for run in runs]
    for name, of_split in zip(names, classes):
        if of_split != classes[0]:
            raise UserError(
                f"--splits are to have the same classes, but {names[0]!r} and {name!r}"
                f" have {len(classes[0])} and {len(of_split)}, of which"
                f" {len(set(classes[0]) ^ set(of_split))} are in one of them only."
            )


def _tune_on_split(
    run: RestoredRun, settings: FinetuneConfig, start_over: bool, devices: Distribution
) -> dict[str, Any]:
    settings = label_settings.complete(settings, run)
    devices.check_divides(settings.batch_size)
    with devices.strategy.scope():
        state = _make_state(run, settings)

    def logits_of(clips: tf.Tensor) -> dict[str, tf.Tensor]:
        return {_HEAD: state.model(clips, training=False)["logits"]}

    def test_on(num_clips: int | None) -> SoftmaxValidation:
        return training.make_validation(run, TASK, [_HEAD], logits_of, num_clips)

    test = test_on(settings.num_clips)
    print(f"Fine-tuning {run.config.model.name} on {run.data_dir}.", flush=True)
    name = finetune_results.task_name(run, settings)
    with locked_folder(run, name, settings, start_over) as folder:
        folder.save_config(_config(run, settings, folder.model_dir), run.manifest)
        scores = training.train(
            state, run, settings, folder, devices, test, keeps_best=True
        )
        if finetune_results.is_consecutive(run, settings):
            scores = test_on(None)("testing")
        elif scores is None:
            scores = test("testing")
        best = folder.checkpoints.best_metadata() or {}
        return {
            "data": run.data_name,
            **scores.heads[_HEAD],
            "num_train": len(run.instances.videos),
            "num_queries": scores.num_queries,
            "num_skipped": len(test.labels) - scores.num_queries,
            "steps": state.steps_taken(),
            "best_step": best.get("step"),
            "best_validation_top1": best.get("score"),
            "folder": folder.model_dir,
        }


def _make_state(run: RestoredRun, settings: FinetuneConfig) -> TrainState:
    """Makes the state before the first step: trained weights below a new layer.

    Weight decay is that of pre-training, on all weights but those of batch norm, since
    the paper names no other; the authors' code decays the new layer alone.  That layer
    starts as all dense layers here do, uniformly within Glorot's bounds, and not at a
    truncated normal of variance 2 / F as theirs: at its rate the start is soon
    forgotten.
    """
    num_classes = len(run.manifest.class_names)
    config = dataclasses.replace(run.config.model, num_classes=num_classes)
    model = build_model(config, settings.seed)
    if not settings.from_scratch:
        _take_weights(model, run.model)
    return TrainState(
        model=model,
        optimizer=TF1MomentumSGD(settings.learning_rate, settings.momentum),
        objective=FineTuning(model, settings.dropout, settings.seed),
        scales_loss=config.precision == "mixed_float16",
    )


def _take_weights(model: keras.Model, trained: keras.Model) -> None:
    """Gives a network all weights of another but those of its last layer."""
    if isinstance(model, TwoStream):
        _take_weights(model.static_stream, trained.static_stream)
        _take_weights(model.dynamic_stream, trained.dynamic_stream)
        return
    model.backbone.set_weights(trained.backbone.get_weights())
    if isinstance(model.head, MultiScaleRelation):
        for layer, of_trained in zip(
            model.head.hidden_layers, trained.head.hidden_layers
        ):
            layer.set_weights(of_trained.get_weights())


def _config(run: RestoredRun, settings: FinetuneConfig, path: str) -> RunConfig:
    """Returns settings by which the fine-tuned network is a run of its own."""
    num_classes = len(run.manifest.class_names)
    shared = {field.name for field in dataclasses.fields(TrainConfig)}
    values = {k: v for k, v in vars(settings).items() if k in shared}
    return RunConfig(
        data=run.data,
        model=dataclasses.replace(run.config.model, num_classes=num_classes),
        loss=LossConfig(name="supervised", weight_decay=settings.weight_decay),
        train=TrainConfig(model_dir=path, **values),
        knn=KnnConfig(num_clips=settings.num_clips),
    )
