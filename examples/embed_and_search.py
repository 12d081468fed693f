"""Embeds a folder of videos with the network of a run, and searches it.

python examples/embed_and_search.py RUN VIDEOS
"""

from __future__ import annotations

import sys

import numpy as np

import vie_tf
from data_prep.convert.decode_blocks import find


def main(model_dir: str, folder: str, count: int = 3) -> list[str]:
    """Prints the videos nearest to the first one of a folder, and returns them."""
    run = vie_tf.load(model_dir)
    files = [video.path for video in find(folder)]
    embeddings = run.embed(files)  # [V, D] at unit norm
    similarities = embeddings @ embeddings[0]
    order = np.argsort(-similarities)[1 : count + 1]  # without the video itself
    print(f"Nearest to {files[0]} of {len(files)} videos:")
    for number in order:
        print(f"  {similarities[number]:.3f}  {files[number]}")
    return [files[number] for number in order]


if __name__ == "__main__":
    # For many videos, embed.py writes the embeddings once and vie_tf.Index finds them.
    main(*sys.argv[1:3])
