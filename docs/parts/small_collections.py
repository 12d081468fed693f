"""The table of small_collections.md, from what the benchmark has measured.

`docs/small_collections.json` is the results.json of `benchmarks.small_collections`, and
`docs/pictures/small_collections.png` its picture.
"""

from __future__ import annotations

from typing import Iterator

from benchmarks.small_collections import report
from benchmarks.small_collections.results import Results
from docs.parts.modules import ROOT

RESULTS = ROOT / "docs" / "small_collections.json"


def small_collections() -> Iterator[str]:
    """Yields the table, and the place of the picture."""
    if not RESULTS.exists():
        yield "The figures of this release are not measured yet.\n"
        return
    yield report.table(Results.read(RESULTS))
    yield "\n![Accuracies by collection](pictures/small_collections.png)\n"
