"""What the families learn from videos whose class is a motion.

python -m benchmarks.motion_study --data_dir=DATA --output_dir=STUDY [--seed=0]

Trains every family by IR, by IR and then LA, and with labels, all for as many steps,
and evaluates them beside the untrained network: kNN on embeddings, and scikit-learn
probes of conv3, conv4 and conv5.  `run_scripts/motion_study.sh` makes the data first.
Given again, it goes on where it was stopped.  Writes STUDY/motion_study.md and .png.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import time

import numpy as np
from matplotlib import ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

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

_COLORS = {
    "random": "0.8",
    "IR": "tab:cyan",
    "LA": "tab:blue",
    "supervised": "tab:orange",
}


def config_of(family: str, training: str, arguments: argparse.Namespace) -> RunConfig:
    """Settings of one run; those for small collections otherwise."""
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
    """Returns the results of kNN and linear probes, None before there are any."""
    folder = pathlib.Path(_folder(family, training, arguments), "eval")
    paths = [folder / f"{task}.json" for task in ("knn", "linear_quick")]
    if not all(path.exists() for path in paths):
        return None
    knn, linear = (json.loads(path.read_text()) for path in paths)
    step = 0 if training == "random" else STEPS
    return (knn, linear) if knn["step"] == linear["step"] == step else None


def table(scores: dict[tuple[str, str], dict[str, float]]) -> str:
    """Markdown, in %."""
    head = ["family", "trained by", "kNN", *(f"probe {c}" for c in COLUMNS[1:])]
    lines = [head, ["---"] * len(head)]
    for (family, training), row in scores.items():
        cells = [f"{100 * row[column]:.1f}" for column in COLUMNS]
        lines.append([f"`{family}`", training, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def draw(scores: dict[tuple[str, str], dict[str, float]], chance: float) -> Figure:
    """Draws bars: a panel for each column, a group of bars for each family.

    Args:
      scores: accuracies as fractions.
      chance: accuracy of chance, drawn as a line.
    """
    families = list(dict.fromkeys(family for family, _ in scores))
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    FigureCanvasAgg(figure)  # no display is needed
    panels = figure.subplots(2, 2, sharey=True)
    width = 1 / (len(TRAININGS) + 1)
    for axes, column in zip(panels.flat, COLUMNS):
        for number, training in enumerate(TRAININGS):
            axes.bar(
                np.arange(len(families)) + number * width,
                [scores[family, training][column] for family in families],
                width,
                color=_COLORS[training],
                label=training,
            )
        axes.axhline(chance, color="black", linewidth=1, label=f"chance, {chance:.1%}")
        axes.set_title(column if column == "kNN" else f"linear probe of {column}")
        axes.set_xticks(
            np.arange(len(families)) + width * (len(TRAININGS) - 1) / 2, families
        )
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(ticker.PercentFormatter(1.0))
        axes.grid(axis="y", color="0.9")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supylabel("top-1 accuracy")
    lines, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=5, frameon=False)
    return figure


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
    draw(scores, 1 / 8).savefig(f"{path}.png", dpi=110)
    print(text)
    print(f"Wrote {path}.md and {path}.png.")


if __name__ == "__main__":
    main()
