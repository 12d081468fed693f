"""Flags of evaluate.py."""

from __future__ import annotations

import dataclasses
from typing import Any

from vie_tf.config import (
    FROM_SCRATCH,
    TASKS,
    DataConfig,
    EvaluationConfig,
    FinetuneConfig,
    KnnConfig,
    KnnTaskConfig,
    LinearConfig,
    RetrievalConfig,
    settings_of,
)
from vie_tf.flags import shared
from vie_tf.flags.cli import Flags, Groups
from vie_tf.storage.errors import UserError

GROUPS: Groups = {
    "Data: which records are read, and how": DataConfig,
    "Evaluation: which task, on which network": EvaluationConfig,
    "kNN: classification by nearest neighbors": KnnTaskConfig,
    "Retrieval: nearest videos of queries": RetrievalConfig,
    "Training on labels: linear probes and fine-tuning": {
        "linear": LinearConfig,
        "finetune": FinetuneConfig,
    },
}


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Settings of a call of evaluate.py.

    Attributes:
      settings: task and network.
      data: data sets, several with --splits.
      streams: folders of the runs of both streams of a two-stream network, or None.
      checkpoint: `latest`, `best`, or `untrained` for --from_scratch.
      knn: settings of --task=knn.
      retrieval: settings of --task=retrieval.
      linear: settings of --task=linear.
      finetune: settings of --task=finetune.
    """

    settings: EvaluationConfig
    data: tuple[DataConfig, ...]
    streams: tuple[str, str] | None
    checkpoint: str
    knn: KnnTaskConfig
    retrieval: RetrievalConfig
    linear: LinearConfig
    finetune: FinetuneConfig


def config(flags: Flags) -> Evaluation:
    """Builds the settings of the call.

    Raises:
      UserError: a flag is missing, is for another task, or contradicts another one.
    """
    given = flags.all_given()
    _check_task(flags)
    settings = flags.config(EvaluationConfig)
    data = [shared.data_config(flags, split) for split in settings.splits or (None,)]
    shared.check_schedule(flags)
    streams = _streams(settings)
    if settings.clips_of and streams:
        raise UserError(
            f"--clips_of={settings.clips_of} is for a run of --model=single, not for"
            " the streams of --single_from and --dynamic_from: leave one of them out."
        )
    checkpoint = settings.checkpoint
    if given.get("from_scratch"):
        if checkpoint != "latest":
            raise UserError(
                f"--checkpoint={checkpoint} is for a trained network, not for"
                " --from_scratch: leave one of them out."
            )
        checkpoint = "untrained"
    return Evaluation(
        settings=settings,
        data=tuple(data),
        streams=streams,
        checkpoint=checkpoint,
        knn=flags.config(KnnTaskConfig),
        retrieval=flags.config(RetrievalConfig, knn=_one_vote(flags)),
        linear=flags.config(LinearConfig),
        finetune=flags.config(FinetuneConfig, **_defaults_of_finetuning(given)),
    )


def _check_task(flags: Flags) -> None:
    """Refuses flags that the task would silently ignore."""
    given = flags.all_given()
    task = given.get("task", EvaluationConfig.task)
    shown = f"--task={task}"
    if task == "linear" and given.get("quick"):
        task, shown = "quick", "--task=linear --quick"
    tasks, defaults = _tasks_of_flags()
    for flag, value in given.items():
        if task in tasks[flag] or value in defaults[flag]:
            continue
        wanted = [f"--task={other}" for other in tasks[flag] if other != "quick"]
        raise UserError(
            f"--{flag} is for {' or '.join(wanted)}, and {shown} would ignore it: leave"
            " it out."
        )


def _tasks_of_flags() -> tuple[dict[str, list[str]], dict[str, list[Any]]]:
    """The tasks that use each flag, and its defaults."""
    tasks: dict[str, list[str]] = {}
    defaults: dict[str, list[Any]] = {}
    for task, configs in TASKS.items():
        for config in (*configs, DataConfig, EvaluationConfig):
            for setting in settings_of(config).values():
                if setting.flag is None:
                    continue
                defaults.setdefault(setting.flag, []).append(setting.default)
                if not setting.tasks or task in setting.tasks:
                    tasks.setdefault(setting.flag, []).append(task)
    return tasks, defaults


def _streams(settings: EvaluationConfig) -> tuple[str, str] | None:
    if bool(settings.single_from) != bool(settings.dynamic_from):
        raise UserError("--single_from and --dynamic_from are given together.")
    if settings.single_from and settings.dynamic_from:
        return settings.single_from, settings.dynamic_from
    return None


def _one_vote(flags: Flags) -> KnnConfig:
    """The vote of retrieval, which --task=all takes from the headline of kNN."""
    task = flags.all_given().get("task", EvaluationConfig.task)
    knn = flags.config(KnnTaskConfig)
    if task in ("retrieval", "all") and len(knn.ks) * len(knn.temperatures) > 1:
        raise UserError(
            f"--knn_k={','.join(map(str, knn.ks))} and --knn_temperature="
            f"{','.join(map(str, knn.temperatures))}: only --task=knn takes several;"
            " give one."
        )
    return knn.headline


def _defaults_of_finetuning(given: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = dict(FROM_SCRATCH) if given.get("from_scratch") else {}
    if given.get("lr_boundaries"):
        defaults["lr_schedule"] = "boundaries"
    return defaults
