"""Trains a video embedding: `vie-tf train`, from this folder."""

import sys

from vie_tf.commands.train import main
from vie_tf.terminal.process_exit import run_and_exit

if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
