"""What was measured of a network, read from the files of the tasks."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from vie_tf.evaluation import provenance as trained_on
from vie_tf.evaluation.provenance import TrainedOn
from vie_tf.evaluation.report import protocols
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files
from vie_tf.storage.errors import UserError

_FACTS = {"task", "model", "loss", "trained_on", "step", "data", "protocol"}
_SOFTMAX = "softmax/top1"  # the metric of a supervised run's validations


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that was evaluated: a run's, or one that was put together for it.

    A run that was evaluated before and after its LA began is two of them.

    Attributes:
      name: for the reader, the folder of the run.
      model: as the results have it; `input_single_slow` and the like for a network of
        single frames on the clips of others.
      trained_on: what is behind its weights, without fingerprints.
      results: of the tasks, as `task_files.save` has written them.  Those of networks
        that were trained from scratch are among them, though they have none of its
        weights.
      softmax: of a supervised run, the best of its own validations, as a result; None
        if there is none.
    """

    name: str
    model: str
    trained_on: tuple[TrainedOn, ...]
    results: tuple[dict[str, Any], ...]
    softmax: dict[str, Any] | None = None

    @property
    def loss(self) -> str:
        """`ir`, `la`, `supervised`, `none` if untrained, `ir and la` of two streams."""
        return trained_on.loss_of(self.trained_on)

    @property
    def title(self) -> str:
        """Name, model, and what is behind the weights."""
        behind = dict.fromkeys(_in_words(part) for part in self.trained_on)
        return f"{self.name} ({self.model}, {' and '.join(behind)})"

    @property
    def title_from_scratch(self) -> str:
        """The title where none of its weights were used."""
        behind = dict.fromkeys(_in_words(p.untrained(None)) for p in self.trained_on)
        return f"{self.name} ({self.model}, {' and '.join(behind)})"

    def of_task(self, task: str) -> list[dict[str, Any]]:
        """The results of one task, by data set."""
        return [result for result in self.results if result["task"] == task]

    def fine_tuned(self) -> list[dict[str, Any]]:
        """The results of fine-tuning, with whatever start and augmentation."""
        return [r for r in self.results if r["task"].startswith("finetune")]


def _in_words(part: TrainedOn) -> str:
    """Loss and data of a run, `LA on kinetics400, 70% of the videos`."""
    words = "untrained"
    if part.loss != trained_on.NOTHING:
        words = part.loss if part.loss == "supervised" else part.loss.upper()
        words += f" on {part.name}" if part.name else ""
    return ", ".join(filter(None, [words, *part.view_in_words, part.network]))


def collect(run_dir: str) -> list[Network]:
    """Reads all results of a run.

    Args:
      run_dir: folder of the run, or of the results of a two-stream network.

    Returns:
      A network for the run's own clips, and one for each other family's clips that it
      was evaluated on; one more where its weights are of another training by now.

    Raises:
      UserError: there are no results, or a file is not one of a result.
    """
    folder = os.path.join(run_dir, "eval")
    if not files.is_folder(folder):
        raise UserError(
            f"{run_dir!r} has not been evaluated: there is no folder eval in it. Give"
            " the --model_dir of evaluate.py."
        )
    name = os.path.basename(os.path.normpath(run_dir))
    softmax = _softmax(run_dir)
    networks = []
    for place in (folder, *_folders_in(folder)):
        found = [result for result in files.names_in(place) if result.endswith(".json")]
        results = [_read(os.path.join(place, result)) for result in found]
        networks += _networks(name, results, softmax)
    if not networks:
        raise UserError(
            f"{run_dir!r} has not been evaluated: there is no result in {folder!r}. Run"
            " evaluate.py first."
        )
    return networks


def _networks(
    name: str, results: list[dict[str, Any]], softmax: dict[str, Any] | None
) -> list[Network]:
    """Puts together the results of the same weights, or of the same training."""
    parts: dict[tuple[str, tuple[TrainedOn, ...]], list[dict[str, Any]]] = {}
    from_scratch = []
    for result in results:
        if result.get("start") == "scratch":
            from_scratch.append(result)
            continue
        # Videos that were appended make no other network of a run.
        key = tuple(
            dataclasses.replace(part, fingerprint="")
            for part in protocols.parts_of(result)
        )
        parts.setdefault((result["model"], key), []).append(result)
    if from_scratch and not parts:
        first = from_scratch[0]
        parts[first["model"], protocols.parts_of(first)] = []
    networks = []
    for (model, training), of_network in parts.items():
        network = Network(name, model, training, (*of_network, *from_scratch))
        from_scratch = []
        if network.loss == "supervised":
            network = dataclasses.replace(network, softmax=softmax)
            softmax = None
        networks.append(network)
    return networks


def _softmax(run_dir: str) -> dict[str, Any] | None:
    """The best validation of a supervised run, in the form of a task's result."""
    directory = RunDirectory(run_dir)
    best = directory.best_metadata() if directory.exists() else None
    if not best or best["metric"] != _SOFTMAX:
        return None
    config = directory.load_config()[0]
    training = TrainedOn.of_run(directory, best["step"])
    result = {
        "task": "softmax",
        "top1": best["score"],
        "data": {"name": training.name, **directory.data_set()},
        "trained_on": [dataclasses.asdict(training)],
        "step": best["step"],
        "checkpoint": "best",
        "protocol": (
            "the network's own softmax in the validations of its training, class"
            f" probabilities averaged over {config.knn.num_clips} equally spaced clips"
            " of a validation video; the best of all validations, so chosen on the"
            " videos that it is measured on"
        ),
    }
    if training.num_classes:
        result["chance"] = 1 / training.num_classes
    return result


def _folders_in(folder: str) -> list[str]:
    # Those of fine-tuned networks hold no results of tasks, but settings.
    return [
        os.path.join(folder, name)
        for name in files.names_in(folder)
        if name.startswith("input_single_")
    ]


def _read(path: str) -> dict[str, Any]:
    text = files.read_text(path)
    try:
        result = json.loads(text)
        if _FACTS <= set(result):
            return result
    except (json.JSONDecodeError, TypeError):
        pass
    raise UserError(
        f"{path!r} is no result of evaluate.py of this version: run the task again, or"
        " remove the file."
    )
