"""Reads the JSON, CSV and NumPy files that this project writes.

A file that was cut, damaged or exchanged raises `DamagedFile`, which names it and says
what is wrong and what to do.  NumPy's own reader is not used: it evaluates the header
as Python, which raises nearly anything, and not in two threads (Python 3.11.7).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import re
import struct
import zipfile
import zlib
from typing import Any, Mapping, Sequence, TypeVar

import numpy as np

from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import printable

Entry = TypeVar("Entry")

_NPY_START = b"\x93NUMPY\x01\x00"
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<|][fiub]\d)', 'fortran_order': False,"
    rb" 'shape': \((\d*(?:, ?\d+)*,?)\), ?\} *\n"
)
_TYPES = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


class DamagedFile(UserError):
    """A file of this project that cannot be what was written."""

    def __init__(self, path: str, reason: str, advice: str) -> None:
        super().__init__(f"{path} is damaged: {printable(reason)}. {advice}".rstrip())
        self.path, self.reason, self.advice = path, reason, advice

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error pass from one process to another."""
        return type(self), (self.path, self.reason, self.advice)


def read_text(path: str, advice: str = "") -> str:
    """Returns the contents of a UTF-8 text file.

    Args:
      path: path of the file, local or remote.
      advice: sentence that says what to do if it is damaged.

    Raises:
      FileError: it cannot be read.
      DamagedFile: it is not UTF-8.
    """
    try:
        return files.read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise DamagedFile(path, "it is not UTF-8 text", advice) from error


def parse_json(text: str, path: str, advice: str) -> Any:
    """Parses the text of a JSON file; errors as `read_json`."""
    try:
        return json.loads(text)
    # A RecursionError comes from thousands of brackets.
    except (ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise DamagedFile(path, f"it is not valid JSON ({reason})", advice) from error


def read_json(path: str, advice: str = "") -> Any:
    """Returns the contents of a JSON file.

    Args:
      path: path of the file, local or remote.
      advice: sentence that says what to do if it is damaged.

    Raises:
      FileError: it cannot be read.
      DamagedFile: it is not UTF-8, or no JSON.
    """
    return parse_json(read_text(path, advice), path, advice)


def read_object(path: str, fields: Mapping[str, str], advice: str) -> dict[str, Any]:
    """Returns a JSON object that has some fields at least.

    Args:
      path: path of the file, local or remote.
      fields: types of the fields, such as `int`, by their names.
      advice: sentence that says what to do if it is damaged.

    Raises:
      FileError: it cannot be read.
      DamagedFile: see `read_json`; or a field is missing or of another type.
    """
    content = read_json(path, advice)
    fault = fault_of_fields(content, fields)
    if fault:
        raise DamagedFile(path, fault, advice)
    return content


def fault_of_fields(content: Any, fields: Mapping[str, str]) -> str:
    """Says which field of an object is missing or of another type; empty if none is."""
    if not isinstance(content, dict):
        return f"it holds {_kind(content)}, not an object"
    for name, kind in fields.items():
        if name not in content:
            return f"{name!r} is missing"
        if type(content[name]) not in _TYPES[kind]:
            return f"{name} is {_kind(content[name])}, not {kind}"
    return ""


def entries_of(kind: type[Entry], content: Any) -> tuple[Entry, ...]:
    """Makes dataclass instances of numbers and texts from JSON.

    Args:
      kind: dataclass.
      content: list of objects, with a value for each field.

    Raises:
      TypeError: what is missing, unknown, or of another type.
    """
    if not isinstance(content, list):
        raise TypeError(f"there is {_kind(content)} where a list was written")
    fields = {
        one.name: getattr(one.type, "__name__", str(one.type))
        for one in dataclasses.fields(kind)  # type: ignore[arg-type]
    }
    for number, entry in enumerate(content):
        if not isinstance(entry, dict) or entry.keys() != fields.keys():
            name = kind.__name__
            raise TypeError(f"{name} {number} lacks a value or has an unknown one")
    for name, of_field in fields.items():
        # A column at a time, as there may be a million entries.
        if not {type(entry[name]) for entry in content} <= set(_TYPES[of_field]):
            kinds = sorted({type(entry[name]).__name__ for entry in content})
            raise TypeError(
                f"{name} is of another type ({' or '.join(kinds)}, not {of_field})"
            )
    return tuple(kind(**entry) for entry in content)


def read_csv(path: str, columns: Sequence[str], advice: str) -> list[list[str]]:
    """Returns the rows of a CSV file below its header.

    Args:
      path: path of the file, local or remote.
      columns: names of its columns.
      advice: sentence that says what to do if it is damaged.

    Raises:
      FileError: it cannot be read.
      DamagedFile: it is not UTF-8, or has other columns.
    """
    text = read_text(path, advice)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DamagedFile(path, str(error), advice) from error
    if not rows or rows[0] != list(columns):
        raise DamagedFile(path, f"its columns are not {', '.join(columns)}", advice)
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            reason = f"row {number} has {len(row)} of {len(columns)} cells"
            raise DamagedFile(path, reason, advice)
    return rows[1:]


def read_arrays(path: str, advice: str) -> dict[str, np.ndarray]:
    """Returns the arrays of an uncompressed .npz file by their names.

    Args:
      path: path of the file, local or remote.
      advice: sentence that says what to do if it is damaged.

    Raises:
      FileError: it cannot be read.
      DamagedFile: it is cut, damaged, or another kind of file.
    """
    content = io.BytesIO(files.read_bytes(path))
    arrays = {}
    try:
        with zipfile.ZipFile(content) as archive:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{info.filename} is compressed")
                array = archive.read(info)
                offset, dtype, shape = _npy_header(array)
                values = np.frombuffer(array, dtype, math.prod(shape), offset)
                if offset + values.nbytes != len(array):
                    raise ValueError(f"{info.filename} is too long")
                arrays[info.filename.removesuffix(".npy")] = values.reshape(shape)
    except _ZIP_DAMAGES as error:
        raise DamagedFile(path, str(error) or "it is cut", advice) from error
    return arrays


# Of a broken archive: a wrong version, place, flag, or checksum.
_ZIP_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError),
    *(ValueError, LookupError, EOFError, OSError, RuntimeError, OverflowError),
)


def map_array(path: str, advice: str) -> np.ndarray:
    """Maps a local .npy file into memory.

    Args:
      path: path of the file.
      advice: sentence that says what to do if it is damaged.

    Raises:
      FileError: it cannot be read.
      DamagedFile: it is cut, or another kind of file.
    """
    with files.file_errors(path), open(path, "rb") as file:
        start = file.read(len(_NPY_START) + 2 + 2**16)
    try:
        offset, dtype, shape = _npy_header(start)
        if offset + math.prod(shape) * dtype.itemsize != files.size_of(path):
            raise ValueError(f"it has {files.size_of(path):,} bytes for {shape}")
        if 0 in shape:
            return np.zeros(shape, dtype)
        return np.memmap(path, dtype, "r", offset, shape)
    except (ValueError, OverflowError, struct.error) as error:
        raise DamagedFile(path, str(error), advice) from error


def check_plain_name(name: Any) -> None:
    """Checks that a name out of a file leads to its own folder only.

    Raises:
      ValueError: it is a path, or no name at all.
    """
    is_name = isinstance(name, str) and name.isprintable() and len(name) <= 255
    if not is_name or name in ("", ".", "..") or re.search(r"[/\\]", name):
        raise ValueError(f"{name!r} is not the plain name of a file")


def _npy_header(content: bytes) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Returns the offset of the numbers, their type and their shape."""
    if not content.startswith(_NPY_START):
        raise ValueError("there is no array in it")
    (length,) = struct.unpack_from("<H", content, len(_NPY_START))
    offset = len(_NPY_START) + 2 + length
    match = _NPY_HEADER.fullmatch(content[len(_NPY_START) + 2 : offset])
    if not match:
        raise ValueError("its header is broken")
    shape = tuple(int(side) for side in match[2].decode().split(",") if side.strip())
    return offset, np.dtype(match[1].decode()), shape


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"of the type {type(value).__name__}"
