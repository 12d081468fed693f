"""What the page of a collection knows: places, groups, doubles, outliers, neighbors.

Letters: V videos, k neighbors.
"""

from __future__ import annotations

import json
from typing import Any, Sequence

import numpy as np

from vie_tf.explore import duplicates, layout, outliers
from vie_tf.explore.collection import Collection
from vie_tf.explore.duplicates import Pair
from vie_tf.explore.groups import group
from vie_tf.explore.percentiles import Percentiles
from vie_tf.explore.pictures.sheets import REQUEST, STILLS, STRIPS, SheetWriter
from vie_tf.metrics import nearest
from vie_tf.storage.printable import printable

NUM_NEIGHBORS = 12
_SHOWN_OUTLIERS = 24
_MAP_UNITS = 10_000  # places are whole numbers up to this
_PERCENT_UNITS = 100


def content_of(
    collection: Collection,
    pairs: Sequence[Pair],
    sheets: SheetWriter,
    num_groups: int | None,
) -> dict[str, Any]:
    """Returns the content of the page, for JSON.

    Args:
      collection: at least one video.
      pairs: candidates for doubles, checked where their frames can be read.
      sheets: sheets that hold all thumbnails.
      num_groups: number of groups; None for a number that suits the collection.
    """
    labels = sorted(set(collection.labels) - {""})
    number_of = {label: number for number, label in enumerate(labels)}
    groups = group(collection.vectors, collection.labels, num_groups)
    return {
        "names": [printable(name) for name in collection.sources],
        "labelNames": [printable(label) for label in labels],
        "labels": [number_of.get(label, -1) for label in collection.labels],
        "splits": collection.splits,
        "durations": [round(float(secs), 2) for secs in sheets.durations],
        "frames": sheets.num_frames.tolist(),
        "sizes": sheets.sizes.tolist(),
        "faults": sheets.faults,
        "maps": {
            "tsne": _units(layout.tsne_map(collection.vectors)),
            "pca": _units(layout.pca_map(collection.vectors)),
        },
        "groups": [
            {
                "name": printable(one.name),
                "label": printable(one.label),
                "members": one.members,
                "purity": one.purity,
            }
            for one in groups
        ],
        "duplicates": _duplicates(pairs),
        "outliers": _outliers(collection.vectors),
        **_neighbors(collection.vectors),
        "stills": STILLS.describe(),
        "strips": {**STRIPS.describe(), "perSecond": REQUEST.per_second},
    }


def as_json(content: dict[str, Any]) -> str:
    """Formats content so that no text of it can end the element that holds it."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _units(places: np.ndarray) -> list[int]:
    return np.rint(places * _MAP_UNITS).astype(int).ravel().tolist()


def _duplicates(pairs: Sequence[Pair]) -> dict[str, Any]:
    num_checked = sum(pair.difference is not None for pair in pairs)
    if num_checked:
        note = (
            f"Of the {num_checked} likeliest pairs the frames were compared. These"
            " show the same recording: perhaps re-encoded, cropped, brighter or cut."
        )
    else:
        note = (
            "Pairs that lie far closer than the nearest videos of this collection"
            " usually do. Their frames were not compared."
        )
    sets = duplicates.sets_of(pairs)
    if not sets:
        note += " There are none."
    return {
        "note": note,
        "sets": [{"videos": one, "reason": _reason(one, pairs)} for one in sets],
    }


def _reason(videos: Sequence[int], pairs: Sequence[Pair]) -> str:
    inside = [p for p in pairs if p.is_double and {p.one, p.other} <= set(videos)]
    differences = [p.difference for p in inside if p.difference is not None]
    if differences:
        return f"At most {max(differences):.0%} of what moves differs."
    closest = min(p.score for p in inside)
    return f"{-closest:.1f} deviations closer than nearest videos usually are."


def _outliers(vectors: np.ndarray) -> dict[str, Any]:
    found = outliers.find(vectors)
    flagged = int(found.is_outlier.sum())
    order = found.order[: max(_SHOWN_OUTLIERS, flagged)]
    note = (
        "Videos that are farthest from the five nearest to them, in robust standard"
        f" deviations of that distance. {flagged or 'None'} of them"
        f" {'is' if flagged == 1 else 'are'} beyond 3.5, a usual bound for an outlier."
    )
    return {
        "videos": order.tolist(),
        "scores": [round(float(score), 2) for score in found.scores[order]],
        "flagged": flagged,
        "note": note,
    }


def _neighbors(vectors: np.ndarray) -> dict[str, Any]:
    """Returns the nearest videos of each, flat, and their percentiles in hundredths."""
    if len(vectors) < 2:
        return {"numNeighbors": 0, "neighbors": [], "percentiles": []}
    found = nearest.search(vectors, vectors, NUM_NEIGHBORS, np.arange(len(vectors)))
    percentiles = Percentiles(vectors)(found.similarities)
    return {
        "numNeighbors": found.neighbor_index.shape[1],
        "neighbors": found.neighbor_index.ravel().tolist(),
        "percentiles": (percentiles * _PERCENT_UNITS).astype(int).ravel().tolist(),
    }
