"""Describes the networks: python -m vie_tf models --summary [names]."""

from __future__ import annotations

from typing import Sequence

from vie_tf.commands.without_gpus import leave_gpus_alone
from vie_tf.terminal import command_line


def main(arguments: Sequence[str]) -> int:
    """Prints the description of each family that the arguments name."""
    parser = command_line.Parser(prog="python -m vie_tf models")
    parser.add_argument("names", nargs="*", metavar="name", help="all, if not given")
    parser.add_argument("--summary", action="store_true", help="the default")

    def work() -> None:
        parsed = parser.parse_args(arguments)
        leave_gpus_alone()
        from vie_tf.models.registry import MODELS
        from vie_tf.models.summary import summary

        unknown = sorted(set(parsed.names) - set(MODELS))
        if unknown:
            parser.error(f"no model {unknown[0]!r}; there are {', '.join(MODELS)}")
        for name in parsed.names or MODELS:
            print(summary(name), end="\n\n", flush=True)

    return command_line.exit_code_of(work)
