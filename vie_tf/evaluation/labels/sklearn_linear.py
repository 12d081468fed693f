"""A quick look at linear read-outs: features computed once, solved by scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.config import LinearConfig
from vie_tf.evaluation import data_checks, results
from vie_tf.evaluation.labels import linear
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.metrics import knn, linear_probe, sklearn_probe
from vie_tf.metrics.features import ClipEmbedder, ClipFeatures
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

TASK = "linear_quick"
FEATURES_PER_LAYER = 2048
_MAX_BYTES = 4e9  # of the features of a split


def evaluate_linear_quick(run: RestoredRun, settings: LinearConfig) -> dict[str, Any]:
    """Fits and tests the read-outs; writes and prints `eval/linear_quick.json`.

    Of a split whose features the memory does not hold, every n-th video is taken.

    Args:
      run: to be evaluated.
      settings: of which the number of clips and the seed are used.

    Raises:
      ValueError: the data do not suit.
    """
    data_checks.check_all_labels(run, TASK)
    data_checks.check_clips(run)
    results.check_free(run, TASK)
    num_clips = run.clips_per_video(settings.num_clips)
    labels = _labels(run, TRAIN_SPLIT)
    has_val = bool(run.manifest.split(VAL_SPLIT))
    tested = VAL_SPLIT if has_val else TRAIN_SPLIT
    if not has_val:
        sklearn_probe.num_folds(labels)  # before the features are computed
    num_classes = len(run.manifest.class_names)
    embedder = _LayerEmbedder(run)
    train = embedder.embed(TRAIN_SPLIT, num_clips)
    test = embedder.embed(VAL_SPLIT, num_clips) if has_val else train
    test_labels = _labels(run, tested)
    scores = {}
    for layer, columns in embedder.columns.items():
        print(f"fitting {layer}: {columns.stop - columns.start} features", flush=True)
        features = train.values[:, :, columns]
        if has_val:
            logits = sklearn_probe.fitted_logits(
                features,
                labels[train.video_index],
                test.values[:, :, columns],
                num_classes,
            )
        else:
            logits = sklearn_probe.cross_validated_logits(
                features, labels[train.video_index], num_classes, settings.seed
            )
        scores[layer] = knn.accuracies(logits, test_labels[test.video_index])
    content = {
        "scores": scores,
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        "num_queries": len(test.video_index),
        "num_skipped": embedder.num_asked(tested, num_clips) - len(test.video_index),
        "num_train": len(train.video_index),
        "settings": {
            "num_clips": num_clips,
            "features_per_layer": FEATURES_PER_LAYER,
            "one_in": {
                split: embedder.one_in(split, num_clips)
                for split in dict.fromkeys((TRAIN_SPLIT, tested))
            },
            "folds": None
            if has_val
            else sklearn_probe.num_folds(labels[test.video_index]),
            "seed": settings.seed,
        },
        "mode": "cached",
    }
    result = results.save(run, TASK, _protocol(content), content)
    print(linear.lines(result))
    return result


class _LayerEmbedder:
    """Computes the features of all layers in one pass over a split.

    Args:
      run: whose network and data they are of.

    Attributes:
      columns: of each layer in the features.
    """

    def __init__(self, run: RestoredRun) -> None:
        self._run = run
        self.columns: dict[str, slice] = {}
        recipe = run.recipe
        size = recipe.crop_size
        clip = tf.zeros([1, recipe.num_frames, size, size, 3], tf.uint8)
        first = 0
        for layer, features in self._layers(clip).items():
            self.columns[layer] = slice(first, first + features.shape[1])
            first = self.columns[layer].stop
        self._num_features = first
        self._embedder = ClipEmbedder(self._side_by_side, "layers")

    def one_in(self, split: str, num_clips: int) -> int:
        """n, where every n-th video of the split is as many as the memory holds."""
        num_videos = len(self._run.manifest.split(split))
        num_bytes = 4 * num_videos * num_clips * self._num_features
        return max(math.ceil(num_bytes / _MAX_BYTES), 1)

    def num_asked(self, split: str, num_clips: int) -> int:
        """Videos of the split that are looked at."""
        num_videos = len(self._run.manifest.split(split))
        return math.ceil(num_videos / self.one_in(split, num_clips))

    def embed(self, split: str, num_clips: int) -> ClipFeatures:
        """Features of a split, or of every n-th of its videos, [V, num_clips, F]."""
        run, one_in = self._run, self.one_in(split, num_clips)
        if one_in > 1:
            print(
                f"The features of {split} fit into the memory for 1 in {one_in} videos."
            )
        clips = pipeline.evaluation_clips(
            run.data,
            run.manifest,
            split,
            run.recipe,
            num_clips=num_clips,
            part=pipeline.ClipShard(0, one_in),
        )
        num_videos = self.num_asked(split, num_clips)
        return self._embedder.embed(clips, num_videos, f"features of {split}")

    def _layers(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        endpoints = self._run.model(clips, training=False)
        return {
            layer: linear_probe.few_features(endpoints[layer], FEATURES_PER_LAYER)
            for layer in linear.LAYERS
        }

    def _side_by_side(self, clips: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        del training  # features are always those of inference
        return {"layers": tf.concat(list(self._layers(clips).values()), axis=1)}


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
        f" (C=1) on standardised features of {clips} without augmentation, averaged"
        " over time and pooled over space to at most"
        f" {FEATURES_PER_LAYER} for each layer (or one for each channel);"
        f" {tested}, logits averaged over clips{parts}"
    )
