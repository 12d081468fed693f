"""Modules of the project, and what their docstrings say of them."""

from __future__ import annotations

import ast
import pathlib
from typing import Iterator

from docs.parts.markdown import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREES = ("vie_tf", "data_prep")
SCRIPTS = ("train", "evaluate", "embed")


def modules() -> dict[str, pathlib.Path]:
    """Files of the packages, and the scripts, by the names of their modules."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
    }
    return {**files, **{name: ROOT / f"{name}.py" for name in SCRIPTS}}


def summary(path: pathlib.Path) -> str:
    """First paragraph of a module's docstring, in one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def parent(module: str) -> str:
    """Package that a file belongs to, whose `__init__` is a file of it."""
    return module.rpartition(".")[0]


def module_tables() -> Iterator[str]:
    """A table for every package: its modules, with a sentence on each."""
    files = modules()
    for package in dict.fromkeys(map(parent, files)):
        if not package:
            continue  # the scripts, which have help texts
        yield f"## {package}\n\n{summary(files[f'{package}.__init__'])}\n"
        own = [name for name in files if parent(name) == package]
        rows = [name for name in own if not name.endswith(".__init__")]
        if rows:
            yield table(
                ("module", ""),
                ((f"`{name.split('.')[-1]}`", summary(files[name])) for name in rows),
            )
