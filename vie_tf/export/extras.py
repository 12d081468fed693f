"""Packages that only some formats need."""

from __future__ import annotations

import importlib
from typing import Any

from vie_tf.storage.errors import UserError


def require(module: str, extra: str) -> Any:
    """Imports a module of an extra.

    Raises:
      UserError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"The package {module} is missing ({error}): install it with"
            f' pip install "vie-tf[{extra}]".'
        ) from error
