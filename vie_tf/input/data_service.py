"""Batches made by other machines, through a tf.data service.

    python -m vie_tf input_service dispatcher --port=5000
    python -m vie_tf input_service worker --dispatcher=HOST:5000     (on any machine)
    python train.py ... --data_service=grpc://HOST:5000 --nodeterministic

Workers read the shards themselves, so --data_dir must be the same path for them.  Each
step of the run goes to one worker, which makes the batch that a run without the service
would have; batches arrive in the order in which workers finish them.
"""

from __future__ import annotations

import argparse
import socket
import time

import tensorflow as tf

from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import MANIFEST_NAME, is_data_set

_SCHEME = "grpc://"
_TIMEOUT_SECS = 10.0
_SECS_BETWEEN_SIGNALS = 1.0


def distribute(batches: tf.data.Dataset, address: str) -> tf.data.Dataset:
    """Lets the workers of a service make the batches, each source element once.

    Args:
      batches: dataset of TensorFlow's operations alone.
      address: address of the dispatcher, `grpc://HOST:PORT`.

    Raises:
      UserError: the address is not of this form, or no dispatcher answers there.
    """
    host, _, port = address[len(_SCHEME) :].rpartition(":")
    if not address.startswith(_SCHEME) or not host or not port.isdecimal():
        raise UserError(
            f"--data_service={address} is not the address of a dispatcher: give"
            " grpc://HOST:PORT, as python -m vie_tf input_service dispatcher prints."
        )
    # TensorFlow would try for an hour without a message.
    try:
        socket.create_connection((host, int(port)), _TIMEOUT_SECS).close()
    except OSError as error:
        raise UserError(
            f"No dispatcher answers at --data_service={address} ({error}). Start one"
            " with python -m vie_tf input_service dispatcher, or correct the address."
        ) from error
    return batches.apply(
        tf.data.experimental.service.distribute(
            processing_mode=tf.data.experimental.service.ShardingPolicy.DYNAMIC,
            service=address,
        )
    )


def serve(parsed: argparse.Namespace) -> None:
    """Serves until it is stopped.

    Args:
      parsed: arguments of `python -m vie_tf input_service`.

    Raises:
      UserError: there is no data set where the argument says.
    """
    service = tf.data.experimental.service
    if parsed.role == "dispatcher":
        server = service.DispatchServer(service.DispatcherConfig(port=parsed.port))
        greeting = f"--data_service={server.target} --nodeterministic"
    else:
        # This also connects a remote address, which TensorFlow's operations cannot.
        if parsed.data_dir and not is_data_set(parsed.data_dir):
            raise UserError(
                f"--data_dir={parsed.data_dir} holds no {MANIFEST_NAME}: give the"
                " folder of the data set, as in train.py."
            )
        config = service.WorkerConfig(
            dispatcher_address=parsed.dispatcher,
            worker_address=f"{parsed.host}:%port%",
            port=parsed.port,
        )
        server = service.WorkerServer(config)
        greeting = f"Working for the dispatcher {parsed.dispatcher}."
    try:
        print(greeting, flush=True)
        # Ctrl-C does not end server.join, nor a wait without an end that it comes just
        # before.
        while True:
            time.sleep(_SECS_BETWEEN_SIGNALS)
    except KeyboardInterrupt:
        print("Stopped.")
