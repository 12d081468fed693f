"""Sizes that keep files and functions readable in one sitting."""

import ast
import collections
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
MAX_LINES_OF_FILE, MAX_LINES_OF_FUNCTION, MAX_FILES_OF_FOLDER = 300, 60, 15
PACKAGES = ("vie_tf", "data_prep", "flags", "benchmarks")
FILES = [
    str(path.relative_to(ROOT))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
]


@pytest.mark.parametrize("name", FILES)
def test_a_file_and_its_functions_are_short(name):
    text = (ROOT / name).read_text()
    assert text.count("\n") <= MAX_LINES_OF_FILE
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno >= MAX_LINES_OF_FUNCTION
    }
    assert not long


def test_a_folder_has_few_files():
    modules = [path for path in map(pathlib.Path, FILES) if path.stem != "__init__"]
    counts = collections.Counter(str(path.parent) for path in modules)
    assert {
        name: count for name, count in counts.items() if count > MAX_FILES_OF_FOLDER
    } == {}
