"""Precision and recall of near-duplicates among copies of videos.

python -m benchmarks.doubles --videos=FOLDER --model_dir=RUN --work_dir=DIR

Links the videos of a folder, adds a re-encoded, cropped, brighter or cut copy of every
third, embeds all of them, and looks for doubles by raw cosines, by directions from the
mean, and by frames.  What `work_dir` holds already is used again.
"""

from __future__ import annotations

import argparse
import collections
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.doubles.make_copies import write_all
from vie_tf.commands.video_files.collection_videos import reader_of
from vie_tf.explore import collection, duplicates
from vie_tf.search.embedding_index import EmbeddingIndex

Pairs = set


def precision_and_recall(found: Pairs, wanted: Pairs) -> str:
    """Formats both numbers."""
    right = len(found & wanted)
    precision = right / len(found) if found else 1.0
    return (
        f"precision {precision:5.1%} ({right} of {len(found)}),"
        f" recall {right / len(wanted):5.1%} ({right} of {len(wanted)})"
    )


def best_by_cosine(vectors: np.ndarray, names: list[str], wanted: Pairs) -> str:
    """Takes as many of the closest pairs as there are copies: the best threshold."""
    one, other = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[one, other]
    closest = np.argsort(-cosines)[: len(wanted)]
    found = {(names[one[n]], names[other[n]]) for n in closest}
    return precision_and_recall({tuple(sorted(pair)) for pair in found}, wanted)


def main() -> None:
    """Parses the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", required=True)
    parser.add_argument("--model_dir", required=True)
    parser.add_argument("--work_dir", required=True)
    options = parser.parse_args()
    folder = os.path.join(options.work_dir, "videos")
    made = write_all(options.videos, folder)
    wanted = {tuple(sorted(pair[:2])) for pair in made}
    index_dir = os.path.join(options.work_dir, "index")
    command = [sys.executable, "-m", "vie_tf", "embed", f"--videos={folder}"]
    command += [f"--model_dir={options.model_dir}", f"--output={index_dir}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    index = EmbeddingIndex.load(index_dir)
    videos = collection.of_index(index)
    names = list(videos.sources)
    print(f"{len(names)} videos, {len(made)} of them copies")
    raw = np.asarray(index.array("embedding"))
    print("  raw cosine:   ", best_by_cosine(raw, names, wanted))
    print("  from the mean:", best_by_cosine(videos.vectors, names, wanted))
    start = time.process_time()
    checked = duplicates.find(videos.vectors, reader_of(videos.videos, names, 0))
    seconds = time.process_time() - start

    def named(some: list[duplicates.Pair]) -> Pairs:
        return {tuple(sorted((names[p.one], names[p.other]))) for p in some}

    found = named([pair for pair in checked if pair.is_double])
    print("  candidates:   ", precision_and_recall(named(checked), wanted))
    print("  frames:       ", precision_and_recall(found, wanted))
    print(f"  {seconds:.0f} s of CPU in this process, without the decoding of workers")
    by_kind = collections.Counter(kind for one, other, kind in made)
    hits = collections.Counter(
        kind for one, other, kind in made if tuple(sorted((one, other))) in found
    )
    print("  found:", ", ".join(f"{k} {hits[k]} of {n}" for k, n in by_kind.items()))
    for one, other in sorted(found - wanted):
        print(f"  no copy of ours: {one} and {other}")


if __name__ == "__main__":
    main()
