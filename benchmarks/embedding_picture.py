"""Draws embeddings before and after training, as points colored by class.

python -m benchmarks.embedding_picture --untrained=OUT_A --trained=OUT_B --picture=FILE

OUT_A and OUT_B are folders of embed.py of the same labeled data set.  The README shows
the quickstart's; docs/motion_study.md has the commands.
"""

from __future__ import annotations

import argparse
import csv
import pathlib

import matplotlib
import numpy as np
from sklearn.manifold import TSNE

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402


def read(folder: pathlib.Path, split: str) -> tuple[np.ndarray, list[str]]:
    """Returns the embeddings of a split, [N, D], and their labels."""
    with open(folder / "videos.csv", newline="") as file:
        videos = list(csv.DictReader(file))
    of_split = [video["split"] == split for video in videos]
    labels = [video["label"] for video in videos if video["split"] == split]
    return np.load(folder / "embedding.npy")[of_split], labels


def points(embeddings: np.ndarray) -> np.ndarray:
    """Returns places in the plane, [N, 2], that keep neighbors beside each other."""
    return TSNE(metric="cosine", init="random", random_state=0).fit_transform(
        embeddings
    )


def draw(titles: dict[str, pathlib.Path], split: str, picture: pathlib.Path) -> None:
    """Draws the embeddings of each folder into a panel with its title."""
    figure, axes = plt.subplots(1, len(titles), figsize=(10, 4.6))
    colors = plt.get_cmap("tab10").colors
    for panel, (title, folder) in zip(axes, titles.items()):
        embeddings, labels = read(folder, split)
        places = points(embeddings)
        for color, name in zip(colors, sorted(set(labels))):
            own = places[[label == name for label in labels]]
            panel.scatter(*own.T, s=42, color=color, alpha=0.8, label=name)
        panel.set_title(title, fontsize=13)
        panel.set_xticks([])
        panel.set_yticks([])
        for side in panel.spines.values():
            side.set_color("0.8")
    names = [name.replace("_", " ") for name in axes[0].get_legend_handles_labels()[1]]
    handles = axes[0].get_legend_handles_labels()[0]
    figure.legend(handles, names, loc="lower center", ncols=len(names), frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def main() -> None:
    """Draws what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--untrained", type=pathlib.Path, required=True)
    parser.add_argument("--trained", type=pathlib.Path, required=True)
    parser.add_argument("--split", default="val", help="videos (default val)")
    parser.add_argument("--picture", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    titles = {
        "before training": arguments.untrained,
        "after training without labels": arguments.trained,
    }
    draw(titles, arguments.split, arguments.picture)


if __name__ == "__main__":
    main()
