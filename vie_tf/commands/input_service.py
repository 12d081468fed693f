"""Makes batches for a training on another machine, until it is stopped.

python -m vie_tf input_service dispatcher --port=5000
python -m vie_tf input_service worker --dispatcher=HOST:5000
"""

from __future__ import annotations

from typing import Sequence

from vie_tf.commands.without_gpus import leave_gpus_alone
from vie_tf.config.setting import local_path
from vie_tf.terminal import command_line

_DEFAULT_PORT = 5000


def main(arguments: Sequence[str]) -> int:
    """Reads the command line and serves until it is stopped; returns the exit code."""
    parser = command_line.Parser(
        prog="python -m vie_tf input_service",
        description="Makes batches on this machine; stop it with Ctrl-C.",
    )
    roles = parser.add_subparsers(dest="role", required=True)
    dispatcher = roles.add_parser("dispatcher", help="one for each training run")
    dispatcher.add_argument("--port", type=int, default=_DEFAULT_PORT)
    worker = roles.add_parser("worker", help="any number, on any machine")
    worker.add_argument("--dispatcher", required=True, help="HOST:PORT")
    worker.add_argument("--port", type=int, default=0, help="0 chooses a free port")
    worker.add_argument("--host", default="localhost", help="name of this machine")
    worker.add_argument(
        "--data_dir",
        default="",
        type=local_path,
        help="needed for s3:// and hdfs://",
    )

    def work() -> None:
        parsed = parser.parse_args(arguments)
        leave_gpus_alone()
        from vie_tf.input import data_service

        data_service.serve(parsed)

    return command_line.exit_code_of(work)
