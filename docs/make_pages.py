"""Writes the parts of the pages that are made from the code.

python -m docs.make_pages

Such a part stands between two comments of its page:

    <!-- made by docs.make_pages: NAME -->
    ...
    <!-- end -->

`tests/docs/test_made_pages.py` compares all of them with the code.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pathlib
import re
import subprocess
import sys
from typing import Any, Callable, Iterator, Sequence

import vie_tf
from docs.parts.floor_plan import floor_plan
from docs.parts.modules import ROOT, module_tables
from docs.parts.paper_in_miniature import paper_in_miniature
from docs.parts.paper_tables import paper_tables
from docs.parts.small_collections import small_collections

COMMANDS: dict[str, tuple[str, ...]] = {
    "train.py": ("train.py",),
    "evaluate.py": ("evaluate.py",),
    "embed.py": ("embed.py",),
    **{
        f"data_prep.{name}": ("-m", f"data_prep.{name}")
        for name in ("convert", "describe", "synthesize", "download_kinetics")
    },
    **{
        f"vie_tf {name}": ("-m", "vie_tf", *name.split())
        for name in (
            *("explore", "serve", "export", "compare_run", "report", "projector"),
            *("models", "tf1_checkpoint"),
            *("input_service dispatcher", "input_service worker"),
        )
    },
}
# What people call from Python: modules, and names of each.
PYTHON_API = {
    "vie_tf": (
        *("load", "LoadedRun", "LoadedRun.preprocess", "LoadedRun.embed"),
        *("LoadedRun.endpoints", "dataset", "Index", "Index.nearest", "build"),
        *("register_model", "register_objective", "k_means", "MemoryBank"),
    ),
    "vie_tf.losses": ("instance_recognition_loss", "local_aggregation_loss"),
    "vie_tf.knn": ("class_probabilities", "top_k_accuracy"),
    "vie_tf.metrics.nearest": ("search",),
    "vie_tf.metrics.retrieval": ("recalls",),
    "vie_tf.export.serving": ("video_request",),
    "vie_tf.evaluation.restored_run": ("RestoredRun.load",),
    "vie_tf.storage.manifest": ("Manifest.load",),
    "vie_tf.search.embedding_index": ("EmbeddingIndex.load",),
}
_PART = re.compile(
    r"(<!-- made by docs.make_pages: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL
)
_HelpOf = Callable[[Sequence[str]], str]


def help_of(arguments: Sequence[str]) -> str:
    """Returns what `python ARGUMENTS --help` prints."""
    return subprocess.run(
        [sys.executable, *arguments, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def commands(help_of: _HelpOf) -> Iterator[str]:
    """The help of every command."""
    for name, arguments in COMMANDS.items():
        text = help_of(arguments).replace("optional arguments:", "options:").strip()
        yield f"## {name}\n\n```text\n{text}\n```\n"


def _found(name: str) -> Any:
    """Imports a module, or takes it from the public names of its package."""
    package, _, attribute = name.rpartition(".")
    if package == "vie_tf" and attribute in vie_tf.__all__:
        return getattr(vie_tf, attribute)
    return importlib.import_module(name)


def python_api() -> Iterator[str]:
    """Signatures of `PYTHON_API`, with their docstrings."""
    for module, names in PYTHON_API.items():
        for name in names:
            target = _found(module)
            for part in name.split("."):
                target = getattr(target, part)
            # Without the quotes that annotations have, which are text.
            signature = re.sub(
                r"(: |-> )'(.*?)'", r"\1\2", str(inspect.signature(target))
            )
            docstring = inspect.getdoc(target) or ""
            yield f"### {module}.{name}\n\n"
            yield f"```text\n{name}{signature}\n\n{docstring}\n```\n\n"


PARTS: dict[str, Callable[[_HelpOf], Iterator[str]]] = {
    "commands": commands,
    "modules": lambda help_of: module_tables(),
    "floor_plan": lambda help_of: floor_plan(),
    "paper_tables": lambda help_of: paper_tables(),
    "paper_in_miniature": lambda help_of: paper_in_miniature(),
    "small_collections": lambda help_of: small_collections(),
    "python_api": lambda help_of: python_api(),
}


def pages(help_of: _HelpOf = help_of) -> Iterator[tuple[pathlib.Path, str]]:
    """Pages that have parts, and the text that they should have."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        text = path.read_text()
        if not _PART.search(text):
            continue

        def made(part: re.Match[str]) -> str:
            body = "\n".join("".join(PARTS[part[2]](help_of)).rstrip().splitlines())
            return f"{part[1]}\n{body}\n\n{part[3]}"

        yield path, _PART.sub(made, text)


if __name__ == "__main__":
    for path, text in pages():
        path.write_text(text)
