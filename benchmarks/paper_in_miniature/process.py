"""Calls commands one after the other in one process, as TensorFlow starts slowly.

python -m benchmarks.paper_in_miniature.process '[["train.py", "--data_dir=DATA", ...]]'
"""

from __future__ import annotations

import importlib
import json
import sys

MODULES = {
    "train.py": "vie_tf.commands.train",
    "evaluate.py": "vie_tf.commands.evaluate",
    "measure": "benchmarks.paper_in_miniature.measure",
    "data_prep.synthesize": "data_prep.synthesize.__main__",
    "data_prep.convert": "data_prep.convert.__main__",
}


def main(text: str) -> int:
    """Calls the commands of a JSON list; returns the code of the first that fails."""
    for name, *flags in json.loads(text):
        print("$ " + " ".join((name, *flags)), flush=True)
        code = importlib.import_module(MODULES[name]).main(flags)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
