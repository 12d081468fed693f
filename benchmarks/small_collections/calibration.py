"""What centering and whitening change in the vectors that videos are compared by.

python -m benchmarks.small_collections.calibration COLLECTION [COLLECTION ...]

COLLECTION is the folder of a collection in a study of `benchmarks.small_collections`,
such as STUDY/yoga, whose embeddings are read.  Prints leave-one-out kNN and mean
average precision of the embedding and of the search features of each network.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import Sequence

import numpy as np

from benchmarks.small_collections import scores
from benchmarks.small_collections.methods import NETWORKS
from vie_tf.explore import space
from vie_tf.metrics import components
from vie_tf.metrics.features import unit_norm
from vie_tf.metrics.search_features import NUM_COMPONENTS, SEARCH_FEATURES
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.storage.errors import UserError

ENDPOINTS = ("embedding", SEARCH_FEATURES)
METRICS = ("knn10", "map")
_WHITENINGS = {
    "centered, 128 components": 0.0,
    "the same, half whitened": components.WHITENING,
    "the same, whitened": 1.0,
}


def calibrations(index: EmbeddingIndex, endpoint: str) -> dict[str, np.ndarray]:
    """Returns the vectors of an index by what is done to them, each [V, D] float32.

    Args:
      index: index of videos.
      endpoint: `embedding` or `search_features`.
    """
    rows = np.asarray(index.array(endpoint), np.float32)
    vectors = unit_norm(rows)
    blocks = index.metadata["search_blocks"] if endpoint == SEARCH_FEATURES else None
    found = {
        "as they are": vectors,
        "centered": space.centered(vectors, space.mean_of(vectors)),
    }
    for title, whitening in _WHITENINGS.items():
        fitted = components.fit(rows, NUM_COMPONENTS, blocks, whitening)
        found[title] = fitted.project(rows)
    return found


def measure(collection: pathlib.Path) -> dict[tuple[str, str, str], np.ndarray]:
    """Scores every calibration of every network of a collection.

    Returns:
      Fractions [seeds, 2] of `METRICS`, by network, endpoint and calibration.

    Raises:
      UserError: there are no embeddings of a network.
    """
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for network in NETWORKS:
        for folder in sorted(collection.glob(f"{network}-*/embeddings")):
            index = EmbeddingIndex.load(str(folder))
            labels, _ = scores.labels_of(str(folder))
            for endpoint in ENDPOINTS:
                if endpoint not in index.metadata["arrays"]:
                    continue
                for title, vectors in calibrations(index, endpoint).items():
                    one = scores.scores(vectors, labels, probe=False)
                    row = found.setdefault((network, endpoint, title), [])
                    row.append([one[metric] for metric in METRICS])
    if not found:
        raise UserError(
            f"{collection} has no embeddings of a network; give a folder of a"
            " collection that python -m benchmarks.small_collections has made."
        )
    return {key: np.array(values) for key, values in found.items()}


def table(collections: Sequence[pathlib.Path]) -> str:
    """Formats kNN (k = 10) and mAP of all collections in Markdown, in percent."""
    measured = [measure(collection) for collection in collections]
    head = ["network", "vectors", "what is done to them"]
    for collection in collections:
        head += [f"{collection.name}: kNN", "mAP"]
    lines = [head, ["---"] * len(head)]
    for key in dict.fromkeys(key for of_one in measured for key in of_one):
        cells = list(key)
        for of_one in measured:
            knn10, mean = of_one.get(key, np.full([1, 2], np.nan)).mean(axis=0)
            cells += [f"{100 * knn10:.1f}", f"{100 * mean:.1f}"]
        lines.append(cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(given: Sequence[str] | None = None) -> int:
    """Prints the table, and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collections", nargs="+", type=pathlib.Path)
    try:
        print(table(parser.parse_args(given).collections))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
