"""Linear probes of conv1 .. conv5, trained on a frozen network (table 1)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vie_tf.config import LinearConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.labels import settings as label_settings
from vie_tf.evaluation.labels import training
from vie_tf.evaluation.labels.folder import locked_folder
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.metrics import linear_probe
from vie_tf.metrics.validation import Scores
from vie_tf.models.embedder import ClipModel
from vie_tf.models.from_config import build_model
from vie_tf.models.resnet import PROBED_LAYERS
from vie_tf.objectives.supervised import Supervised
from vie_tf.runs.schedules import TF1MomentumSGD
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import VAL_SPLIT
from vie_tf.terminal.wording import counted
from vie_tf.training.distribution import Distribution

TASK = "linear"
LAYERS = tuple(PROBED_LAYERS)


class ProbedNetwork(linear_probe.LinearProbes):
    """Linear probes together with the frozen network whose layers they are given.

    The network is no part of what is trained or written to checkpoints.

    Args:
      network: network that stays as it is, its batch norm in inference mode.
      recipe: recipe of its clips.
      num_classes: C.
      pool_conv5: whether conv5 is averaged over space.
    """

    def __init__(
        self,
        network: ClipModel,
        recipe: ClipRecipe,
        num_classes: int,
        pool_conv5: bool = False,
    ) -> None:
        def features_of(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            features = {}
            for layer, streams in network.layer_streams(clips).items():
                pools = pool_conv5 and layer == LAYERS[-1]
                found = linear_probe.layer_features(*streams, over_space=pools)
                features[layer] = tf.stop_gradient(found)
            return features

        clip = tf.TensorSpec([1, *recipe.shape], tf.uint8)
        # Traced and not run: shapes are enough.
        traced = tf.function(features_of).get_concrete_function(clip)
        counts = {name: f.shape[1] for name, f in traced.structured_outputs.items()}
        super().__init__(counts, num_classes)
        self._features_of = features_of

    def __call__(
        self, clips: tf.Tensor, training: bool = False
    ) -> dict[str, tf.Tensor]:
        """Computes logits [B, C] by layer, from clips [B, T, H, W, C] uint8."""
        return super().__call__(self._features_of(clips))


class LinearReadout(Supervised):
    """The sum of the softmax losses of all probes."""

    title = ""

    def logits(
        self, endpoints: dict[str, tf.Tensor], step: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the outputs of `ProbedNetwork`."""
        return endpoints


def evaluate_linear(
    run: RestoredRun,
    settings: LinearConfig,
    *,
    start_over: bool = False,
    devices: Distribution | None = None,
) -> dict[str, Any]:
    """Trains and tests the linear probes; writes and prints `eval/linear.json`.

    Args:
      run: run to be evaluated.
      settings: settings of the training.
      start_over: whether a training that is there is removed.
      devices: devices that share a batch; None takes all of this machine.

    Raises:
      UserError: the data or the settings do not suit.
    """
    data_checks.check_all_labels(run, TASK)
    data_checks.check_clips(run)
    data_checks.check_val_split(
        run, TASK, ", or take a quick look by cross-validation: --quick"
    )
    if not start_over:
        results.check_free(run, TASK)
    settings = label_settings.complete(settings, run)
    devices = devices or Distribution(tf.distribute.MirroredStrategy())
    devices.check_divides(settings.batch_size)
    with devices.strategy.scope():
        network = _on_all_devices(run, devices.strategy)
        num_classes = len(run.manifest.class_names)
        probes = ProbedNetwork(network, run.recipe, num_classes, settings.pool_conv5)
        optimizer = TF1MomentumSGD(settings.learning_rate, settings.momentum)
        state = TrainState(probes, optimizer, LinearReadout())
    test = training.make_validation(run, TASK, LAYERS, probes, settings.num_clips)
    with locked_folder(run, TASK, settings, start_over) as folder:
        scores = training.train(
            state, run, settings, folder, devices, test, keeps_best=False
        )
        return _save(run, settings, state.steps_taken(), scores or test("testing"))


def _on_all_devices(run: RestoredRun, strategy: tf.distribute.Strategy) -> ClipModel:
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
    scores: Scores,
) -> dict[str, Any]:
    num_classes = len(run.manifest.class_names)
    num_videos = len(run.manifest.split(VAL_SPLIT))
    content = {
        "scores": scores.heads,
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        "num_queries": scores.num_queries,
        "num_skipped": num_videos - scores.num_queries,
        "num_train": len(run.instances.videos),
        "settings": results.settings_of(run, settings),
        "steps": steps,
        "mode": "trained",
    }
    space = ", conv5 over space, too" if settings.pool_conv5 else ""
    protocol = (
        f"linear softmax probes of {LAYERS[0]} .. {LAYERS[-1]} trained together for"
        f" {steps} steps of {settings.batch_size} augmented clips"
        f" ({protocols.of_augmentation(run.data)}){protocols.of_videos(run)} on the"
        " frozen network; features averaged over time, and over 2 x 2 positions where"
        f" a stream would have more than {linear_probe.MAX_FEATURES:,}{space}; SGD with"
        f" momentum {settings.momentum:g},"
        f" {label_settings.describe_rate(settings)}, weight decay"
        f" {settings.weight_decay:g}; seed {settings.seed} of clips and their order;"
        f" tested on the validation videos{protocols.of_test_window(run.data)}, softmax"
        " probabilities"
        f" {protocols.of_clips(settings.num_clips)}"
    )
    result = results.save(run, TASK, protocol, content, lambda r: print(lines(r)))
    return result


def lines(result: dict[str, Any]) -> str:
    """Formats the accuracies of the layers as a table."""
    classes = result["num_classes"]
    rows = {name: tuple(values.values()) for name, values in result["scores"].items()}
    return "\n".join(
        [
            f"linear probes ({result['mode']}), {result['model']} at step"
            f" {result['step']}: "
            f"{counted(result['num_queries'], 'test video')},"
            f" {counted(result['num_train'], 'training video')},"
            f" {counted(classes, 'class')}",
            *protocols.accuracy_table(rows, classes),
            protocols.wrapped(result["protocol"]),
        ]
    )
