"""Input from other machines: tf.data service.

    python -m vie_tf input_service dispatcher --port=5000
    python -m vie_tf input_service worker --dispatcher=HOST:5000     (on any machine)
    python train.py ... --data_service=grpc://HOST:5000 --nodeterministic

Workers read the shards, so they see --data_dir under the same path; they share the
steps of the run among them, every step to one worker.  A batch is that of a run without
the service, but batches come in the order in which workers finish them.
"""

from __future__ import annotations

import argparse
import socket
from typing import Sequence

import tensorflow as tf

from vie_tf.storage import remote_files

_SCHEME = "grpc://"
_DEFAULT_PORT = 5000
_ANSWER_SECONDS = 10.0


def distribute(batches: tf.data.Dataset, address: str) -> tf.data.Dataset:
    """Has the workers of a service make batches, each source element once.

    Args:
      batches: made by TensorFlow's operations alone.
      address: of the dispatcher, `grpc://HOST:PORT`.

    Raises:
      ValueError: this is no such address, or nobody answers there.
    """
    host, _, port = address[len(_SCHEME) :].rpartition(":")
    if not address.startswith(_SCHEME) or not host or not port.isdecimal():
        raise ValueError(
            f"--data_service={address} is no address of a dispatcher: give"
            " grpc://HOST:PORT, as python -m vie_tf input_service dispatcher prints."
        )
    # TensorFlow would try again for an hour without a word.
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except OSError as error:
        raise ValueError(
            f"No dispatcher answers at --data_service={address} ({error}). Start one"
            " with python -m vie_tf input_service dispatcher, or correct the address."
        ) from error
    return batches.apply(
        tf.data.experimental.service.distribute(
            processing_mode=tf.data.experimental.service.ShardingPolicy.DYNAMIC,
            service=address,
        )
    )


def start_dispatcher(port: int = 0) -> tf.data.experimental.service.DispatchServer:
    """Starts a dispatcher in this process; with port 0 at any free port."""
    config = tf.data.experimental.service.DispatcherConfig(port=port)
    return tf.data.experimental.service.DispatchServer(config)


def start_worker(
    dispatcher: str, port: int = 0, host: str = "localhost"
) -> tf.data.experimental.service.WorkerServer:
    """Starts a worker in this process.

    Args:
      dispatcher: `HOST:PORT`.
      port: of the worker, 0 for any free one.
      host: under which training reaches this machine.
    """
    config = tf.data.experimental.service.WorkerConfig(
        dispatcher_address=dispatcher, worker_address=f"{host}:%port%", port=port
    )
    return tf.data.experimental.service.WorkerServer(config)


def main(arguments: Sequence[str]) -> None:
    """Reads the command line and serves until it is stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m vie_tf input_service",
        description="Serves clips from this machine; stop it with Ctrl-C.",
    )
    roles = parser.add_subparsers(dest="role", required=True)
    dispatcher = roles.add_parser("dispatcher", help="one for a training run")
    dispatcher.add_argument("--port", type=int, default=_DEFAULT_PORT)
    worker = roles.add_parser("worker", help="any number, on any machine")
    worker.add_argument("--dispatcher", required=True, help="HOST:PORT")
    worker.add_argument("--port", type=int, default=0, help="0: any that is free")
    worker.add_argument("--host", default="localhost", help="name of this machine")
    worker.add_argument("--data_dir", default="", help="if it is s3:// or hdfs://")
    parsed = parser.parse_args(arguments)
    if parsed.role == "dispatcher":
        server = start_dispatcher(parsed.port)
        print(f"--data_service={server.target} --nodeterministic", flush=True)
    else:
        remote_files.connect(parsed.data_dir)
        server = start_worker(parsed.dispatcher, parsed.port, parsed.host)
        print(f"A worker of {parsed.dispatcher} is at work.", flush=True)
    try:
        server.join()
    except KeyboardInterrupt:
        print("Stopped.")


def run(arguments: Sequence[str]) -> None:
    """Runs the command `python -m vie_tf`, whose arguments these are, and exits."""
    main(arguments)
