"""Retrieval as a task: a restored run in; numbers, a picture and a page out.

Writes `eval/retrieval.json`, `.png` and `.html`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.config import RetrievalConfig
from vie_tf.evaluation import data_checks, protocols, results
from vie_tf.evaluation.neighbors import compared_videos
from vie_tf.evaluation.neighbors import page as retrieval_page
from vie_tf.evaluation.neighbors import picture as retrieval_picture
from vie_tf.evaluation.neighbors.compared_videos import ComparedVideos
from vie_tf.evaluation.neighbors.retrieved import Retrieved, choose_queries
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics import knn, nearest, retrieval
from vie_tf.metrics.features import unit_norm, video_embeddings
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import NO_LABEL

RECALLS = (1, 5, 10, 20, 50)
NUM_NEIGHBORS = 3  # that are shown, as in Figure 2


def evaluate(run: RestoredRun, settings: RetrievalConfig) -> dict[str, Any]:
    """Looks up the nearest videos of every query.

    Works without labels: there are no numbers then, and picture and page show file
    names only.

    Args:
      run: to be evaluated.
      settings: what videos are compared by, and what is shown.

    Returns:
      What was written.

    Raises:
      ValueError: no training videos, or images for a network of several frames.
    """
    data_checks.check_gallery(run, "retrieval")
    data_checks.check_clips(run)
    results.check_free(run, "retrieval")
    num_clips = run.clips_per_video(settings.knn.num_clips)
    endpoint = settings.endpoint
    compared = compared_videos.with_features(run, num_clips, endpoint)
    vectors = video_embeddings(compared.clips)  # [Q, D]
    found = nearest.search(compared.rows, vectors, max(RECALLS), compared.own_index)
    has_classes = len(run.manifest.class_names) >= 2
    retrieved = Retrieved(
        data_dir=run.data_dir,
        manifest=run.manifest,
        queries=compared.queries,
        gallery=compared.gallery,
        rows=found.neighbor_index[:, :NUM_NEIGHBORS],
        similarities=found.similarities[:, :NUM_NEIGHBORS],
        predicted=_predicted(run, settings, compared) if has_classes else None,
    )
    numbers = _metrics(compared, vectors, found.neighbor_index) if has_classes else {}
    content = {
        **numbers,
        "endpoint": endpoint,
        "num_queries": len(compared.queries),
        "num_gallery": len(compared.gallery),
        "num_skipped": compared.num_skipped,
        "settings": {"num_clips": num_clips},
        "queries": [retrieved.describe(q) for q in range(len(compared.queries))],
    }
    protocol = _protocol(run, endpoint, num_clips)
    result = results.save(run, "retrieval", protocol, content)
    print(_in_lines(result))
    _show(run, settings, retrieved, result["protocol"])
    return result


def _show(
    run: RestoredRun, settings: RetrievalConfig, retrieved: Retrieved, protocol: str
) -> None:
    """Draws some queries, still and moving."""
    labels = [video.label for video in retrieved.queries]
    shown = choose_queries(labels, settings.num_shown)
    picture = results.path(run, "retrieval", "png")
    drawn = retrieval_picture.draw(retrieved, shown)
    tf.io.write_file(picture, tf.io.encode_png(drawn))
    page = results.path(run, "retrieval", "html")
    title = f"{run.config.model.name} at step {run.step}, {run.data_name}"
    text = retrieval_page.page(retrieved, shown, title, protocol)
    write_atomically(page, text)
    print(f"Wrote {picture}: queries on the left, their nearest videos to the right.")
    print(f"Wrote {page}: the same, moving.")


def _predicted(
    run: RestoredRun, settings: RetrievalConfig, compared: ComparedVideos
) -> np.ndarray:
    """Labels by kNN, as the task of that name finds them, [Q] int; -1 without votes."""
    probabilities = knn.classify_videos(
        compared.rows,
        compared.gallery_labels,
        unit_norm(compared.clips),
        len(run.manifest.class_names),
        k=settings.knn.k,
        temperature=settings.knn.temperature,
        own_index=compared.own_index,
    )
    return np.where(probabilities.any(axis=1), probabilities.argmax(axis=1), NO_LABEL)


def _metrics(
    compared: ComparedVideos, vectors: np.ndarray, rows: np.ndarray
) -> dict[str, Any]:
    """Recalls and mean average precision, of the queries that have a label."""
    has_label = compared.labels >= 0
    if not has_label.any():
        return {}
    labels = compared.labels[has_label]
    own_index = compared.own_index
    return {
        "recall": retrieval.recalls(
            compared.gallery_labels[rows[has_label]], labels, RECALLS
        ),
        "map": retrieval.mean_average_precision(
            compared.rows,
            compared.gallery_labels,
            vectors[has_label],
            labels,
            None if own_index is None else own_index[has_label],
        ),
        "num_labelled_queries": int(has_label.sum()),
    }


def _protocol(run: RestoredRun, endpoint: str, num_clips: int) -> str:
    features = {
        "embedding": "embeddings",
        "pooled": "pooled features (what the last layer is given)",
    }[endpoint]
    return (
        f"cosine similarity of {features}, {protocols.of_clips(num_clips)} and then"
        f" normalized; {run.queries_in_words}"
    )


def _in_lines(result: dict[str, Any]) -> str:
    skipped = result["num_skipped"]
    lines = [
        f"Retrieval, {result['model']} at step {result['step']}, by"
        f" {result['endpoint']}: {result['num_queries']} queries,"
        f" {result['num_gallery']} gallery videos"
        + (f", {skipped} videos skipped" if skipped else "")
    ]
    if "recall" in result:
        names = [*(f"R@{k}" for k in result["recall"]), "mAP"]
        values = [*result["recall"].values(), result["map"]]
        lines.append("  " + "".join(f"{name:>8}" for name in names))
        lines.append("  " + "".join(f"{value:>8.1%}" for value in values))
    else:
        lines.append("  There are no labels of two classes, so there are no recalls.")
    lines.append(protocols.wrapped(result["protocol"]))
    return "\n".join(lines)
