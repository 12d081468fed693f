"""What all commands share: flags in groups, errors in one line.

`run(main, stations)` stands where a script would call `absl.app.run`.  It shows the
project's own flags on --help, one group per station (absl shows only those of the
main module, and with --helpfull hundreds of other packages'), refuses stray
arguments, and turns an error that a user can mend into one line and exit code 1.
"""

from __future__ import annotations

import os
import sys
import textwrap
from types import ModuleType
from typing import Callable, NoReturn, Sequence

from absl import app, flags

from vie_tf.storage.errors import error_line
from vie_tf.storage.process_exit import run_and_exit

_INTERRUPTED = 130  # what a shell reports for Ctrl-C


def run(main: Callable[[], None], stations: Sequence[ModuleType]) -> NoReturn:
    """Parses the command line, calls `main` and exits.

    Args:
      main: takes its settings from the stations' flags.
      stations: modules of `flags` that the command uses; the first line of each
        docstring is the title of its group.
    """
    run_and_exit(
        lambda: app.run(
            lambda arguments: _guarded(main, arguments),
            flags_parser=lambda argv: _parse(argv, stations),
        )
    )


def _parse(argv: Sequence[str], stations: Sequence[ModuleType]) -> list[str]:
    script = sys.modules["__main__"]
    if any(argument in ("--help", "-help", "-h", "--h") for argument in argv[1:]):
        print(_help(script, stations))
        sys.exit(0)
    try:
        arguments = flags.FLAGS(argv)
    except flags.Error as error:
        _fail(f"{error} (--help lists all flags)")
    if len(arguments) > 1:
        _fail(
            f"There are no arguments without a flag, but {arguments[1]!r} was given."
            " (--help lists all flags)"
        )
    return arguments


def _guarded(main: Callable[[], None], arguments: Sequence[str]) -> None:
    del arguments
    try:
        main()
    except (ValueError, OSError) as error:
        # Bad input.  A mistake of the program itself may look the same: the variable
        # brings the stack trace back.
        if os.environ.get("VIE_TF_TRACEBACK"):
            raise
        _fail(str(error))
    except Exception as error:
        if os.environ.get("VIE_TF_TRACEBACK") or not _is_of_tensorflow(error):
            raise
        _fail(error_line(error))
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        sys.exit(_INTERRUPTED)


def _is_of_tensorflow(error: Exception) -> bool:
    """Whether TensorFlow could not do something, such as get memory from a device."""
    tensorflow = sys.modules.get("tensorflow")  # not imported for --help
    return tensorflow is not None and isinstance(error, tensorflow.errors.OpError)


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def _help(script: ModuleType, stations: Sequence[ModuleType]) -> str:
    parts = [(script.__doc__ or "").strip()]
    for station in stations:
        title = (station.__doc__ or station.__name__).strip().splitlines()[0]
        holders = flags.FLAGS.get_flags_for_module(station)
        lines = [_describe(flag) for flag in sorted(holders, key=lambda f: f.name)]
        parts.append("\n".join([title, *lines]))
    return "\n\n".join(parts)


def _describe(flag: flags.Flag) -> str:
    default = flag.default
    if isinstance(default, list):
        default = ",".join(default)
    value = "" if flag.boolean else "=VALUE"
    if default not in (None, ""):
        value += f" (default {str(default).lower() if flag.boolean else default})"
    text = textwrap.fill(
        flag.help, width=80, initial_indent=" " * 6, subsequent_indent=" " * 6
    )
    return f"  --{flag.name}{value}\n{text}"
