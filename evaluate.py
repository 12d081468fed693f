"""Measures what a run has learned: `vie-tf evaluate`, from this folder."""

import sys

from vie_tf.commands.evaluate import main
from vie_tf.terminal.process_exit import run_and_exit

if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
