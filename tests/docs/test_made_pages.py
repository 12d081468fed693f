"""Parts of the pages that are made from the code, and headers of scripts."""

import os
import re

import pytest
from commands import run_command
from pages import ROOT, name_of

from docs import make_pages
from docs.parts import floor_plan, paper_tables
from vie_tf.evaluation.report.paper_tables import PaperTables

SCRIPTS = ROOT / "run_scripts" / "paper"


def help_of(arguments):
    environment = {**os.environ, "COLUMNS": "80"}
    return run_command(*arguments, "--help", environment=environment).stdout


def test_pages_are_as_the_code_makes_them():
    made = dict(make_pages.pages(help_of))
    assert len(made) == len(make_pages.PARTS)
    stale = [name_of(page) for page, text in made.items() if text != page.read_text()]
    assert stale == [], "python -m docs.make_pages writes them again"


def test_the_drawing_has_every_import_and_none_that_is_not_there():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawing = re.search("```mermaid\n(.*?)```", page, re.DOTALL)[1]
    names = dict(re.findall(r'(\w+)\["(.+?)"\]', drawing))
    arrows = re.findall(r"(\w+) --> (\w+)", drawing)
    drawn = {name: set() for name in names.values()}
    for importer, imported in arrows:
        drawn[names[importer]].add(names[imported])
    actual = floor_plan.package_imports()
    for importer, imports in actual.items():
        assert drawn[importer] <= imports
        assert imports <= floor_plan.reachable(drawn, importer)


def test_no_arrow_of_the_drawing_closes_a_circle():
    actual = floor_plan.package_imports()
    assert not [name for name in actual if name in floor_plan.reachable(actual, name)]


def header_of(script):
    lines = (SCRIPTS / f"{script}.sh").read_text().splitlines()
    return " ".join(line[2:] for line in lines if line.startswith("# "))


def rows_of(*numbers):
    return [
        row
        for one in PaperTables.load().tables
        for row in one.rows
        if row.run and one.title[len("Table ")] in numbers
    ]


def without_mark(cell):
    return cell.replace(" (?)", "")


@pytest.mark.parametrize("row", rows_of(*"1345"), ids=lambda row: row.name)
def test_scripts_expect_the_numbers_of_the_tables(row):
    header = header_of(row.run)
    for data in ("Kinetics", "ImageNet"):
        layers = (f"{data} conv{number}" for number in (3, 4, 5))
        numbers = [without_mark(row.cells.get(layer, "-")) for layer in layers]
        if "-" not in numbers:
            assert f"{', '.join(numbers)} % on {data}" in header
    supervised = row.cells.get("Kinetics, Super.", "-")
    if supervised != "-" and row.loss != "ir":
        header = header_of(f"{row.model}_supervised")
        assert f"top-1 of the validations {without_mark(supervised)} %" in header


@pytest.mark.parametrize("data", ["UCF101", "HMDB51"])
def test_scripts_of_table_2_expect_its_numbers(data):
    for row in rows_of("2"):
        script = paper_tables.fine_tuning_script(data.lower(), row.model, row.loss)
        for augmentation in ("multi-scale", "color jitter"):
            number = without_mark(row.cells[f"{augmentation}, {data}"])
            assert number == "not legible" or f"{number} %" in header_of(script)


def test_every_script_is_on_the_page_of_the_tables():
    page = (ROOT / "docs" / "paper_tables.md").read_text()
    for script in SCRIPTS.glob("*.sh"):
        assert script.stem in ("row", "all") or f"`{script.stem}`" in page
