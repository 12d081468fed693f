"""What an embedding has learned, by itself and beside others of the same videos.

Comes in: an embedding of both halves of every video, and labels where there are some.
Goes out: figures that can be compared among embeddings, and whether the neighbors of
one are merely videos of the same scene.

Letters: N videos, D dimension, k neighbors, Q videos whose class has another video.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vie_tf.metrics import leave_one_out, nearest
from vie_tf.monitoring import statistics
from vie_tf.monitoring.learning_report import SameScene
from vie_tf.storage.errors import UserError

K = 10
# Those of all videos that look most alike by pixels count as the same scene.
_SCENE_FRACTION = 0.1
_FEWEST_VIDEOS = 30


@dataclasses.dataclass(frozen=True)
class Figures:
    """Figures of one embedding.

    Attributes:
      agreement: fraction of the k nearest videos by the first half of a video that are
        also the nearest by its second half.
      alignment: mean squared distance of both halves, 0 to 4 (Wang and Isola 2020).
      uniformity: log of the mean of exp(-2 |x - y|^2) over pairs of videos.
      is_right: whether leave-one-out kNN is right, [Q] bool; Q is 0 without labels.
      ranking: the nearest other videos, nearest first, [N, `ranking_size(N)`] int32.
    """

    agreement: float
    alignment: float
    uniformity: float
    is_right: np.ndarray
    ranking: np.ndarray

    def values(self) -> dict[str, float]:
        """Returns the numbers by name; `knn` is missing without labels."""
        values = {
            "agreement": self.agreement,
            "alignment": self.alignment,
            "uniformity": self.uniformity,
        }
        if len(self.is_right):
            values["knn"] = float(self.is_right.mean())
        return values


def figures(rows: np.ndarray, halves: np.ndarray, labels: np.ndarray) -> Figures:
    """Computes the figures of an embedding.

    Args:
      rows: embeddings of the videos, [N, D] floats, unit norm.
      halves: embeddings of both halves of each, [N, 2, D] floats, unit norm.
      labels: [N] classes, -1 where a video has none.
    """
    rows, k = rows.astype(np.float32), min(K, len(rows) - 1)
    first, second = (ranked(halves[:, half], k) for half in (0, 1))
    similarities = rows @ rows.T
    try:
        is_right = leave_one_out.is_right(rows, labels, K)
    except UserError:  # no class has two videos
        is_right = np.zeros([0], bool)
    return Figures(
        agreement=float(overlap(first, second).mean()),
        alignment=statistics.alignment(float(np.mean(np.sum(np.prod(halves, 1), 1)))),
        uniformity=statistics.uniformity(
            similarities[~np.eye(len(rows), dtype=bool)].astype(np.float64)
        ),
        is_right=is_right,
        ranking=ranked(rows, ranking_size(len(rows))),
    )


def scene_size(num_videos: int) -> int:
    """Returns how many videos count as the same scene as one."""
    return max(round(_SCENE_FRACTION * num_videos), 1)


def ranking_size(num_videos: int) -> int:
    """Returns how many neighbors `same_scene` needs: the scene's, and k of others."""
    return min(scene_size(num_videos) + K, num_videos - 1)


def ranked(rows: np.ndarray, k: int) -> np.ndarray:
    """Returns the k nearest other videos of each, nearest first, [N, k] int32.

    Args:
      rows: [N, D] floats, unit norm.
      k: number of neighbors, below N.
    """
    return nearest.search(rows, rows, k, own_index=np.arange(len(rows))).neighbor_index


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the fraction of common neighbors of each video, [N] float64.

    Args:
      first: neighbors by one embedding, [N, k].
      second: by another, [N, k].
    """
    return (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)


def same_scene(run: Figures, pixels: Figures, motion: Figures) -> SameScene | None:
    """Says whether neighbors are of the same scene, and know no more than that.

    An embedding that knows the scene alone finds its nearest video in the same scene.
    Among the videos of other scenes, its neighbors move alike no more often than those
    by pixels do.

    Args:
      run: figures of the embedding.
      pixels: figures of `pixels` for the same videos.
      motion: figures of `motion_map` for the same videos.

    Returns:
      None where the videos are too few to tell.
    """
    count = len(run.ranking)
    scene = pixels.ranking[:, : scene_size(count)]
    if count - 1 - scene.shape[1] < K or count < _FEWEST_VIDEOS:
        return None
    moves_alike = _elsewhere(motion.ranking, scene)
    gains = [
        overlap(_elsewhere(one.ranking, scene), moves_alike) for one in (run, pixels)
    ]
    gain = gains[0] - gains[1]  # [N]
    return SameScene(
        nearest=float((run.ranking[:, :1] == scene).any(axis=1).mean()),
        chance=scene.shape[1] / (count - 1),
        motion=float(gains[0].mean()),
        motion_of_pixels=float(gains[1].mean()),
        standard_error=float(gain.std(ddof=1) / np.sqrt(count)),
    )


def _elsewhere(ranking: np.ndarray, scene: np.ndarray) -> np.ndarray:
    """Returns the k nearest videos that are not of the scene, [N, k]."""
    is_elsewhere = ~(ranking[:, :, None] == scene[:, None, :]).any(axis=2)
    # A stable sort moves them to the front and keeps their order.
    order = np.argsort(~is_elsewhere, axis=1, kind="stable")[:, :K]
    return np.take_along_axis(ranking, order, axis=1)
