"""Retrieval as a task of evaluate.py: writes `eval/retrieval.json`, .png and .html."""

from __future__ import annotations

from typing import Any

import numpy as np

from vie_tf.config import RetrievalConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.neighbors import page, picture
from vie_tf.evaluation.neighbors.comparison import (
    NO_SECOND_VIDEO,
    Comparison,
    compare,
)
from vie_tf.evaluation.neighbors.retrieved import Retrieved, choose_queries
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics import knn, nearest, retrieval
from vie_tf.metrics.features import unit_norm, video_embeddings
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import NO_LABEL
from vie_tf.terminal.wording import counted

RECALLS = (1, 5, 10, 20, 50)


def evaluate(run: RestoredRun, settings: RetrievalConfig) -> dict[str, Any]:
    """Finds the nearest videos of every query; writes numbers, a picture and a page.

    Without labels there are no numbers, and picture and page show file names.

    Returns:
      Content of the result file.

    Raises:
      UserError: there are no training videos, or the videos are images and the network
        takes several frames.
    """
    data_checks.check_gallery(run, "retrieval")
    data_checks.check_clips(run)
    name = _file_name(settings)
    results.check_free(run, name)
    num_clips = run.clips_per_video(settings.knn.num_clips)
    comparison = compare(run, num_clips, endpoint=settings.endpoint)
    vectors = video_embeddings(comparison.query_features)  # [Q, D]
    found = nearest.search(
        comparison.gallery_features, vectors, max(RECALLS), comparison.own_index
    )
    has_classes = len(run.manifest.class_names) >= 2
    retrieved = Retrieved(
        data_dir=run.data_dir,
        manifest=run.manifest,
        queries=comparison.queries,
        gallery=comparison.gallery,
        # Those that vote for the label.
        neighbor_index=found.neighbor_index[:, : settings.knn.k],
        similarities=found.similarities[:, : settings.knn.k],
        predicted=_predict(run, settings, comparison) if has_classes else None,
        num_voters=settings.knn.k,
    )
    content = {
        "task": "retrieval",
        **(_metrics(comparison, vectors, found.neighbor_index) if has_classes else {}),
        "endpoint": settings.endpoint,
        "num_queries": len(comparison.queries),
        "num_gallery": len(comparison.gallery),
        "num_skipped": comparison.num_skipped,
        "settings": {"num_clips": num_clips},
        "queries": [retrieved.describe(q) for q in range(len(comparison.queries))],
    }
    protocol = _protocol(run, settings.endpoint, num_clips)

    def show(result: dict[str, Any]) -> None:
        _print(result)
        _draw(run, settings, retrieved, result)

    return results.save(run, name, protocol, content, show)


def _file_name(settings: RetrievalConfig) -> str:
    """Returns the stem of the files: those of another endpoint do not replace any."""
    is_usual = settings.endpoint == "embedding"
    return "retrieval" if is_usual else f"retrieval_{settings.endpoint}"


def _draw(
    run: RestoredRun,
    settings: RetrievalConfig,
    retrieved: Retrieved,
    result: dict[str, Any],
) -> None:
    """Writes the picture and the page of some queries."""
    labels = [video.label for video in retrieved.queries]
    shown = choose_queries(labels, settings.num_shown)
    path = results.path(run, _file_name(settings), "png")
    picture.draw(retrieved, shown, _headline(result)).save(path)
    print(f"Wrote {path}: queries on the left, their nearest videos to the right.")
    path = results.path(run, _file_name(settings), "html")
    title = f"{run.config.model.name} at step {run.step}, {run.data_name}"
    html = page.page(retrieved, shown, title, result["protocol"], _headline(result))
    write_atomically(path, html)
    print(f"Wrote {path}: the same, moving.")


def _headline(result: dict[str, Any]) -> str:
    """Returns the numbers that matter most, in one line; none without labels."""
    if "recall" not in result:
        return ""
    recall = {int(k): value for k, value in result["recall"].items()}
    return (
        f"R@1 {recall[1]:.1%}, R@5 {recall[5]:.1%}, mAP {result['map']:.1%} of"
        f" {counted(result['num_labelled_queries'], 'query')} in"
        f" {counted(result['num_gallery'], 'video')}"
    )


def _predict(
    run: RestoredRun, settings: RetrievalConfig, comparison: Comparison
) -> np.ndarray:
    """Returns the classes by kNN, as in --task=knn, [Q] int; -1 without one."""
    probabilities = knn.classify_videos(
        comparison.gallery_features,
        comparison.gallery_labels,
        unit_norm(comparison.query_features),
        len(run.manifest.class_names),
        k=settings.knn.k,
        temperature=settings.knn.temperature,
        own_index=comparison.own_index,
    )
    return np.where(probabilities.any(axis=1), probabilities.argmax(axis=1), NO_LABEL)


def _metrics(
    comparison: Comparison, vectors: np.ndarray, neighbor_index: np.ndarray
) -> dict[str, Any]:
    """Returns recalls and mean average precision of the queries that can be right."""
    counted = comparison.counted
    if not counted.any():
        return {"num_single": comparison.num_single}
    labels, own_index = comparison.labels[counted], comparison.own_index
    return {
        "recall": retrieval.recalls(
            comparison.gallery_labels[neighbor_index[counted]], labels, RECALLS
        ),
        "map": retrieval.mean_average_precision(
            comparison.gallery_features,
            comparison.gallery_labels,
            vectors[counted],
            labels,
            None if own_index is None else own_index[counted],
        ),
        "num_labelled_queries": int(counted.sum()),
        "num_single": comparison.num_single,
    }


def _protocol(run: RestoredRun, endpoint: str, num_clips: int) -> str:
    features = {
        "embedding": "embeddings",
        "pooled": "pooled features (the input of the last layer)",
    }[endpoint]
    return (
        f"cosine similarity of {features}, {protocols.of_clips(num_clips)} and then"
        f" normalized; {protocols.of_queries(run)}"
    )


def _print(result: dict[str, Any]) -> None:
    skipped = result["num_skipped"]
    print(
        f"Retrieval, {result['model']} at step {result['step']}, by"
        f" {result['endpoint']}: {counted(result['num_queries'], 'query')},"
        f" {counted(result['num_gallery'], 'gallery video')}"
        + (f", {counted(skipped, 'video')} skipped" if skipped else "")
    )
    if "recall" in result:
        names = [*(f"R@{k}" for k in result["recall"]), "mAP"]
        values = [*result["recall"].values(), result["map"]]
        print("  " + "".join(f"{name:>8}" for name in names))
        print("  " + "".join(f"{value:>8.1%}" for value in values))
        for line in protocols.single_lines(result["num_single"]):
            print(line)
    elif result.get("num_single"):
        print(f"  There are no recalls. {NO_SECOND_VIDEO}")
    else:
        print("  Without labels of two classes there are no recalls.")
    print(protocols.wrapped(result["protocol"]))
