"""Makes videos of 8 motions, trains on them without labels, and looks at the result.

python examples/train_on_generated_videos.py FOLDER [--num_videos=600] [--steps=400]
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

import vie_tf
from data_prep.convert.__main__ import main as convert
from data_prep.synthesize.__main__ import main as synthesize
from vie_tf.commands.train import main as train


def make_run(folder: pathlib.Path, num_videos: int, steps: int) -> None:
    """Makes FOLDER/videos, FOLDER/data and FOLDER/run; each goes on if it is there."""
    videos, data, run = (folder / name for name in ("videos", "data", "run"))
    codes = [
        synthesize([f"--output_dir={videos}", f"--num_videos={num_videos}"]),
        convert([f"--videos={videos}", f"--output_dir={data}", "--shortest_side=96"]),
        train(
            [
                *("--preset=small", "--color=none", f"--train_steps={steps}"),
                *(f"--data_dir={data}", f"--model_dir={run}"),
            ]
        ),
    ]
    if any(codes):
        raise SystemExit("A command failed; its message is above.")


def fraction_of_same_motion(folder: pathlib.Path) -> float:
    """Returns for how many videos of `val` the nearest of `train` has their motion."""
    run = vie_tf.load(folder / "run")
    queries, gallery = (
        run.embed(vie_tf.dataset(folder / "data", split, run.clip))  # [V, D]
        for split in ("val", "train")
    )
    nearest = (queries @ gallery.T).argmax(axis=1)
    is_right = labels_of(folder, "train")[nearest] == labels_of(folder, "val")
    return float(np.mean(is_right))


def labels_of(folder: pathlib.Path, split: str) -> np.ndarray:
    """Returns the classes of the videos of a split, [V]."""
    from vie_tf.storage.manifest import Manifest

    manifest = Manifest.load(str(folder / "data"))
    return np.array([video.label for video in manifest.split(split)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--num_videos", type=int, default=600)
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    make_run(given.folder, given.num_videos, given.steps)
    fraction = fraction_of_same_motion(given.folder)
    print(f"The nearest video shows the same motion for {fraction:.0%} of the videos.")
