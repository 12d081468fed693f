"""Groups of a collection, by k-means of its vectors.

Letters: V videos, D dimension.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from typing import Sequence

import numpy as np
from sklearn.cluster import KMeans

_SEED = 0
_LARGEST_DEFAULT = 24  # more colors cannot be told apart
_MAJORITY = 0.5


@dataclasses.dataclass(frozen=True)
class Group:
    """Videos that lie together.

    Attributes:
      name: majority label, or the number of the group.
      label: majority label; empty without labels.
      members: positions of the videos, from the most central to the most marginal.
      purity: fraction of the labeled members that have the majority label; None
        without labels.
    """

    name: str
    label: str
    members: tuple[int, ...]
    purity: float | None


def default_count(num_videos: int) -> int:
    """Returns the number of groups of a collection: more for larger ones, to 24."""
    return max(1, min(_LARGEST_DEFAULT, round(math.sqrt(num_videos / 2))))


def group(
    vectors: np.ndarray, labels: Sequence[str], count: int | None = None
) -> list[Group]:
    """Divides videos into groups, the largest first.

    Args:
      vectors: unit norm, [V, D] float32; V is at least 1.
      labels: name of each video's class, empty without one.
      count: number of groups, at most that of different vectors; None for
        `default_count`.
    """
    num_places = len(np.unique(vectors.round(6), axis=0))
    count = min(count or default_count(len(vectors)), num_places)
    means = KMeans(count, n_init=4, random_state=_SEED).fit(vectors)
    distances = np.linalg.norm(vectors - means.cluster_centers_[means.labels_], axis=1)
    found = []
    for number in range(count):
        members = np.flatnonzero(means.labels_ == number)
        if len(members):
            order = np.argsort(distances[members], kind="stable")
            found.append(members[order].tolist())
    found.sort(key=lambda members: (-len(members), min(members)))
    return _named(found, labels)


def _named(groups: Sequence[Sequence[int]], labels: Sequence[str]) -> list[Group]:
    majorities = []
    for members in groups:
        counts = collections.Counter(labels[v] for v in members if labels[v])
        majorities.append(counts.most_common(1)[0] if counts else None)
    repeated: dict[str, int] = collections.Counter(
        found[0] for found in majorities if found
    )
    turn: dict[str, int] = collections.Counter()
    named = []
    for number, (members, found) in enumerate(zip(groups, majorities), 1):
        name, purity = f"Group {number}", None
        if found:
            num_labeled = sum(bool(labels[v]) for v in members)
            purity = found[1] / num_labeled
            name = found[0] if purity >= _MAJORITY else f"{found[0]} and others"
            turn[found[0]] += 1
            if repeated[found[0]] > 1:
                name = f"{name} ({turn[found[0]]})"
        label = found[0] if found else ""
        named.append(Group(name, label, tuple(members), purity))
    return named
