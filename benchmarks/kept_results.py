"""Results of a study that takes hours, kept in one file as they come."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import statistics
from typing import Any, Generic, Iterable, Mapping, NamedTuple, TypeVar

from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically

Result = TypeVar("Result")


class Spread(NamedTuple):
    """Mean and standard deviation over seeds, 0 for one seed, and their number."""

    mean: float
    deviation: float
    num_seeds: int

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread | None:
        """Returns the spread of the values that are there, None where none is."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        deviation = statistics.stdev(known) if len(known) > 1 else 0.0
        return cls(statistics.fmean(known), deviation, len(known))


class KeptResults(Generic[Result]):
    """Results in a folder; subclasses say of which class, and what chooses the folder.

    Args:
      folder: folder of results.json.
      settings: what all results depend on, by name.

    Attributes:
      settings: as given.
      all: results, in the order in which they came.

    Raises:
      UserError: the folder holds results of other settings.
    """

    result_class: type[Result]
    folder_option = "folder"

    def __init__(self, folder: pathlib.Path, settings: Mapping[str, Any]) -> None:
        self._path = folder / "results.json"
        self.settings = json.loads(json.dumps(settings))
        self.all: list[Result] = []
        if not self._path.exists():
            return
        kept = self.read(self._path)
        if kept.settings != self.settings:
            raise UserError(
                f"{self._path} holds results of {kept.settings}, not of"
                f" {self.settings}: give another {self.folder_option}."
            )
        self.all = kept.all

    @classmethod
    def read(cls, path: pathlib.Path) -> Any:
        """Reads results of any settings and file name, to make a table of."""
        content = json.loads(path.read_text())
        found = cls(path.parent / "none", content["settings"])
        found.all = [cls.result_class(**one) for one in content["results"]]
        return found

    def add(self, results: Iterable[Result]) -> None:
        """Adds results and writes all."""
        self.all += results
        content = {
            "settings": self.settings,
            "results": [dataclasses.asdict(one) for one in self.all],
        }
        write_atomically(str(self._path), json.dumps(content, indent=1) + "\n")
