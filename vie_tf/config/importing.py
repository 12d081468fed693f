"""Names of things in a user's own modules: `package.module:name`."""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import Any

from vie_tf.storage.errors import UserError

PATTERN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def import_named(path: str) -> Any:
    """Imports a function or class of a module, also from the current folder.

    Args:
      path: such as `my_project.networks:make_patches`.

    Raises:
      UserError: there is no such module or name.
    """
    module, _, name = path.partition(":")
    folder = os.getcwd()
    # A command that pip installed does not look into the current folder.
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # a module that it imports itself
        raise UserError(
            f"{path}: there is no module {module} in the current folder or among the"
            " installed ones; give package.module:name."
        ) from error
    if not hasattr(found, name):
        raise UserError(f"{path}: the module {found.__file__} has no {name}.")
    return getattr(found, name)
