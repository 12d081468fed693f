"""Claims and tables of paper_in_miniature.md, from what the study has measured.

`docs/paper_in_miniature.json` is the results.json of `benchmarks.paper_in_miniature`,
and `docs/pictures/paper_in_miniature.png` its curves.png.
"""

from __future__ import annotations

import textwrap
from typing import Iterator

from benchmarks.paper_in_miniature import report
from benchmarks.paper_in_miniature.claims import RULE
from benchmarks.paper_in_miniature.results import Results
from docs.parts.modules import ROOT

RESULTS = ROOT / "docs" / "paper_in_miniature.json"
PICTURE = "pictures/paper_in_miniature.png"


def paper_in_miniature() -> Iterator[str]:
    """Yields the rule, the claims, the picture of the curves, and the tables."""
    yield f"{textwrap.fill(RULE, 92)}\n\n"
    if not RESULTS.exists():
        yield "The figures of this release are not measured yet.\n"
        return
    results = Results.read(RESULTS)
    yield report.text(results)
    if (ROOT / "docs" / PICTURE).exists():
        yield f"\n## Figure 2: kNN over training\n\n![kNN over the steps]({PICTURE})\n"
