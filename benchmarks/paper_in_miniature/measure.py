"""Measures a network: kNN and probes on actions, and probes on pictures.

python -m benchmarks.paper_in_miniature.measure --model_dir=RUN --actions=DATA
  --objects=DATA --output=FILE

The same figures as those of `evaluate.py --task=knn` and `--task=linear --quick`, of
conv3 to conv5, from one pass over each data set: on a CPU, a small network is measured
in less time than the graphs of three evaluations take to be made.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, NamedTuple, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.neighbors.comparison import compare_baseline
from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.metrics import knn, linear_probe, sklearn_probe
from vie_tf.metrics.features import video_embeddings
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.storage import files
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

KNN, ACTIONS, OBJECTS = "knn", "actions", "objects"
LAYERS = ("conv3", "conv4", "conv5")
BASELINES = ("pixels", "motion_map")
_EMBEDDING = "embedding"
_FEATURES_PER_LAYER = 1024
_K = 10


class _Split(NamedTuple):
    """Outputs of a split, by name [V, num_clips, F] float32, and labels [V] int."""

    outputs: dict[str, np.ndarray]
    labels: np.ndarray


class _Measured:
    """A network of which one graph is made for all data sets."""

    def __init__(self, network: RestoredNetwork, num_clips: int) -> None:
        self.network, self.num_clips = network, num_clips
        self._pass = SplitPass(self._outputs)

    def _outputs(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        endpoints = self.network.model(clips, training=False)
        features = {
            layer: linear_probe.few_features(endpoints[layer], _FEATURES_PER_LAYER)
            for layer in LAYERS
        }
        return {_EMBEDDING: endpoints[_EMBEDDING], **features}

    def run(self, data_dir: str, is_static: bool = False) -> RestoredRun:
        """Returns the network beside a data set."""
        data = DataConfig(data_dir, static_video=is_static)
        return RestoredRun.from_network(self.network, data)

    def splits(self, run: RestoredRun) -> tuple[_Split, _Split]:
        """Computes the outputs of training and validation videos."""
        return self._split(run, TRAIN_SPLIT), self._split(run, VAL_SPLIT)

    def _split(self, run: RestoredRun, split: str) -> _Split:
        videos = run.manifest.split(split)
        clips = pipeline.evaluation_clips(
            run.test_data,
            run.manifest,
            split,
            run.recipe,
            num_clips=run.clips_per_video(self.num_clips),
        )
        parts = list(self._pass.run(clips, len(videos), f"features of {split}"))
        rows = np.concatenate([part.video_index for part in parts])
        outputs = {
            name: np.concatenate([part.outputs[name] for part in parts])
            for name in parts[0].outputs
        }
        return _Split(outputs, np.array([video.label for video in videos])[rows])


def measure(
    network: RestoredNetwork,
    actions: str,
    objects: str | None,
    num_clips: int,
    with_baselines: bool = False,
) -> dict[str, Any]:
    """Measures a network.

    Args:
      network: network to measure.
      actions: data set of videos.
      objects: data set of pictures, None to leave them out.
      num_clips: clips of a video.
      with_baselines: whether to add kNN of what has learned nothing.

    Returns:
      `scores`, fractions by name, and `num_tests`.
    """
    measured = _Measured(network, num_clips)
    run = measured.run(actions)
    train, test = measured.splits(run)
    scores = {KNN: _knn(train, test, len(run.manifest.class_names))}
    if with_baselines:
        for name in BASELINES:
            found = compare_baseline(run, name)
            gallery = _Split({_EMBEDDING: found.gallery_features}, found.gallery_labels)
            queries = _Split({_EMBEDDING: found.query_features}, found.labels)
            scores[name] = _knn(gallery, queries, len(run.manifest.class_names))
    scores.update(_probes(ACTIONS, run, train, test))
    num_tests = {KNN: len(test.labels), ACTIONS: len(test.labels)}
    if objects is not None:
        run = measured.run(objects, is_static=True)
        train, test = measured.splits(run)
        scores.update(_probes(OBJECTS, run, train, test))
        num_tests[OBJECTS] = len(test.labels)
    return {"step": network.step, "scores": scores, "num_tests": num_tests}


def _knn(gallery: _Split, queries: _Split, num_classes: int) -> float:
    features = gallery.outputs[_EMBEDDING]
    if features.ndim == 3:
        features = video_embeddings(features)
    neighbors = knn.neighbors_of_clips(features, queries.outputs[_EMBEDDING], _K)
    probabilities = knn.video_probabilities(
        neighbors, gallery.labels, num_classes, k=_K
    )
    return knn.top_k_accuracy(probabilities, queries.labels, 1)


def _probes(
    title: str, run: RestoredRun, train: _Split, test: _Split
) -> dict[str, float]:
    num_classes = len(run.manifest.class_names)
    scores = {}
    for layer in LAYERS:
        known = train.outputs[layer], train.labels, test.outputs[layer]
        probabilities = sklearn_probe.fitted_probabilities(*known, num_classes)
        top1 = knn.top_k_accuracy(probabilities, test.labels, 1)
        scores[f"{title}/{layer}"] = top1
    return scores


def main(given: Sequence[str] | None = None) -> int:
    """Measures and writes a file of JSON; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model_dir", required=True)
    parser.add_argument("--actions", required=True)
    parser.add_argument("--objects")
    parser.add_argument("--output", required=True)
    parser.add_argument("--num_clips", type=int, default=2)
    parser.add_argument("--dynamic_from", help="other stream of --model_dir")
    parser.add_argument("--clips_of", help="family whose clips are taken")
    parser.add_argument("--baselines", action="store_true")
    asked = parser.parse_args(given)
    if files.exists(asked.output):  # the row was stopped after it
        return 0
    if asked.dynamic_from:
        streams = (asked.model_dir, asked.dynamic_from)
        folder = os.path.splitext(asked.output)[0]  # of no run
        network = restored_network.load_streams(*streams, "all", folder)
    else:
        network = restored_network.load(asked.model_dir, clips_of=asked.clips_of)
    found = measure(
        *(network, asked.actions, asked.objects, asked.num_clips, asked.baselines)
    )
    files.write_atomically(asked.output, json.dumps(found, indent=1) + "\n")
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
