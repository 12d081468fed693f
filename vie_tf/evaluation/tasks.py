"""The tasks of evaluate.py: a restored run in, numbers and pictures out.

Each writes its result to `RUN/eval/` together with its protocol in words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.config import KnnConfig
from vie_tf.evaluation import knn, retrieval, task_files
from vie_tf.evaluation.features import video_embeddings
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.records import TRAIN_SPLIT

GALLERIES = ("features", "bank")


def evaluate_knn(
    run: RestoredRun,
    settings: KnnConfig,
    *,
    gallery: str = "features",
    compare_untrained: bool = False,
) -> dict[str, Any]:
    """KNN classification of the queries; writes and prints `eval/knn.json`.

    Args:
      run: to be evaluated.
      settings: of the votes.
      gallery: `features`, computed now from the gallery's videos, or `bank`, the rows
        of the memory bank as in the authors' validation.
      compare_untrained: whether the same network before its first step is evaluated
        as well; with features, since it has no bank.

    Raises:
      ValueError: no labels, or a bank of other videos.
    """
    run.check_labels("knn")
    if gallery == "bank" and run.directory is None:
        raise ValueError(
            "A network that was put together for the evaluation has no bank. Use"
            " --gallery=features."
        )
    if gallery == "bank" and not run.is_training_data:
        raise ValueError(
            f"The bank of the run belongs to other videos than those of"
            f" {run.data_dir!r}. Use --gallery=features."
        )
    labels = np.array([video.label for video in run.queries])
    num_classes = len(run.manifest.class_names)
    numbers: dict[str, Any] = {
        **_knn_scores(run, settings, gallery),
        "chance": 1 / num_classes,
        "largest_class": float(np.bincount(labels).max() / len(labels)),
        "num_classes": num_classes,
        "num_queries": len(run.queries),
        "num_gallery": len(run.gallery),
    }
    if compare_untrained:
        numbers["untrained"] = _knn_scores(run.untrained(), settings, "features")
    protocol = _knn_protocol(run, settings, gallery)
    result = task_files.save(run, "knn", protocol, numbers)
    print(_knn_lines(result))
    return result


def evaluate_retrieval(run: RestoredRun, settings: KnnConfig) -> dict[str, Any]:
    """Looks up the nearest videos; writes `eval/retrieval.png` and `.json`.

    Works without labels: the picture then shows file names only.

    Args:
      run: to be evaluated.
      settings: clips per video, and the votes behind the predicted label.
    """
    queries = run.embed_queries(settings.num_clips).values
    gallery = _gallery(run, settings, "features", queries)
    result = retrieval.nearest_videos(
        gallery, video_embeddings(queries), own_rows=run.own_rows
    )
    predicted = None
    if len(run.manifest.class_names) >= 2:
        predicted = _probabilities(
            run, settings, gallery, run.gallery_labels, queries
        ).argmax(axis=1)
    shown = retrieval.choose_queries([video.label for video in run.queries])
    picture = retrieval.draw(run, result, shown, predicted)
    path = task_files.path(run, "retrieval", "png")
    tf.io.write_file(path, tf.io.encode_png(picture))
    protocol = (
        f"cosine similarity of embeddings averaged over {settings.num_clips} clips;"
        f" {_queries_in_words(run)}"
    )
    described = [
        retrieval.describe(run, result, query, predicted)
        for query in range(len(run.queries))
    ]
    content = task_files.save(run, "retrieval", protocol, {"queries": described})
    print(f"Wrote {path}: queries on the left, their nearest videos to the right.")
    return content


def _knn_scores(
    run: RestoredRun, settings: KnnConfig, gallery: str
) -> dict[str, float]:
    queries = run.embed_queries(settings.num_clips).values
    rows = _gallery(run, settings, gallery, queries)
    labels_of_rows = run.bank_labels if gallery == "bank" else run.gallery_labels
    probabilities = _probabilities(run, settings, rows, labels_of_rows, queries)
    labels = np.array([video.label for video in run.queries])
    return knn.accuracies(probabilities, labels)


def _gallery(
    run: RestoredRun, settings: KnnConfig, gallery: str, queries: np.ndarray
) -> np.ndarray:
    """Rows of the gallery, [N, D]; queries that are in it are not embedded twice."""
    if gallery == "bank":
        assert run.directory is not None  # refused before
        rows = run.directory.read_bank(run.checkpoint)
        if len(rows) != len(run.bank_labels):
            raise ValueError(
                f"The bank of the newest checkpoint has {len(rows)} rows, but the data"
                f" {len(run.bank_labels)} instances: videos were appended, and the run"
                " has not come to its next checkpoint. Use --gallery=features."
            )
        return rows
    if run.leaves_one_out:
        return video_embeddings(queries)
    return video_embeddings(run.embed(TRAIN_SPLIT, settings.num_clips).values)


def _probabilities(
    run: RestoredRun,
    settings: KnnConfig,
    gallery: np.ndarray,
    gallery_labels: np.ndarray,
    queries: np.ndarray,
) -> np.ndarray:
    return knn.classify_videos(
        tf.constant(gallery),
        gallery_labels,
        queries,
        len(run.manifest.class_names),
        k=settings.k,
        temperature=settings.temperature,
        own_rows=run.own_rows,
    )


def _queries_in_words(run: RestoredRun) -> str:
    if run.leaves_one_out:
        return "training videos as queries, each left out of the gallery"
    return "validation videos as queries, training videos as gallery"


def _knn_protocol(run: RestoredRun, settings: KnnConfig, gallery: str) -> str:
    rows = {
        "bank": "the running memory bank",
        "features": f"embeddings averaged over {settings.num_clips} clips",
    }[gallery]
    return (
        f"k={settings.k} nearest neighbours with weights exp(similarity /"
        f" {settings.temperature}); {_queries_in_words(run)}; gallery: {rows}; class"
        f" probabilities averaged over {settings.num_clips} equally spaced clips of a"
        " query"
    )


def _knn_lines(result: dict[str, Any]) -> str:
    def row(name: str, top1: float, top5: float) -> str:
        return f"  {name:<22}{top1:>7.1%}{top5:>8.1%}"

    classes = result["num_classes"]
    lines = [
        f"kNN, {result['model']} at step {result['step']}: {result['num_queries']}"
        f" queries, {result['num_gallery']} gallery videos, {classes} classes",
        f"  {'':<22}{'top-1':>7}{'top-5':>8}",
        row(
            "trained" if result["step"] else "untrained", result["top1"], result["top5"]
        ),
    ]
    if "untrained" in result:
        lines.append(row("untrained", *result["untrained"].values()))
    lines.append(row("chance", result["chance"], min(5 / classes, 1.0)))
    lines.append(f"  {result['protocol']}")
    return "\n".join(lines)
