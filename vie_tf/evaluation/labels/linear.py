"""Linear read-outs of conv1 .. conv5, trained on a frozen network (table 1)."""

from __future__ import annotations

from typing import Any, Sequence

import tensorflow as tf

from vie_tf.config import LinearConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.labels import protocol as label_protocol
from vie_tf.evaluation.labels import settings as label_settings
from vie_tf.evaluation.labels import training
from vie_tf.evaluation.labels.folder import LabelFolder
from vie_tf.evaluation.labels.training import SplitTest
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics import linear_probe
from vie_tf.metrics.video_logits import SplitLogits
from vie_tf.models.from_config import build_model
from vie_tf.models.resnet import PROBED_LAYERS
from vie_tf.runs.disk_full import disk_full_errors
from vie_tf.runs.schedules import TF1MomentumSGD
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import VAL_SPLIT

TASK = "linear"
LAYERS = tuple(PROBED_LAYERS)


class FrozenNetwork:
    """A network whose layers are read out; a `label_training.Learner`.

    Args:
      network: stays as it is, its batch norm in inference mode.
      recipe_size: T, height and width of its clips.
      num_classes: C.
      settings: of the training.
    """

    name = TASK
    keeps_best = False

    def __init__(
        self,
        network: tf.keras.Model,
        recipe_size: tuple[int, int],
        num_classes: int,
        settings: LinearConfig,
    ) -> None:
        self._network = network
        num_frames, crop_size = recipe_size
        clip = tf.zeros([1, num_frames, crop_size, crop_size, 3], tf.uint8)
        counts = {
            layer: features.shape[1] for layer, features in self.inputs(clip).items()
        }
        self._read_outs = linear_probe.LinearProbes(counts, num_classes)
        self.state = TrainState(
            model=self._read_outs,
            optimizer=TF1MomentumSGD(settings.learning_rate, settings.momentum),
            bank=None,
            num_clusterings=1,
        )
        self.decayed: Sequence[tf.Variable] = self._read_outs.trainable_variables

    def inputs(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features [B, F] float32 by layer."""
        endpoints = self._network(clips, training=False)
        return {
            layer: linear_probe.layer_features(endpoints[layer]) for layer in LAYERS
        }

    def logits(
        self, inputs: dict[str, tf.Tensor], seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Logits [B, C] by layer; nothing is random."""
        del seed
        return self._read_outs(inputs)

    def test_logits(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        """Logits [B, C] by layer."""
        return self._read_outs(self.inputs(clips))


def evaluate_linear(
    run: RestoredRun, settings: LinearConfig, *, start_over: bool = False
) -> dict[str, Any]:
    """Trains the read-outs and tests them; writes and prints `eval/linear.json`.

    Args:
      run: to be evaluated.
      settings: of the training.
      start_over: whether a training that is there is removed.

    Raises:
      ValueError: the data or the settings do not suit.
    """
    data_checks.check_all_labels(run, TASK)
    data_checks.check_clips(run)
    data_checks.check_val_split(
        run, TASK, ", or take a quick look by cross-validation: --quick"
    )
    if not start_over:
        results.check_free(run, TASK)
    settings = label_settings.complete(settings, run)
    strategy = tf.distribute.MirroredStrategy()
    training.check_devices(settings, strategy)
    with strategy.scope():
        learner = FrozenNetwork(
            _on_all_devices(run, strategy),
            (run.recipe.num_frames, run.recipe.crop_size),
            len(run.manifest.class_names),
            settings,
        )
    test = SplitTest(run, learner, settings.num_clips)
    with LabelFolder(run, TASK, settings, start_over) as folder:
        with disk_full_errors(folder.directory):
            logits = training.train(learner, run, settings, folder, strategy, test)
        if logits is None:
            logits = test("testing")
        scores = logits.accuracies(test.labels)
        return _save(run, settings, learner.state.steps_taken(), scores, logits)


def _on_all_devices(
    run: RestoredRun, strategy: tf.distribute.Strategy
) -> tf.keras.Model:
    """The run's network, with a copy of its weights on every device."""
    if strategy.num_replicas_in_sync == 1:
        return run.model
    model = build_model(run.config.model, run.config.train.seed)
    model.set_weights(run.model.get_weights())
    return model


def _save(
    run: RestoredRun,
    settings: LinearConfig,
    steps: int,
    scores: dict[str, dict[str, float]],
    logits: SplitLogits,
) -> dict[str, Any]:
    num_classes = len(run.manifest.class_names)
    num_videos = len(run.manifest.split(VAL_SPLIT))
    content = {
        "scores": scores,
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        "num_queries": len(logits.rows),
        "num_skipped": num_videos - len(logits.rows),
        "num_train": len(run.instances.videos),
        "settings": results.settings_of(run, settings),
        "steps": steps,
        "mode": "trained",
    }
    protocol = (
        f"softmax read-outs of {LAYERS[0]} .. {LAYERS[-1]} trained together for"
        f" {steps} steps of {settings.batch_size} augmented clips (crop"
        f" {run.data.crop}, color {run.data.color}){protocols.of_view(run)} on the"
        " frozen network; features averaged over time, and over 2 x 2 positions where"
        " there would be more than"
        f" {linear_probe.MAX_FEATURES:,}; SGD with momentum {settings.momentum:g},"
        f" {label_protocol.rate_in_words(settings)}, weight decay"
        f" {settings.weight_decay:g}; seed {settings.seed} of clips and their order;"
        " tested on the validation videos, logits"
        f" {protocols.of_clips(settings.num_clips)}"
    )
    result = results.save(run, TASK, protocol, content)
    print(lines(result))
    return result


def lines(result: dict[str, Any]) -> str:
    """The accuracies of the layers as a table."""
    classes = result["num_classes"]
    chance = {"top1": result["chance"], "top5": min(5 / classes, 1.0)}
    rows = {**result["scores"], "chance": chance}
    return "\n".join(
        [
            f"linear read-outs ({result['mode']}), {result['model']} at step"
            f" {result['step']}: {result['num_queries']} test videos,"
            f" {result['num_train']} training videos, {classes} classes",
            f"  {'':<22}{'top-1':>7}{'top-5':>8}",
            *(
                f"  {name:<22}{values['top1']:>7.1%}{values['top5']:>8.1%}"
                for name, values in rows.items()
            ),
            protocols.wrapped(result["protocol"]),
        ]
    )
