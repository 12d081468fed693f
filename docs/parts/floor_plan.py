"""Packages and their imports: the drawing and the table of the architecture."""

from __future__ import annotations

import ast
from typing import Iterator

from docs.parts.markdown import table
from docs.parts.modules import ROOT, SCRIPTS, TREES, modules, parent, summary


def package_of(module: str) -> str:
    """Box of the floor plan that a module is in, such as `vie_tf/storage`."""
    tree, *rest = module.split(".")
    if "__main__" in rest or "commands" in rest or module in SCRIPTS:
        return "commands"
    if tree != "vie_tf" or not rest:
        return tree
    is_file = (ROOT / tree / f"{rest[0]}.py").exists()
    return f"{tree}/{rest[0]}" + ".py" * is_file


def package_imports() -> dict[str, set[str]]:
    """Packages that each package imports, its own left out."""
    files = modules()
    known = {*files, *map(parent, files)}
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


def _id(package: str) -> str:
    return package.removesuffix(".py").replace("/", "_")


def floor_plan() -> Iterator[str]:
    """The drawing of the packages, and a table of them."""
    graph = package_imports()
    # From the ground up.
    order = sorted(graph, key=lambda package: (len(reachable(graph, package)), package))
    graph = {package: graph[package] for package in order}
    yield "```mermaid\nflowchart TB\n"
    for package in graph:
        yield f'  {_id(package)}["{package}"]\n'
    for importer, imported in drawn_arrows(graph):
        yield f"  {_id(importer)} --> {_id(imported)}\n"
    yield "```\n\n"
    files = modules()
    yield table(
        ("package", "what it does", "imports"),
        (
            (
                f"`{package}`",
                "`vie_tf/commands`, `train.py`, `evaluate.py`, `embed.py` and every"
                " `__main__.py`."
                if package == "commands"
                else summary(
                    files.get(f"{package.replace('/', '.')}.__init__")
                    or files[package.removesuffix(".py").replace("/", ".")]
                ),
                ", ".join(f"`{name.split('/')[-1]}`" for name in sorted(imports)),
            )
            for package, imports in graph.items()
        ),
    )
