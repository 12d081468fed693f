"""What the families learn from videos whose class is a motion.

python -m benchmarks.motion_study --data_dir=DATA --output_dir=STUDY [--seed=0]

Trains every family by IR, by IR and then LA, and with labels, all for as many steps,
and evaluates them beside the untrained network: kNN on embeddings, and quick read-outs
of conv3, conv4 and conv5.  `run_scripts/motion_study.sh` makes the data first.  Given
again, it goes on where it was stopped.  Writes STUDY/motion_study.md and .png.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import time

import cv2
import numpy as np

from vie_tf.config import (
    DataConfig,
    KnnConfig,
    KnnTaskConfig,
    LinearConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.evaluation.labels import sklearn_linear
from vie_tf.evaluation.neighbors import knn_task
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.files import write_atomically
from vie_tf.training.train import train

IR_STEPS, STEPS = 300, 400
# Clips of a third to a half of a second, as a scene lasts one: the paper's of two to
# three seconds would show three scenes.
FAMILIES = {
    "single": {"num_frames": 1},
    "trn": {"num_frames": 4, "frame_interval": 3},
    "slow": {"num_frames": 4, "frame_interval": 3},
    "slowfast": {"num_frames": 8, "frame_interval": 1},
    "3dresnet": {"num_frames": 8, "frame_interval": 1},
}
TRAININGS = ("random", "IR", "LA", "supervised")
COLUMNS = ("kNN", "conv3", "conv4", "conv5")
NUM_CLIPS = 5

_COLORS = {  # blue, green, red
    "random": (200, 200, 200),
    "IR": (200, 150, 60),
    "LA": (150, 90, 20),
    "supervised": (60, 130, 230),
}
_INK, _GRID = (60, 60, 60), (230, 230, 230)
_PANEL = (620, 250)  # width and height of the axes
_LEFT, _TOP, _GAP = 60, 50, 70


def config_of(family: str, training: str, arguments: argparse.Namespace) -> RunConfig:
    """Settings of one run; those of run_scripts/small_collection.flags otherwise."""
    folder = _folder(family, training, arguments)
    is_supervised = training == "supervised"
    loss = LossConfig(
        name={"supervised": "supervised", "LA": "la"}.get(training, "ir"),
        ir_normalizer="batch",
        ir_steps=IR_STEPS,
        la_num_clusters=40,
        la_num_background=96,
    )
    return RunConfig(
        # The videos change their colors by themselves, from scene to scene.
        data=DataConfig(arguments.data_dir, color="none"),
        model=ModelConfig(
            family,
            num_filters=16,
            crop_size=48,
            batch_norm_momentum=0.9,
            **FAMILIES[family],
        ),
        loss=loss,
        train=TrainConfig(
            folder,
            init_from=_folder(family, "IR", arguments) if training == "LA" else None,
            train_steps=0 if training == "random" else STEPS,
            batch_size=32,
            learning_rate=0.01,
            lr_warmup_steps=0 if is_supervised else 60,
            seed=arguments.seed,
            checkpoint_steps=50,
            eval_steps=0,
            log_steps=50,
        ),
        knn=KnnConfig(num_clips=NUM_CLIPS),
    )


def _folder(family: str, training: str, arguments: argparse.Namespace) -> str:
    name = f"{family}-{training.lower()}"
    return os.path.join(arguments.output_dir, "runs", name)


def train_family(family: str, arguments: argparse.Namespace) -> None:
    """Trains all runs of a family, or goes on with them."""
    configs = {t: config_of(family, t, arguments) for t in TRAININGS}
    # LA starts where IR stands after IR_STEPS; then IR goes on to as many steps.
    if RunDirectory(configs["LA"].train.model_dir).latest() is None:
        ir = configs["IR"]
        start = dataclasses.replace(ir.train, train_steps=IR_STEPS)
        train(dataclasses.replace(ir, train=start))
    for training in ("random", "LA", "IR", "supervised"):
        train(configs[training])


def evaluate(
    family: str, training: str, arguments: argparse.Namespace
) -> dict[str, float]:
    """Top-1 as fractions, by column; what was evaluated before is read."""
    found = _results(family, training, arguments)
    if found is None:
        folder = _folder(family, training, arguments)
        run = RestoredRun.load(folder, DataConfig(arguments.data_dir))
        knn = knn_task.evaluate(run, KnnTaskConfig(num_clips=NUM_CLIPS))
        linear = sklearn_linear.evaluate_linear_quick(
            run, LinearConfig(num_clips=NUM_CLIPS)
        )
        found = knn, linear
    knn, linear = found
    layers = {layer: linear["scores"][layer]["top1"] for layer in COLUMNS[1:]}
    return {"kNN": knn["top1"], **layers}


def _results(
    family: str, training: str, arguments: argparse.Namespace
) -> tuple[dict, dict] | None:
    """What kNN and read-outs have found of the trained network, None before that."""
    folder = pathlib.Path(_folder(family, training, arguments), "eval")
    paths = [folder / f"{task}.json" for task in ("knn", "linear_quick")]
    if not all(path.exists() for path in paths):
        return None
    knn, linear = (json.loads(path.read_text()) for path in paths)
    step = 0 if training == "random" else STEPS
    return (knn, linear) if knn["step"] == linear["step"] == step else None


def table(scores: dict[tuple[str, str], dict[str, float]]) -> str:
    """Markdown, in %."""
    head = ["family", "trained by", "kNN", *(f"read-out {c}" for c in COLUMNS[1:])]
    lines = [head, ["---"] * len(head)]
    for (family, training), row in scores.items():
        cells = [f"{100 * row[column]:.1f}" for column in COLUMNS]
        lines.append([f"`{family}`", training, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def draw(scores: dict[tuple[str, str], dict[str, float]], chance: float) -> np.ndarray:
    """Bars: a panel for each column, a group for each family.

    Args:
      scores: fractions.
      chance: a fraction, drawn as a line.

    Returns:
      [H, W, 3] uint8, blue first.
    """
    width, height = _PANEL
    size = (2 * (_TOP + height + _GAP), 2 * (_LEFT + width) + 2 * _GAP, 3)
    picture = np.full(size, 255, np.uint8)
    for number, column in enumerate(COLUMNS):
        left = _LEFT + (number % 2) * (width + _GAP + _LEFT)
        top = _TOP + (number // 2) * (height + _GAP)
        title = column if column == "kNN" else f"read-out of {column}"
        _panel(picture, left, top, title, column, scores, chance)
    for number, training in enumerate(TRAININGS):
        x, y = _LEFT + 170 * number, size[0] - 28
        cv2.rectangle(picture, (x, y - 12), (x + 14, y + 2), _COLORS[training], -1)
        _write(picture, training, x + 20, y)
    _write(picture, f"line: chance, {chance:.1%}", _LEFT + 700, size[0] - 28)
    return picture


def _panel(
    picture: np.ndarray,
    left: int,
    top: int,
    title: str,
    column: str,
    scores: dict[tuple[str, str], dict[str, float]],
    chance: float,
) -> None:
    width, height = _PANEL
    bottom = top + height
    _write(picture, title, left, top - 14)
    for percent in range(0, 101, 25):
        y = bottom - round(height * percent / 100)
        cv2.line(picture, (left, y), (left + width, y), _GRID, 1)
        _write(picture, f"{percent}%", left - 48, y + 5)
    families = list(dict.fromkeys(family for family, _ in scores))
    group = width / len(families)
    bar = group / (len(TRAININGS) + 1)
    for place, family in enumerate(families):
        for number, training in enumerate(TRAININGS):
            x = left + place * group + (number + 0.5) * bar
            y = bottom - round(height * scores[family, training][column])
            corners = (round(x), y), (round(x + bar) - 2, bottom)
            cv2.rectangle(picture, *corners, _COLORS[training], -1)
        _write(picture, family, round(left + place * group + bar), bottom + 20)
    y = bottom - round(height * chance)
    cv2.line(picture, (left, y), (left + width, y), (0, 0, 0), 1)


def _write(picture: np.ndarray, text: str, x: int, y: int) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, text, (x, y), font, 0.5, _INK, 1, cv2.LINE_AA)


def main() -> None:
    """Trains and evaluates all, family by family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--output_dir", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    arguments = parser.parse_args()
    started = time.perf_counter()
    scores = {}
    for family in arguments.families:
        if not all(_results(family, training, arguments) for training in TRAININGS):
            train_family(family, arguments)
        for training in TRAININGS:
            scores[family, training] = evaluate(family, training, arguments)
        minutes = (time.perf_counter() - started) / 60
        print(f"\n== {family} is done, {minutes:.1f} min since the start\n", flush=True)
    text = table(scores)
    path = os.path.join(arguments.output_dir, "motion_study")
    write_atomically(f"{path}.md", text)
    cv2.imwrite(f"{path}.png", draw(scores, 1 / 8))
    print(text)
    print(f"Wrote {path}.md and {path}.png.")


if __name__ == "__main__":
    main()
