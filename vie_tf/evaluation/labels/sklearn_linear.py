"""A quick look at linear probes: features computed once, solved by scikit-learn."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.config import LinearConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.labels import linear
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.metrics import knn, linear_probe, sklearn_probe
from vie_tf.metrics.features import NothingRead
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

TASK = "linear_quick"
FEATURES_PER_LAYER = 2048
_MAX_BYTES = 4e9  # of the features of a split


class _Features(NamedTuple):
    """Features of a split.

    Attributes:
      layers: by layer, [V, num_clips, F] float32.
      labels: classes of the videos, [V] int.
      one_in: n, where only every n-th video was taken.
      num_asked: videos that were to be read.
    """

    layers: dict[str, np.ndarray]
    labels: np.ndarray
    one_in: int
    num_asked: int


def evaluate_linear_quick(run: RestoredRun, settings: LinearConfig) -> dict[str, Any]:
    """Fits and tests the probes; writes and prints `eval/linear_quick.json`.

    Of a split whose features the memory does not hold, every n-th video is taken.

    Args:
      run: run to be evaluated.
      settings: settings of which the number of clips and the seed are used.

    Raises:
      UserError: the data do not suit.
    """
    data_checks.check_all_labels(run, TASK)
    data_checks.check_clips(run)
    results.check_free(run, TASK)
    num_clips = run.clips_per_video(settings.num_clips)
    tested = VAL_SPLIT if run.manifest.split(VAL_SPLIT) else TRAIN_SPLIT
    has_val = tested == VAL_SPLIT
    if not has_val:
        sklearn_probe.num_folds(_labels(run, TRAIN_SPLIT))  # before the features
    features_of = SplitPass(lambda clips: _layers(run, clips))
    features = {
        split: _compute(run, features_of, split, num_clips)
        for split in dict.fromkeys((TRAIN_SPLIT, tested))
    }
    train, test = features[TRAIN_SPLIT], features[tested]
    num_classes = len(run.manifest.class_names)
    counted = knn.can_be_right(test.labels, train.labels, not has_val)
    scores = {}
    for layer, values in train.layers.items():
        print(f"fitting {layer}: {values.shape[-1]} features", flush=True)
        tests = test.layers[layer] if has_val else None
        known = (values, train.labels, tests)
        probabilities = _probabilities(*known, num_classes, settings.seed)
        scores[layer] = knn.accuracies(probabilities[counted], test.labels[counted])
    content = {
        "scores": scores,
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        "num_queries": int(counted.sum()),
        "num_single": int(np.sum(~counted)),
        "num_skipped": test.num_asked - len(test.labels),
        "num_train": len(train.labels),
        "settings": {
            "num_clips": num_clips,
            "features_per_layer": FEATURES_PER_LAYER,
            "one_in": {split: found.one_in for split, found in features.items()},
            "folds": None if has_val else sklearn_probe.num_folds(test.labels),
            "seed": settings.seed,
        },
        "mode": "cached",
    }
    protocol = _protocol(content) + protocols.of_test_window(run.test_data)

    def show(result: dict[str, Any]) -> None:
        print(linear.lines(result))
        for line in protocols.single_lines(int(np.sum(~counted))):
            print(line)

    return results.save(run, TASK, protocol, content, show)


def _probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    tests: np.ndarray | None,
    num_classes: int,
    seed: int,
) -> np.ndarray:
    """Returns the class probabilities of the tests, else those of cross-validation."""
    if tests is not None:
        return sklearn_probe.fitted_probabilities(features, labels, tests, num_classes)
    return sklearn_probe.cross_validated_probabilities(
        features, labels, num_classes, seed
    )


def _layers(run: RestoredRun, clips: tf.Tensor) -> dict[str, tf.Tensor]:
    endpoints = run.model(clips, training=False)
    return {
        layer: linear_probe.few_features(endpoints[layer], FEATURES_PER_LAYER)
        for layer in linear.LAYERS
    }


def _compute(
    run: RestoredRun, features_of: SplitPass, split: str, num_clips: int
) -> _Features:
    """Computes the features of all layers in one pass over a split."""
    labels, recipe = _labels(run, split), run.recipe
    layers = _layers(run, tf.zeros([1, *recipe.shape], tf.uint8))
    num_features = sum(features.shape[1] for features in layers.values())
    num_bytes = 4 * len(labels) * num_clips * num_features
    one_in = max(math.ceil(num_bytes / _MAX_BYTES), 1)
    if one_in > 1:
        print(f"The features of {split} fit into the memory for 1 in {one_in} videos.")
    clips = pipeline.evaluation_clips(
        run.test_data,
        run.manifest,
        split,
        recipe,
        num_clips=num_clips,
        shard=pipeline.ClipShard(0, one_in),
    )
    num_asked = math.ceil(len(labels) / one_in)
    parts = list(features_of.run(clips, num_asked, f"features of {split}"))
    if not parts:
        raise NothingRead(num_asked)
    video_index = np.concatenate([part.video_index for part in parts])
    values = {
        layer: np.concatenate([part.outputs[layer] for part in parts])
        for layer in layers
    }
    return _Features(values, labels[video_index], one_in, num_asked)


def _labels(run: RestoredRun, split: str) -> np.ndarray:
    return np.array([video.label for video in run.manifest.split(split)])


def _protocol(content: dict[str, Any]) -> str:
    folds, num_clips = content["settings"]["folds"], content["settings"]["num_clips"]
    clips = "one clip" if num_clips == 1 else f"{num_clips} equally spaced clips"
    tested = "tested on the validation videos"
    if folds:
        tested = (
            f"stratified {folds}-fold cross-validation over the training videos, all"
            f" clips of a video in one fold, seed {content['settings']['seed']} of the"
            " folds"
        )
    parts = "".join(
        f"; of the split {split} one video in {one_in} alone"
        for split, one_in in content["settings"]["one_in"].items()
        if one_in > 1
    )
    return (
        "a quick look, not the paper's protocol: scikit-learn's LogisticRegression"
        f" (C=1) on standardized features of {clips} without augmentation, averaged"
        " over time and pooled over space to at most"
        f" {FEATURES_PER_LAYER} for each layer (or one for each channel);"
        f" {tested}, probabilities averaged over clips{parts}"
    )
