"""train.py with a quick network, for `test_multi_worker`: one process of a run.

python tests/one_worker.py FLAGS OF train.py
"""

import pathlib
import runpy
import sys

from run_fixtures import GridEmbedder

from vie_tf import train_loop

SCRIPT = pathlib.Path(__file__).parents[1] / "train.py"


def main():
    """Is train.py, but for the network, which has batch norm as the real ones."""
    train_loop.build_model = lambda model, seed: GridEmbedder(
        model.embedding_dim, seed, batch_norm=True
    )
    sys.argv[0] = str(SCRIPT)
    runpy.run_path(str(SCRIPT), run_name="__main__")


if __name__ == "__main__":
    main()
