"""Addresses of files that are not on this machine: s3://, gs:// and hdfs://.

`tf.io.gfile`, tf.data and `os.path.join` take them like local paths, unlike functions
such as `os.path.exists`.  Functions of `vie_tf.storage` connect a path before they open
it, so that no other module has to.
"""

from __future__ import annotations

import functools
import os
import socket
import warnings
from urllib import parse

from vie_tf.storage.errors import UserError

SCHEMES = ("s3", "gs", "hdfs")
_AMAZON = "s3.amazonaws.com"
_CONNECT_SECS = 5.0
_SCHEMES_OF_TENSORFLOW_IO = ("s3", "hdfs")  # TensorFlow itself brings gs://


def is_remote(path: str) -> bool:
    """Returns whether a path is an address, not a local path."""
    return "://" in path


def absolute(path: str) -> str:
    """Returns the path from the root of its file system; an address is unchanged."""
    return path if is_remote(path) else os.path.abspath(path)


def connect(path: str) -> None:
    """Makes TensorFlow understand an address; does nothing for a local path.

    Only this function imports tensorflow-io: that takes a second, and requires that the
    process ends by `process_exit`.

    Raises:
      UserError: the address is not supported or not complete, tensorflow-io cannot be
        loaded, or the server of s3:// is not there.
    """
    scheme, separator, place = path.partition("://")
    if not separator:
        return
    if scheme == "ram":  # TensorFlow's own, for a checkpoint that nobody reads
        return
    # No bucket begins with a dot, but names of files do that are added to an address.
    if scheme not in SCHEMES or not place.strip("/") or place.startswith("."):
        known = ", ".join(f"{name}://BUCKET/FOLDER" for name in ("s3", "gs"))
        raise UserError(
            f"{path!r} is not an address that can be used: give a local folder,"
            f" {known} or hdfs://HOST/FOLDER."
        )
    if scheme not in _SCHEMES_OF_TENSORFLOW_IO:
        return
    # Here, since local paths do not need it.
    import tensorflow as tf

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts of it that are not used here
            import tensorflow_io  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"{path!r} cannot be used: {scheme}:// needs tensorflow-io, which is made"
            f" for TensorFlow up to 2.17 only (this is {tf.__version__}). Use Python"
            " 3.9 to 3.11 with TensorFlow 2.15, gs://, or a folder that is mounted."
        ) from error
    if scheme == "s3":
        _find_server(os.environ.get("S3_ENDPOINT", ""))
    if scheme not in tf.io.gfile.get_registered_schemes():
        raise UserError(
            f"{path!r} cannot be used: tensorflow-io brings no {scheme}:// on this"
            " machine. Install the version that was built for this TensorFlow, as in"
            " constraints.txt."
        )


@functools.cache
def _find_server(endpoint: str) -> None:
    """Checks once that there is a server, which tensorflow-io would try for a minute.

    Amazon's own is only asked for by name, since a network may have another way to it.
    """
    named = endpoint if "://" in endpoint else f"//{endpoint or _AMAZON}"
    try:
        url = parse.urlsplit(named)
        port = url.port or (80 if url.scheme == "http" else 443)
        if endpoint:
            socket.create_connection((url.hostname, port), _CONNECT_SECS).close()
        else:
            socket.getaddrinfo(url.hostname, port)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The server of s3:// cannot be reached: {endpoint or _AMAZON} ({error})."
            " Check the network, or name another server by the variable S3_ENDPOINT."
        ) from error
