"""Results of a network, read from the files of the tasks."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from vie_tf.evaluation.provenance import TrainedOn, loss_of, parts_of
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError

_METADATA = {
    **{name: "str" for name in ("task", "model", "loss", "protocol")},
    **{"trained_on": "list", "step": "int", "data": "dict"},
}
_SOFTMAX = "softmax/top1"  # the metric of a supervised run's validations


@dataclasses.dataclass(frozen=True)
class EvaluatedNetwork:
    """A network that was evaluated: of one run, or of two streams.

    A run that was evaluated with IR and with LA has two of them.

    Attributes:
      name: name of the run's folder.
      model: family of the network, or `input_single_FAMILY` for a network of single
        frames on the clips of others.
      trained_on: data and loss behind the weights, without fingerprints.
      results: contents of result files, including those of networks of the same family
        that were trained from scratch.
      paper_row: row of the paper that the run reproduces, by the name of its script;
        empty for none.
    """

    name: str
    model: str
    trained_on: tuple[TrainedOn, ...]
    results: tuple[dict[str, Any], ...]
    paper_row: str = ""

    @property
    def loss(self) -> str:
        """Loss, such as `ir`; `none` if untrained, `ir and la` of two streams."""
        return loss_of(self.trained_on)

    def title(self, from_scratch: bool = False) -> str:
        """Names the run, the family, and the training unless it is `from_scratch`."""
        parts = self.trained_on
        if from_scratch:
            parts = tuple(part.untrained(None) for part in parts)
        behind = dict.fromkeys(part.describe() for part in parts)
        return f"{self.name} ({self.model}, {' and '.join(behind)})"

    def of(self, task: str) -> list[dict[str, Any]]:
        """Returns the results of a task."""
        return [result for result in self.results if result["task"] == task]


def collect(run_dir: str) -> list[EvaluatedNetwork]:
    """Reads all results of a run, or of a two-stream network, in a folder.

    Returns:
      A network for each family of clips, and for each state of the weights that was
      evaluated.

    Raises:
      UserError: there are no results, or a file is not a result.
    """
    folder = os.path.join(run_dir, "eval")
    places = [folder]
    for name in files.names_in(folder):
        if name.startswith("input_single_"):
            places.append(os.path.join(folder, name))
    by_weights: dict[tuple[str, tuple[TrainedOn, ...]], list[dict[str, Any]]] = {}
    from_scratch: list[dict[str, Any]] = []
    for result in (result for place in places for result in _results_in(place)):
        # Videos that were appended make no other network of a run.
        parts = tuple(
            dataclasses.replace(part, fingerprint="") for part in parts_of(result)
        )
        of_network = by_weights.setdefault((result["model"], parts), [])
        is_scratch = result.get("start") == "scratch"
        (from_scratch if is_scratch else of_network).append(result)
    if not by_weights:
        raise UserError(
            f"{run_dir!r} has not been evaluated: there is no result in {folder!r}. Run"
            " evaluate.py first, and give its --model_dir."
        )
    found = {key: results for key, results in by_weights.items() if results}
    found = found or dict(list(by_weights.items())[:1])
    next(iter(found.values())).extend(from_scratch)
    name, softmax = os.path.basename(os.path.normpath(run_dir)), _softmax(run_dir)
    networks = []
    for (model, parts), results in found.items():
        if softmax and loss_of(parts) == "supervised":
            results.append(softmax)
            softmax = None
        networks.append(EvaluatedNetwork(name, model, parts, tuple(results)))
    return networks


def _results_in(folder: str) -> list[dict[str, Any]]:
    names = [name for name in files.names_in(folder) if name.endswith(".json")]
    return [_read(os.path.join(folder, name)) for name in names]


def _read(path: str) -> dict[str, Any]:
    advice = "Run the task again, or remove the file."
    result = small_files.read_object(path, _METADATA, advice)
    try:
        parts_of(result)
    except TypeError as error:
        raise small_files.DamagedFile(path, str(error), advice) from error
    return result


def _softmax(run_dir: str) -> dict[str, Any] | None:
    """Returns the best validation of a supervised run, as a result of a task."""
    directory = RunDirectory(run_dir)
    best = directory.checkpoints.best_metadata() if directory.exists() else None
    if not best or best["metric"] != _SOFTMAX:
        return None
    config = directory.load_config()[0]
    training = TrainedOn.from_run(directory, best["step"])
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
