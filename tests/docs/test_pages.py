"""What the pages name exists: links, anchors, pictures, files, modules and flags."""

import importlib.util
import re

import pytest
from pages import (
    PAGES,
    ROOT,
    anchors_of,
    blocks_of,
    inline_code_of,
    links_of,
    name_of,
    prose_of,
)

TREES = "vie_tf|data_prep|flags|tests|run_scripts|benchmarks|docs"
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@every_page
def test_links_lead_to_pages_and_their_headings(page):
    for link in links_of(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@every_page
def test_files_and_folders_that_a_page_names_exist(page):
    text = page.read_text()
    for name in re.findall(rf"(?<![\w/.$-])((?:{TREES})/[\w/]+(?:\.\w+)?)", text):
        assert (ROOT / name).exists(), name


@every_page
def test_modules_that_a_page_names_exist(page):
    for code in inline_code_of(page):
        if re.fullmatch(r"(?:vie_tf|data_prep|flags)(?:\.\w+)+", code):
            module, _, name = code.rpartition(".")
            assert is_module(code) or hasattr(importlib.import_module(module), name)


def is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_the_map_leads_to_every_page():
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in links_of(page)
        if name_of(page) in ("docs/index.md", "docs/decisions/index.md", "README.md")
    }
    assert {page for page in PAGES if page not in linked} <= {ROOT / "README.md"}


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_page_begins_with_its_title():
    for page in PAGES:
        assert page.read_text().startswith("# "), page


@every_page
def test_every_block_says_its_language(page):
    languages = {block.language for block in blocks_of(page)}
    assert languages <= {"sh", "python", "text", "mermaid"}


@every_page
def test_tables_have_rows_of_one_width(page):
    width = 0
    for line in prose_of(page).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", line)))
        if not line.startswith("|"):
            width = 0
        else:
            assert cells == (width or cells), line
            width = cells
