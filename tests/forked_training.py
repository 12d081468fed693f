"""Runs train.py again and again in forks of a process that has imported TensorFlow.

Every line of the standard input is a JSON object: `arguments` of train.py, and the
file that is to receive its `output`.  Answers with the id of the process, and when it
has ended, with its status.  The network is `GridEmbedder`, whose graph is made in a
second.  TensorFlow can be forked as long as it has not computed anything.
"""

from __future__ import annotations

import json
import os
import pathlib
import runpy
import sys

from run_fixtures import GridEmbedder

from vie_tf import train_loop

SCRIPT = pathlib.Path(__file__).parents[1] / "train.py"


def train(arguments, output):
    """Is train.py in a process of its own."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(file, stream)
    train_loop.build_model = lambda model, seed: GridEmbedder(model.embedding_dim, seed)
    sys.argv = [str(SCRIPT), *arguments]
    runpy.run_path(str(SCRIPT), run_name="__main__")


def main():
    """Starts one training after the other."""
    for line in sys.stdin:
        process = os.fork()
        if not process:
            train(**json.loads(line))
        print(process, flush=True)
        print(os.waitpid(process, 0)[1], flush=True)


if __name__ == "__main__":
    main()
