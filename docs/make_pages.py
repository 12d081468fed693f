"""Writes the parts of the pages that are made from the code.

Such a part stands between two comments of its page:

    <!-- made by docs/make_pages.py: NAME -->
    ...
    <!-- end -->

`tests/docs/test_made_pages.py` compares all of them with the code.
"""

from __future__ import annotations

import ast
import inspect
import os
import pathlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, Sequence

if TYPE_CHECKING:
    from vie_tf.evaluation.report.paper_tables import PaperRow

ROOT = pathlib.Path(__file__).resolve().parents[1]
TREES = ("vie_tf", "data_prep", "flags")
SCRIPTS = ("train", "evaluate", "embed")
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
            *("compare_run", "report", "projector", "models", "tf1_checkpoint"),
            *("input_service dispatcher", "input_service worker"),
        )
    },
}
# What people call from Python: modules, and names of each.
PYTHON_API = {
    "vie_tf.models": ("build",),
    "vie_tf.evaluation.restored_run": ("RestoredRun.load",),
    "vie_tf.storage.manifest": ("Manifest.load",),
    "vie_tf.search.embedding_files": ("EmbeddingIndex.load",),
    "vie_tf.metrics.nearest": ("search",),
    "vie_tf.metrics.knn": ("class_probabilities", "top_k_accuracy"),
    "vie_tf.metrics.retrieval": ("recalls",),
    "vie_tf.objectives.losses": (
        *("instance_recognition_loss", "local_aggregation_loss"),
    ),
}
_PART = re.compile(
    r"(<!-- made by docs/make_pages.py: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL
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


# ------------------------------------------------------------------------- commands


def commands(help_of: _HelpOf) -> Iterator[str]:
    """The help of every command."""
    for name, arguments in COMMANDS.items():
        text = help_of(arguments).replace("optional arguments:", "options:").strip()
        yield f"## {name}\n\n```text\n{text}\n```\n"


# -------------------------------------------------------------------------- modules


def modules() -> dict[str, pathlib.Path]:
    """Files of the packages, and the scripts, by the names of their modules."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
    }
    return {**files, **{name: ROOT / f"{name}.py" for name in SCRIPTS}}


def _summary(path: pathlib.Path) -> str:
    """First paragraph of a module's docstring, in one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def _parent(module: str) -> str:
    """Package that a file belongs to, whose `__init__` is a file of it."""
    return module.rpartition(".")[0]


def module_tables() -> Iterator[str]:
    """A table for every package: its modules, with a sentence on each."""
    files = modules()
    for package in dict.fromkeys(map(_parent, files)):
        if not package:
            continue  # the scripts, which have help texts
        yield f"## {package}\n\n{_summary(files[f'{package}.__init__'])}\n"
        own = [name for name in files if _parent(name) == package]
        rows = [name for name in own if not name.endswith(".__init__")]
        if rows:
            yield _table(
                ("module", ""),
                ((f"`{name.split('.')[-1]}`", _summary(files[name])) for name in rows),
            )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


# ----------------------------------------------------------------------- floor plan


def package_of(module: str) -> str:
    """Box of the floor plan that a module is in, such as `vie_tf/storage`."""
    tree, *rest = module.split(".")
    if rest[-1:] == ["__main__"] or module in SCRIPTS:
        return "commands"
    return f"vie_tf/{rest[0]}" if tree == "vie_tf" and rest else tree


def package_imports() -> dict[str, set[str]]:
    """Packages that each package imports, its own left out."""
    files = modules()
    known = {*files, *map(_parent, files)}
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        if module == "vie_tf.__init__":
            continue
        importer = package_of(module)
        graph.setdefault(importer, set())
        for node in ast.walk(ast.parse(path.read_text())):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                names = full & known or {node.module}
            found = {package_of(n) for n in names if n.split(".")[0] in TREES}
            graph[importer] |= found - {importer, "vie_tf"}
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """Packages to which arrows lead from a package, over others or not."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for following in graph[waiting.pop()] - found:
            found.add(following)
            waiting.append(following)
    return found


def drawn_arrows(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Imports that are no consequence of others: the fewest arrows that say all.

    An arrow is left out where a longer way leads to the same package.
    """
    return [
        (importer, imported)
        for importer in graph
        for imported in sorted(graph[importer])
        if not any(
            imported in reachable(graph, other)
            for other in graph[importer] - {imported}
        )
    ]


def floor_plan() -> Iterator[str]:
    """The drawing of the packages, and a table of them."""
    graph = package_imports()
    # From the ground up.
    order = sorted(graph, key=lambda package: (len(reachable(graph, package)), package))
    graph = {package: graph[package] for package in order}
    yield "```mermaid\nflowchart TB\n"
    for package in graph:
        yield f'  {package.replace("/", "_")}["{package}"]\n'
    for importer, imported in drawn_arrows(graph):
        yield f"  {importer.replace('/', '_')} --> {imported.replace('/', '_')}\n"
    yield "```\n\n"
    files = modules()
    yield _table(
        ("package", "what it does", "imports"),
        (
            (
                f"`{package}`",
                "`train.py`, `evaluate.py`, `embed.py` and every `__main__.py`."
                if package == "commands"
                else _summary(
                    files.get(f"{package.replace('/', '.')}.__init__")
                    or files[package.replace("/", ".")]
                ),
                ", ".join(f"`{name.split('/')[-1]}`" for name in sorted(imports)),
            )
            for package, imports in graph.items()
        ),
    )


# --------------------------------------------------------------------- paper tables


def fine_tuning_script(data: str, model: str, start: str) -> str:
    """Script of run_scripts/paper that makes a number of table 2."""
    ending = "" if start == "la" else f"_{start}"
    return f"finetune_{data}_{model}{ending}"


def starts_from(script: str) -> list[str]:
    """Scripts whose runs a script goes on from."""
    text = (ROOT / "run_scripts" / "paper" / f"{script}.sh").read_text()
    names = dict.fromkeys(re.findall(r"\$runs/(\w+)", text))
    return [name for name in names if name != script]


def _numbers(row: PaperRow, data: str) -> str:
    layers = ("conv3", "conv4", "conv5")
    cells = [row.cells.get(f"{data} {layer}", "-") for layer in layers]
    return "" if "-" in cells else " / ".join(cells)


def paper_tables() -> Iterator[str]:
    """The rows of the paper with their scripts."""
    from vie_tf.evaluation.report.paper_tables import PaperTables

    published = PaperTables.load()
    tables = {one.title[: len("Table 1")]: one for one in published.tables}
    yield f"Source: {published.source}\n\n"
    titles = {
        "Table 1": "linear probes of the families",
        "Table 3": "fewer videos, and videos in bins",
        "Table 4": "single-frame networks on the clips of other families",
        "Table 5": "supervised networks",
    }
    # Networks trained on labels, by family: column "Super." of table 1.
    supervised = {
        row.model: row.cells["Kinetics, Super."] for row in tables["Table 1"].rows[1:]
    }
    for number, title in titles.items():
        is_supervised = number == "Table 5"
        of_column = ', and column "Super." of table 1' if is_supervised else ""
        yield f"## {number}{of_column}: {title}\n\n"
        yield _table(
            ("row", "script", "starts from", "Kinetics", "ImageNet"),
            (
                (
                    row.name,
                    f"`{row.run}`",
                    ", ".join(f"`{name}`" for name in starts_from(row.run)),
                    f"{supervised[row.model]} (softmax)"
                    if is_supervised
                    else _numbers(row, "Kinetics"),
                    _numbers(row, "ImageNet"),
                )
                for row in tables[number].rows
            ),
        )
        yield "\n"
    yield "## Table 2: fine-tuning\n\n"
    augmentations = ("multi-scale", "color jitter")
    yield _table(
        ("row", "script", "starts from", *augmentations),
        (
            (
                f"{row.name}, {data}",
                f"`{script}`",
                ", ".join(f"`{name}`" for name in starts_from(script)),
                *(row.cells[f"{name}, {data}"] for name in augmentations),
            )
            for data in ("UCF101", "HMDB51")
            for row in tables["Table 2"].rows
            if row.run
            for script in [fine_tuning_script(data.lower(), row.model, row.loss)]
        ),
    )


# ----------------------------------------------------------------------- Python API


def python_api() -> Iterator[str]:
    """Signatures of `PYTHON_API`, with their docstrings."""
    import importlib

    for module, names in PYTHON_API.items():
        for name in names:
            target = importlib.import_module(module)
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
    sys.path.insert(0, str(ROOT))
    for path, text in pages():
        path.write_text(text)
