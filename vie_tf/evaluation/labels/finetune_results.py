"""Results of fine-tuning: their names, their protocol, and the means over splits."""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

import numpy as np

from vie_tf.config import OLD_CROPS, FinetuneConfig
from vie_tf.evaluation import protocols, results
from vie_tf.evaluation.labels import settings as label_settings
from vie_tf.evaluation.provenance import NOTHING
from vie_tf.evaluation.restored_run import RestoredRun

TASK = "finetune"
# Results keep the names of files that earlier versions gave them.
_CROPS_IN_NAMES = {new: old for old, new in OLD_CROPS.items()}


def task_name(run: RestoredRun, settings: FinetuneConfig) -> str:
    """Returns the name of files and folder, one for each column of table 2."""
    name = TASK
    if settings.from_scratch:
        name += "_scratch"
    if run.data.crop != type(run.data).crop:
        name += f"_{_CROPS_IN_NAMES.get(run.data.crop, run.data.crop)}"
    return name


def is_consecutive(run: RestoredRun, settings: FinetuneConfig) -> bool:
    """Whether all clips of a video are tested; of single frames these would be all."""
    if settings.test_clips is not None:
        return settings.test_clips == "consecutive"
    return run.recipe.num_frames > 1


def save(
    runs: Sequence[RestoredRun],
    settings: FinetuneConfig,
    splits: list[dict[str, Any]],
) -> dict[str, Any]:
    """Writes and prints the results of all splits, their mean and their deviation."""
    run = runs[0]
    num_clips = run.clips_per_video(settings.num_clips)
    settings = dataclasses.replace(settings, num_clips=num_clips)
    num_classes = len(run.manifest.class_names)
    top1 = [split["top1"] for split in splits]
    content: dict[str, Any] = {
        **(_without_run(run) if settings.from_scratch else {}),
        "splits": splits,
        "mean": {k: float(np.mean([s[k] for s in splits])) for k in ("top1", "top5")},
        "std": {"top1": float(np.std(top1, ddof=1)) if len(splits) > 1 else None},
        "start": "scratch" if settings.from_scratch else "checkpoint",
        "chance": 1 / num_classes,
        "num_classes": num_classes,
        "settings": results.settings_of(run, settings),
    }
    protocol = _protocol(run, settings)
    name = task_name(run, settings)
    result = results.save(run, name, protocol, content, lambda r: print(_lines(r)))
    return result


def _without_run(run: RestoredRun) -> dict[str, Any]:
    """Returns what a result says that rests on no weights of the run."""
    parts = [part.untrained(seed=None) for part in run.network.trained_on]
    return {
        "loss": NOTHING,
        "trained_on": [dataclasses.asdict(part) for part in parts],
        "step": 0,
        "checkpoint": None,
        "seed": None,
    }


def _protocol(run: RestoredRun, settings: FinetuneConfig) -> str:
    recipe = run.recipe
    if is_consecutive(run, settings):
        span = recipe.span
        clips = (
            f"averaged over all consecutive clips of a video, one for each {span}"
            " frames"
        )
    else:
        clips = f"{protocols.of_clips(settings.num_clips)} of a video"
    start, drawn = "the checkpoint", "the new last layer"
    if settings.from_scratch:
        start, drawn = "an untrained network", "all weights"
    return (
        f"all layers of {start} trained on labels, batches of {settings.batch_size}"
        f" augmented clips ({protocols.of_augmentation(run.data)})"
        f"{protocols.of_videos(run)}, batch norm in training mode, dropout"
        f" {settings.dropout:g}; SGD with momentum {settings.momentum:g},"
        f" {label_settings.describe_rate(settings)}, weight decay"
        f" {settings.weight_decay:g}; seed {settings.seed} of clips, their order and"
        f" {drawn}; the last step's network tested on the validation videos"
        f"{protocols.of_test_window(run.data)}, softmax"
        f" probabilities {clips}; deviation of splits with n - 1"
    )


def _lines(result: dict[str, Any]) -> str:
    classes, splits = result["num_classes"], result["splits"]
    rows: dict[str, Sequence[float]] = {
        split["data"]: (split["top1"], split["top5"]) for split in splits
    }
    if len(splits) > 1:
        rows["mean"] = tuple(result["mean"].values())
        rows["deviation"] = (result["std"]["top1"],)
    return "\n".join(
        [
            f"fine-tuning, {result['model']} from {result['start']}: {classes} classes",
            *protocols.accuracy_table(rows, classes),
            protocols.wrapped(result["protocol"]),
            *(
                f"  The fine-tuned network: --model_dir={split['folder']}"
                for split in splits
            ),
        ]
    )
