"""Results of tasks as evaluate.py writes them, without a network."""

import json
import pathlib

from run_fixtures import run_config, with_settings

from vie_tf.checkpoints import RunDirectory

KINETICS = {"num_train": 239_000, "num_val": 19_000, "num_classes": 400}
IMAGENET = {"num_train": 1_281_167, "num_val": 50_000, "num_classes": 1000}
UCF101 = {"num_train": 9537, "num_val": 3783, "num_classes": 101}
HMDB51 = {"num_train": 3570, "num_val": 1530, "num_classes": 51}
CLIPS = {"crop": "random_resize", "color": "exact", "subset": 1.0, "bin_frames": 0}


def part(name="kinetics400", **settings):
    """What a network was trained on: by LA on Kinetics, unless it says otherwise."""
    facts = {"fingerprint": "f", "num_classes": 400, "loss": "la", "seed": 0}
    return {"name": name, "subset": 1.0, "bin_frames": 0, **facts, **settings}


def write_result(
    run_dir, task, *, data="kinetics400", of_data=KINETICS, parts=None, **content
):
    """Writes `eval/TASK-DATA.json` of a run, with the facts that all results have."""
    folder = pathlib.Path(run_dir, "eval")
    folder.mkdir(parents=True, exist_ok=True)
    parts = [part()] if parts is None else parts
    loss = " and ".join(dict.fromkeys(one["loss"] for one in parts))
    facts = {"model": "slowfast", "step": 400, "checkpoint": "latest", "seed": 0}
    facts.update(task=task, loss=loss, trained_on=parts, settings=CLIPS)
    facts.update(crop_size=224, trained_crop_size=224)
    facts["protocol"] = f"how {task} is done"
    facts["data"] = {"name": data, "fingerprint": "f", **of_data}
    path = folder / f"{task}-{data}.json"
    path.write_text(json.dumps({**facts, **content}))


def read_outs(*top1):
    """Scores of conv1, conv2 and so on."""
    return {f"conv{n}": {"top1": value, "top5": 1.0} for n, value in enumerate(top1, 1)}


def fine_tuned(top1, splits=("ucf101",), std=None, **content):
    """Content of a result of fine-tuning; settings of clips are taken by their name."""
    of_data = content.pop("of_data", UCF101)
    counts = {"num_train": of_data["num_train"], "num_queries": of_data["num_val"]}
    settings = {name: content.pop(name, value) for name, value in CLIPS.items()}
    return {
        "data": splits[0],
        "of_data": of_data,
        "splits": [
            {"data": name, "steps": 15_000, "num_skipped": 0, **counts}
            for name in splits
        ],
        "mean": {"top1": top1, "top5": 0.9},
        "std": {"top1": std},
        "start": "checkpoint",
        "settings": settings,
        "chance": 1 / of_data["num_classes"],
        **content,
    }


def write_supervised_run(run_dir, data="kinetics400", num_classes=400, **settings):
    """The settings of a supervised run of `slowfast`, and its best validation."""
    config = run_config(f"/data/{data}", run_dir, loss={"name": "supervised"})
    config = with_settings(config, "data", **settings)
    RunDirectory(str(run_dir)).save_config(config, None)
    path = pathlib.Path(run_dir, "config.json")
    content = json.loads(path.read_text())
    facts = {"fingerprint": "f", "num_videos": 259_000, "num_classes": num_classes}
    path.write_text(json.dumps({**content, "data_sets": [facts]}))
    folder = pathlib.Path(run_dir, "checkpoints", "best")
    folder.mkdir(parents=True)
    best = {"checkpoint": "step-300", "metric": "softmax/top1", "score": 0.5}
    (folder / "best.json").write_text(json.dumps(best))
