"""What became of every variable of a TF1 checkpoint."""

from __future__ import annotations

import dataclasses

LABELS = "instance/all_labels"

# Kind of variable -> what becomes of a run whose checkpoint has none.
KINDS = {
    "weights": "cannot do without",
    "moving statistics": "cannot do without",
    "momentum": "starts at 0",
    "memory bank": "starts at random",
    "cluster labels": "are computed when LA begins",
    "labels": "are not compared with the data's",
    "step": "starts at 0",
}
_MAX_LISTED = 20  # names that are printed without --verbose


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of every variable.

    Attributes:
      matched: names that were read, by kind (a key of `KINDS`).
      missing: names that a run has but the checkpoint does not, by kind.
      left_over: names in the checkpoint that were not read.
    """

    matched: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[str, ...]]
    left_over: tuple[str, ...]

    def table(self, verbose: bool = False) -> str:
        """Formats counts by kind, then the names that were left over.

        Args:
          verbose: whether all names are listed.
        """
        lines = [f"{'':<18} read  missing"]
        for kind, without in KINDS.items():
            matched, missing = self.matched.get(kind, ()), self.missing.get(kind, ())
            remark = f"  ({without})" if missing else ""
            lines.append(f"{kind:<18} {len(matched):4}  {len(missing):7}{remark}")
            if verbose:
                lines += [f"  {name}" for name in matched]
                lines += [f"  {name} (missing)" for name in missing]
        lines.append(f"left over: {len(self.left_over) or 'nothing'}")
        listed = self.left_over if verbose else self.left_over[:_MAX_LISTED]
        for name in listed:
            why = "  (a run takes its labels from the data)" if name == LABELS else ""
            lines.append(f"  {name}{why}")
        if len(listed) < len(self.left_over):
            num_others = len(self.left_over) - len(listed)
            lines.append(f"  and {num_others} others (--verbose lists all)")
        return "\n".join(lines)
