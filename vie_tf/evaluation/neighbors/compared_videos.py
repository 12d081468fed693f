"""Queries and the gallery that they are compared with, as features.

Comes in: a restored run.  Goes out: what kNN and retrieval compare.  Videos that could
not be read (--on_bad_record=skip) are in neither.

Letters: Q queries, N rows of the gallery, D dimension.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics.features import ClipFeatures, video_embeddings
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TRAIN_SPLIT, VideoEntry


@dataclasses.dataclass(frozen=True)
class ComparedVideos:
    """What is compared with what.

    Attributes:
      queries: the videos, [Q].
      clips: their features, [Q, num_clips, D] float32.
      gallery: the videos, [N]; empty where its rows are instances of the memory bank.
      rows: their features, [N, D] float32.
      gallery_labels: of the rows, [N] int, -1 without one.
      own_index: [Q] rows of the queries, None where they are not in the gallery.
      num_skipped: videos that could not be read.
    """

    queries: tuple[VideoEntry, ...]
    clips: np.ndarray
    gallery: tuple[VideoEntry, ...]
    rows: np.ndarray
    gallery_labels: np.ndarray
    own_index: np.ndarray | None
    num_skipped: int

    @property
    def labels(self) -> np.ndarray:
        """Classes of the queries, [Q] int, -1 without one."""
        return np.array([video.label for video in self.queries])


def with_features(
    run: RestoredRun, num_clips: int, endpoint: str = "embedding"
) -> ComparedVideos:
    """Compares with features of the training videos, computed now.

    Args:
      run: to be evaluated.
      num_clips: of every video, averaged in the gallery.
      endpoint: of the network.

    Raises:
      UserError: there is no training video, or none that can be read.
    """
    features = run.embed_queries(num_clips, endpoint)
    queries = _chosen(run.queries, features)
    num_skipped = len(run.queries) - len(queries)
    if run.leaves_one_out:
        # Videos that are queries and gallery are not embedded twice.
        gallery, rows = queries, video_embeddings(features.values)
    else:
        of_gallery = run.embed(TRAIN_SPLIT, num_clips, endpoint)
        gallery = _chosen(run.gallery, of_gallery)
        rows = video_embeddings(of_gallery.values)
        num_skipped += len(run.gallery) - len(gallery)
    return ComparedVideos(
        queries=queries,
        clips=features.values,
        gallery=gallery,
        rows=rows,
        gallery_labels=np.array([video.label for video in gallery]),
        own_index=np.arange(len(queries)) if run.leaves_one_out else None,
        num_skipped=num_skipped,
    )


def with_bank(run: RestoredRun, num_clips: int) -> ComparedVideos:
    """Compares with the rows of the memory bank, the authors' validation.

    Args:
      run: to be evaluated.
      num_clips: of every query.

    Raises:
      UserError: there is no bank, or its rows belong to other videos.
    """
    rows = _bank_rows(run)
    features = run.embed_queries(num_clips)
    queries = _chosen(run.queries, features)
    return ComparedVideos(
        queries=queries,
        clips=features.values,
        gallery=(),
        rows=rows,
        gallery_labels=run.bank_labels,
        own_index=features.video_index if run.leaves_one_out else None,
        num_skipped=len(run.queries) - len(queries),
    )


def _bank_rows(run: RestoredRun) -> np.ndarray:
    if run.directory is None:
        raise UserError(
            "A network that was put together for the evaluation has no bank. Use"
            " --gallery=features."
        )
    if not run.is_training_data:
        raise UserError(
            "The bank of the run belongs to other videos than those of"
            f" {run.data_dir!r}. Use --gallery=features."
        )
    if run.leaves_one_out and run.is_view:
        raise UserError(
            "The training videos are the queries, but the bank of the run has rows for"
            " a --subset of them or for their bins, so that a query's own row cannot be"
            " left out. Use --gallery=features."
        )
    rows = run.directory.read_bank(run.checkpoint)
    if len(rows) != len(run.bank_labels):
        raise UserError(
            f"The bank of the {run.checkpoint} checkpoint has {len(rows)} rows, but the"
            f" data {len(run.bank_labels)} instances: it was written before videos were"
            " appended. Use --gallery=features."
        )
    return rows


def _chosen(
    videos: tuple[VideoEntry, ...], features: ClipFeatures
) -> tuple[VideoEntry, ...]:
    return tuple(videos[row] for row in features.video_index)
