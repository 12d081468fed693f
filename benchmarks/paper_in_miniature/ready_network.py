"""Puts the network of a study into the package, as `--network=people`.

python -m benchmarks.paper_in_miniature.ready_network [STUDY]

It is that of seed 0 after IR; docs/people_network.md is its model card.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Sequence

from benchmarks.paper_in_miniature.plan import DECIDES, key_of
from vie_tf.runs.ready import ready_network
from vie_tf.storage.errors import UserError

NAME, ROW = "people", key_of(f"{DECIDES}-IR", 0)
FOLDER = pathlib.Path(ready_network.__file__).parent


def main(given: Sequence[str]) -> int:
    """Writes the files of the network; returns the exit code."""
    study = pathlib.Path(given[0] if given else "paper_in_miniature")
    try:
        ready_network.pack(str(study / "runs" / ROW), NAME, str(FOLDER))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in sorted(FOLDER.glob(f"{NAME}.*")):
        print(f"Wrote {path}, {path.stat().st_size / 1e6:.2f} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
