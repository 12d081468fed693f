"""Embeds videos, or searches among them: `vie-tf embed`, from this folder."""

import sys

from vie_tf.commands.embed import main
from vie_tf.terminal.process_exit import run_and_exit

if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
