"""kNN as a task: a restored run in, accuracies out.

Writes `eval/knn.json`, with all pairs of a k and a temperature that were asked for:
neighbors are looked for once, with the largest k.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

import numpy as np

from vie_tf.config import KnnTaskConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.neighbors import compared_videos
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics import knn
from vie_tf.storage.errors import UserError


def evaluate(run: RestoredRun, settings: KnnTaskConfig) -> dict[str, Any]:
    """Classifies the queries; writes and prints the result.

    Args:
      run: to be evaluated.
      settings: of the votes and the gallery.  The untrained network, which has no bank,
        is compared by features.

    Returns:
      What was written.

    Raises:
      UserError: no labels, or a bank of other videos.
    """
    data_checks.check_labels(run, "knn")
    data_checks.check_clips(run)
    results.check_free(run, "knn")
    num_clips = run.clips_per_video(settings.num_clips)
    settings = dataclasses.replace(settings, num_clips=num_clips)
    num_classes = len(run.manifest.class_names)
    scores, facts = _scores(run, settings, settings.gallery)
    headline = settings.headline
    numbers: dict[str, Any] = {
        **_accuracies(scores[0]),
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        **facts,
        "settings": {
            "k": headline.k,
            "temperature": headline.temperature,
            "num_clips": settings.num_clips,
            "gallery": settings.gallery,
        },
        "grid": scores,
    }
    if settings.compare_untrained:
        untrained, _ = _scores(run.untrained(), settings, "features")
        numbers["untrained"] = _accuracies(untrained[0])
    result = results.save(run, "knn", _protocol(run, settings), numbers)
    print(_in_lines(result))
    return result


def _scores(
    run: RestoredRun, settings: KnnTaskConfig, gallery: str
) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """A row for every pair of k and temperature, and what they were computed on."""
    if gallery == "bank":
        compared = compared_videos.with_bank(run, settings.num_clips)
    else:
        compared = compared_videos.with_features(run, settings.num_clips)
    labels = compared.labels
    has_label = labels >= 0
    if not has_label.any():
        raise UserError(
            f"None of the {len(labels)} queries has a label, so that there is nothing"
            " to compare predictions with."
        )
    neighbors = knn.neighbors_of_clips(
        compared.rows, compared.clips, max(settings.ks), compared.own_index
    )
    rows = []
    for k in settings.ks:
        for temperature in settings.temperatures:
            probabilities = knn.video_probabilities(
                neighbors,
                compared.gallery_labels,
                len(run.manifest.class_names),
                k=k,
                temperature=temperature,
            )
            accuracies = knn.accuracies(probabilities[has_label], labels[has_label])
            rows.append({"k": k, "temperature": temperature, **accuracies})
    counts = np.bincount(labels[has_label])
    return rows, {
        "largest_class": float(counts.max() / counts.sum()),
        "num_queries": int(has_label.sum()),
        "num_gallery": len(compared.rows),
        "num_skipped": compared.num_skipped,
    }


def _accuracies(row: dict[str, float]) -> dict[str, float]:
    return {name: row[name] for name in ("top1", "top5")}


def _protocol(run: RestoredRun, settings: KnnTaskConfig) -> str:
    rows = {
        "bank": "the running memory bank",
        "features": f"embeddings {protocols.of_clips(settings.num_clips)}",
    }[settings.gallery]
    untrained = ""
    if settings.compare_untrained and settings.gallery == "bank":
        untrained = (
            "; the untrained network, which has no bank, with embeddings"
            f" {protocols.of_clips(settings.num_clips)} as gallery"
        )
    headline = settings.headline
    return (
        f"k={headline.k} nearest neighbors with weights exp(similarity /"
        f" {headline.temperature}); {run.queries_in_words}; gallery: {rows}; class"
        f" probabilities {protocols.of_clips(settings.num_clips)} of a query{untrained}"
    )


def _in_lines(result: dict[str, Any]) -> str:
    classes, skipped = result["num_classes"], result["num_skipped"]
    name = "trained" if result["step"] else "untrained"
    rows = {name: (result["top1"], result["top5"])}
    if "untrained" in result:
        rows["untrained"] = tuple(result["untrained"].values())
    lines = [
        f"kNN, {result['model']} at step {result['step']}: {result['num_queries']}"
        f" queries, {result['num_gallery']} gallery videos, {classes} classes"
        + (f", {skipped} videos skipped" if skipped else ""),
        *protocols.accuracy_table(rows, classes),
    ]
    if len(result["grid"]) > 1:
        lines += _grid_lines(result["grid"])
    lines.append(protocols.wrapped(result["protocol"]))
    return "\n".join(lines)


def _grid_lines(grid: Sequence[dict[str, float]]) -> list[str]:
    """The top-1 accuracies of all pairs, a line for every k."""
    temperatures = sorted({row["temperature"] for row in grid})
    top1 = {(row["k"], row["temperature"]): row["top1"] for row in grid}
    head = "".join(f"{f'T={temperature:g}':>9}" for temperature in temperatures)
    lines = [f"  {'top-1 by k and T':<22}{head}"]
    for k in sorted({row["k"] for row in grid}):
        cells = "".join(f"{top1[k, t]:>9.1%}" for t in temperatures)
        lines.append(f"  {f'k={k}':<22}{cells}")
    return lines
