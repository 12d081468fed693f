"""Precision and recall of near-duplicates among copies of videos.

python -m benchmarks.doubles --videos=FOLDER --work_dir=DIR [--model_dir=RUN] [--seed=1]

Links the videos of a folder, adds a re-encoded, cropped, brighter or cut copy of every
third, embeds all of them, and looks for doubles by raw cosines, by directions from the
mean, and by frames.  What `work_dir` holds already is used again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.doubles.make_copies import COPIES, write_all
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


def of_kind(kind: str, made: list[tuple[str, str, str]], found: Pairs) -> str:
    """Formats what was found of a kind of copy.

    Precision is over the pairs that were found with a copy of this kind in them.
    """
    wanted = {tuple(sorted(copy[:2])) for copy in made if copy[2] == kind}
    copies = {copy[1] for copy in made if copy[2] == kind}
    with_them = {pair for pair in found if copies & set(pair)}
    return precision_and_recall(with_them, wanted)


def main() -> None:
    """Parses the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", required=True)
    parser.add_argument("--model_dir", help="run that embeds; the motion map without")
    parser.add_argument("--work_dir", required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = os.path.join(options.work_dir, "videos")
    made = write_all(options.videos, folder, seed=options.seed)
    wanted = {tuple(sorted(pair[:2])) for pair in made}
    index_dir = os.path.join(options.work_dir, "index")
    command = [sys.executable, "-m", "vie_tf", "embed", f"--videos={folder}"]
    by = f"--model_dir={options.model_dir}"
    command += [by if options.model_dir else "--network=motion_map"]
    command += [f"--output={index_dir}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    index = EmbeddingIndex.load(index_dir)
    videos = collection.of_index(index)
    names = list(videos.sources)
    print(f"{len(names)} videos, {len(made)} of them copies, seed {options.seed}")
    raw = np.asarray(index.array(index.endpoint()))
    raw = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    print("  raw cosine:   ", best_by_cosine(raw, names, wanted))
    print("  from the mean:", best_by_cosine(videos.vectors, names, wanted))
    series = duplicates.series_of(range(len(names)), reader_of(folder, names, 0))
    start = time.process_time()
    checked = duplicates.find_by_series(videos.vectors, series)
    seconds = time.process_time() - start

    def named(some: list[duplicates.Pair]) -> Pairs:
        return {tuple(sorted((names[p.one], names[p.other]))) for p in some}

    found = named([pair for pair in checked if pair.is_double])
    print("  candidates:   ", precision_and_recall(named(checked), wanted))
    print("  frames:       ", precision_and_recall(found, wanted))
    print(f"  {len(checked)} pairs, {seconds:.0f} s of CPU without decoding")
    for kind in COPIES:
        print(f"  {kind + ':':14}", of_kind(kind, made, found))
    differences = {
        tuple(sorted((names[p.one], names[p.other]))): p.difference for p in checked
    }
    for title, pairs in ("no copy of ours", found - wanted), ("missed", wanted - found):
        for one, other in sorted(pairs):
            number = differences.get((one, other))
            print(f"  {title}, {number and round(number, 2)}: {one} and {other}")
    others = [d for pair, d in differences.items() if pair not in wanted and d]
    print(f"  the closest others differ by {np.round(np.sort(others)[:5], 2).tolist()}")


if __name__ == "__main__":
    main()
