"""Features of queries and of the gallery, for kNN and retrieval.

Both leave out unreadable videos (--on_bad_record=skip).

Letters: Q queries, N gallery videos, D dimension.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics import knn
from vie_tf.metrics.baselines.reading import VideoVectors, read_vectors
from vie_tf.metrics.features import ClipFeatures, video_embeddings
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, VideoEntry

NO_SECOND_VIDEO = (
    "No query can be right: every class has one video, which is left out of the"
    " gallery as the query. Give two classes or more a second video, or convert the"
    " videos again with validation videos of the same classes (--val_fraction)."
)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Queries and the gallery.

    Attributes:
      queries: videos, [Q].
      query_features: features of their clips, [Q, num_clips, D] float32.
      gallery: videos, [N]; empty if the memory bank is the gallery.
      gallery_features: [N, D] float32, unit norm.
      gallery_labels: classes of the gallery, -1 without one, [N] int.
      own_index: positions of the queries in the gallery, [Q]; None if they are not in
        it.
      num_skipped: number of videos that could not be read.
    """

    queries: tuple[VideoEntry, ...]
    query_features: np.ndarray
    gallery: tuple[VideoEntry, ...]
    gallery_features: np.ndarray
    gallery_labels: np.ndarray
    own_index: np.ndarray | None
    num_skipped: int

    @property
    def labels(self) -> np.ndarray:
        """Classes of the queries, -1 without one, [Q] int."""
        return np.array([video.label for video in self.queries])

    @property
    def counted(self) -> np.ndarray:
        """Which queries are scored, [Q] bool; see `knn.can_be_right`."""
        leaves_one_out = self.own_index is not None
        return knn.can_be_right(self.labels, self.gallery_labels, leaves_one_out)

    @property
    def num_single(self) -> int:
        """Number of labeled queries that are left out, each alone in its class."""
        return int(np.sum(self.labels != NO_LABEL) - self.counted.sum())


def compare(
    run: RestoredRun,
    num_clips: int,
    *,
    gallery: str = "features",
    endpoint: str = "embedding",
) -> Comparison:
    """Computes the features of queries and gallery.

    Args:
      run: run that is evaluated.
      num_clips: number of clips of a video, averaged in the gallery.
      gallery: `features` of the training videos, or the memory `bank` as in the
        authors' validation.
      endpoint: endpoint of the network; `embedding` for the bank.

    Raises:
      UserError: no video can be read, or there is no bank of these videos.
    """
    bank = _read_bank(run) if gallery == "bank" else None
    features = run.embed(run.query_split, num_clips, endpoint)
    queries = _videos_of(run.queries, features)
    num_skipped = len(run.queries) - len(queries)
    own_index = features.video_index
    if bank is not None:
        videos: tuple[VideoEntry, ...] = ()
        gallery_features, gallery_labels = bank, run.bank_labels
    else:
        # If the training videos are the queries, they are embedded once.
        videos, gallery_features = queries, video_embeddings(features.values)
        own_index = np.arange(len(queries))
        if not run.leaves_one_out:
            of_gallery = run.embed(TRAIN_SPLIT, num_clips, endpoint)
            videos = _videos_of(run.gallery, of_gallery)
            gallery_features = video_embeddings(of_gallery.values)
            num_skipped += len(run.gallery) - len(videos)
        gallery_labels = np.array([video.label for video in videos])
    return Comparison(
        queries=queries,
        query_features=features.values,
        gallery=videos,
        gallery_features=gallery_features,
        gallery_labels=gallery_labels,
        own_index=own_index if run.leaves_one_out else None,
        num_skipped=num_skipped,
    )


def compare_baseline(run: RestoredRun, name: str) -> Comparison:
    """Computes the vectors of queries and gallery by a baseline, in place of a network.

    Args:
      run: run whose data set is compared.
      name: one of `vie_tf.metrics.baselines.vectors.BASELINES`.

    Raises:
      UserError: no video can be read, or they are images, in which nothing moves.
    """

    def vectors_of(videos: tuple[VideoEntry, ...]) -> VideoVectors:
        title = f"{name} of {len(videos)} videos"
        return read_vectors(run.data_dir, run.manifest, videos, name, title=title)

    of_queries = vectors_of(run.queries)
    of_gallery = of_queries if run.leaves_one_out else vectors_of(run.gallery)
    queries = tuple(run.queries[index] for index in of_queries.video_index)
    gallery = tuple(run.gallery[index] for index in of_gallery.video_index)
    return Comparison(
        queries=queries,
        query_features=of_queries.rows[:, None],
        gallery=gallery,
        gallery_features=of_gallery.rows,
        gallery_labels=np.array([video.label for video in gallery]),
        own_index=np.arange(len(queries)) if run.leaves_one_out else None,
        num_skipped=len(run.queries) - len(queries),
    )


def _read_bank(run: RestoredRun) -> np.ndarray:
    """Returns the memory bank of the run's checkpoint, [N, D] float32."""
    instead, directory = "Use --gallery=features.", run.network.directory
    if directory is None:
        raise UserError(f"A network of two streams has no memory bank. {instead}")
    if not run.is_training_data:
        raise UserError(
            "The memory bank of the run belongs to other videos than those of"
            f" {run.data_dir!r}. {instead}"
        )
    data = run.config.data
    if run.leaves_one_out and (data.subset < 1 or data.bin_frames):
        raise UserError(
            "The training videos are the queries, but the memory bank of the run has"
            " entries for a --subset of them or for their bins (--bin_frames), so that"
            f" a query cannot be left out of it. {instead}"
        )
    bank = directory.checkpoint(run.network.checkpoint).read_bank()
    if len(bank) != len(run.bank_labels):
        raise UserError(
            f"The memory bank of the {run.network.checkpoint} checkpoint has"
            f" {len(bank)} entries, but the data has {len(run.bank_labels)} instances:"
            " videos were appended since that checkpoint was written. Train on, or use"
            " --gallery=features."
        )
    return bank


def _videos_of(
    videos: tuple[VideoEntry, ...], features: ClipFeatures
) -> tuple[VideoEntry, ...]:
    return tuple(videos[index] for index in features.video_index)
