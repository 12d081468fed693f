"""Tables of numbers in Markdown."""

from __future__ import annotations

from typing import Iterable, Sequence

NOT_RUN = "not run"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats a table; shorter rows are filled up with empty cells."""
    full = [[*row, *[""] * (len(head) - len(row))] for row in rows]
    lines = [head, ["---"] * len(head), *full]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def percent(fraction: float | None) -> str:
    """Formats a fraction in %, None as a dash."""
    return "-" if fraction is None else f"{100 * fraction:.2f}"


def _cell(text: str) -> str:
    # A name of a run or a class may hold what ends a cell.
    return text.replace("|", "\\|").replace("\n", " ")
