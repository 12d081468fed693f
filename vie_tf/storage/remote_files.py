"""Folders that are not on this machine: s3://, gs:// and hdfs:// addresses.

`tf.io.gfile` and tf.data take them like local paths, and `os.path.join` puts them
together; `os.path.exists` and its like do not know them.
"""

from __future__ import annotations

import os
import warnings

import tensorflow as tf

SCHEMES = ("s3", "gs", "hdfs")
# TensorFlow itself brings gs://.
_OF_TENSORFLOW_IO = ("s3", "hdfs")


def is_remote(path: str) -> bool:
    """Whether a path is an address and not a place in the local file system."""
    return "://" in path


def absolute(path: str) -> str:
    """The path from the root of its file system; an address stays as it is."""
    return path if is_remote(path) else os.path.abspath(path)


def connect(path: str) -> None:
    """Makes TensorFlow understand a path; does nothing for a local one.

    To be called in every process, before the path is first used.  tensorflow-io is
    imported here and nowhere else: it takes a second, and after its use of s3:// the
    interpreter cannot end in the ordinary way (see `flags.cli`).

    Raises:
      ValueError: an address that is not supported, or not complete.
      OSError: tensorflow-io cannot be loaded.
    """
    scheme, separator, place = path.partition("://")
    if not separator:
        return
    if scheme not in SCHEMES or not place.strip("/"):
        known = ", ".join(f"{name}://BUCKET/FOLDER" for name in ("s3", "gs"))
        raise ValueError(
            f"{path!r} is no address that can be used: give a local folder, or {known}"
            " or hdfs://HOST/FOLDER."
        )
    if scheme not in _OF_TENSORFLOW_IO:
        return
    with warnings.catch_warnings():
        # Of parts of it that are not needed here.
        warnings.simplefilter("ignore")
        import tensorflow_io  # noqa: F401
    if scheme not in tf.io.gfile.get_registered_schemes():
        raise OSError(
            f"{path!r} cannot be used: tensorflow-io brings no {scheme}:// on this"
            " machine. Install it beside the TensorFlow that it was built for, as in"
            " constraints.txt."
        )
