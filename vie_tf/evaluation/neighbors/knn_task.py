"""kNN as a task of evaluate.py: writes accuracies to `eval/knn.json`.

The file has all pairs of k and temperature; neighbors are searched once, for the
largest k.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

import numpy as np

from vie_tf.config import KnnTaskConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.neighbors.comparison import (
    NO_SECOND_VIDEO,
    Comparison,
    compare,
    compare_baseline,
)
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics import knn
from vie_tf.monitoring.learning_report import BASELINES
from vie_tf.storage.errors import UserError
from vie_tf.terminal import wording


def evaluate(run: RestoredRun, settings: KnnTaskConfig) -> dict[str, Any]:
    """Classifies the queries by their neighbors; writes and prints the accuracies.

    The untrained network has no bank, so its gallery are always features.

    Returns:
      Content of the result file.

    Raises:
      UserError: there are no labels, or no memory bank of these videos.
    """
    data_checks.check_labels(run, "knn")
    data_checks.check_clips(run)
    name = _file_name(settings)
    results.check_free(run, name)
    num_clips = run.clips_per_video(settings.num_clips)
    settings = dataclasses.replace(settings, num_clips=num_clips)
    num_classes = len(run.manifest.class_names)
    comparison = compare(run, num_clips, gallery=settings.gallery)
    grid, counts = _classify(run, settings, comparison)
    headline = settings.headline
    numbers: dict[str, Any] = {
        "task": "knn",
        **_accuracies(grid[0]),
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        **counts,
        "settings": {
            "k": headline.k,
            "temperature": headline.temperature,
            "num_clips": num_clips,
            "gallery": settings.gallery,
        },
        "grid": grid,
    }
    if settings.compare_untrained:
        before = run.untrained()
        untrained, _ = _classify(before, settings, compare(before, num_clips))
        numbers["untrained"] = _accuracies(untrained[0])
    if settings.compare_baselines:
        numbers["baselines"] = _of_baselines(run, settings)
    protocol = _protocol(run, settings)
    return results.save(run, name, protocol, numbers, lambda r: print(_in_lines(r)))


def _of_baselines(
    run: RestoredRun, settings: KnnTaskConfig
) -> dict[str, dict[str, float]]:
    """Classifies the queries by what has learned nothing, as the network does."""
    found = {}
    for name in BASELINES:
        grid, _ = _classify(run, settings, compare_baseline(run, name))
        found[name] = _accuracies(grid[0])
    return found


def _file_name(settings: KnnTaskConfig) -> str:
    """Returns the stem of the result file; the bank's result replaces no other."""
    return "knn" if settings.gallery == "features" else f"knn_{settings.gallery}"


def _classify(
    run: RestoredRun, settings: KnnTaskConfig, comparison: Comparison
) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """Returns accuracies for all pairs of k and temperature, and counts of videos."""
    counted = comparison.counted
    if comparison.num_single and not counted.any():
        raise UserError(NO_SECOND_VIDEO)
    if not counted.any():
        raise UserError(
            f"No query of {run.data_dir!r} has a label, so"
            " there is nothing to compare predictions with."
        )
    labels = comparison.labels[counted]
    neighbors = knn.neighbors_of_clips(
        comparison.gallery_features,
        comparison.query_features,
        max(settings.ks),
        comparison.own_index,
    )
    grid = []
    for k in settings.ks:
        for temperature in settings.temperatures:
            probabilities = knn.video_probabilities(
                neighbors,
                comparison.gallery_labels,
                len(run.manifest.class_names),
                k=k,
                temperature=temperature,
            )
            accuracies = knn.accuracies(probabilities[counted], labels)
            grid.append({"k": k, "temperature": temperature, **accuracies})
    return grid, {
        "largest_class": float(np.bincount(labels).max() / len(labels)),
        "num_queries": len(labels),
        "num_gallery": len(comparison.gallery_features),
        "num_skipped": comparison.num_skipped,
        "num_single": comparison.num_single,
    }


def _accuracies(row: dict[str, float]) -> dict[str, float]:
    return {name: row[name] for name in ("top1", "top5")}


def _protocol(run: RestoredRun, settings: KnnTaskConfig) -> str:
    clips = protocols.of_clips(settings.num_clips)
    gallery, untrained = f"embeddings {clips}", ""
    if settings.gallery == "bank":
        gallery = "the running memory bank"
        if settings.compare_untrained:
            untrained = (
                "; the untrained network, which has no bank, with embeddings"
                f" {clips} as gallery"
            )
    headline, num_clips = settings.headline, settings.num_clips
    queries = f"{num_clips} equally spaced clips" if num_clips > 1 else "one clip"
    return (
        f"k={headline.k} nearest neighbors with weights exp(similarity /"
        f" {headline.temperature}); {protocols.of_queries(run)}; gallery: {gallery};"
        f" votes added over {queries} of a query{untrained}"
    )


def _in_lines(result: dict[str, Any]) -> str:
    classes, skipped = result["num_classes"], result["num_skipped"]
    name = "trained" if result["step"] else "untrained"
    rows = {name: (result["top1"], result["top5"])}
    if "untrained" in result:
        rows["untrained"] = tuple(result["untrained"].values())
    for name, values in result.get("baselines", {}).items():
        rows[name.replace("_", " ")] = tuple(values.values())
    lines = [
        f"kNN, {result['model']} at step {result['step']}:"
        f" {wording.counted(result['num_queries'], 'query')},"
        f" {wording.counted(result['num_gallery'], 'gallery video')},"
        f" {wording.counted(classes, 'class')}"
        + (f", {wording.counted(skipped, 'video')} skipped" if skipped else ""),
        *protocols.accuracy_table(rows, classes),
        *protocols.single_lines(result["num_single"]),
    ]
    if len(result["grid"]) > 1:
        lines += _grid_lines(result["grid"])
    lines.append(protocols.wrapped(result["protocol"]))
    return "\n".join(lines)


def _grid_lines(grid: Sequence[dict[str, float]]) -> list[str]:
    """Formats the top-1 accuracies of all pairs, a line for each k."""
    temperatures = sorted({row["temperature"] for row in grid})
    top1 = {(row["k"], row["temperature"]): row["top1"] for row in grid}
    head = "".join(f"{f'T={temperature:g}':>9}" for temperature in temperatures)
    lines = [f"  {'top-1 by k and T':<22}{head}"]
    for k in sorted({row["k"] for row in grid}):
        cells = "".join(f"{top1[k, t]:>9.1%}" for t in temperatures)
        lines.append(f"  {f'k={k}':<22}{cells}")
    return lines
