"""What the repository says of itself in more than one place."""

import re

import pytest
from commands import run_command
from pages import PAGES, ROOT, name_of

import vie_tf


def test_the_version_is_written_once():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {vie_tf.__version__}\n" in citation
    assert f"## [{vie_tf.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_hooks_run_what_the_test_script_runs():
    checks = re.findall(r'^ *"\$PYTHON" -m (.+)$', read("run_scripts/test.sh"), re.M)
    hooks = re.findall(
        r"entry: \S+/python -m (.+)$", read(".pre-commit-config.yaml"), re.M
    )
    assert hooks == [check.replace(' "$@"', "") for check in checks]


def read(name):
    return (ROOT / name).read_text()


def test_pages_have_no_paths_of_one_machine():
    for page in PAGES:
        text = page.read_text()
        assert not re.search(r"/home/|/work/|/tmp/|\bdesign\.md", text), name_of(page)


def test_pages_are_in_american_english():
    british = r"\b\w*(colour|neighbour|normalis|optimis|centre|labelled)\w*\b"
    for page in PAGES:
        assert not re.search(british, page.read_text().lower()), name_of(page)


@pytest.mark.parametrize("command", [("train.py",), ("-m", "vie_tf")])
def test_commands_say_their_version(command):
    result = run_command(*command, "--version")
    assert result.stdout == f"vie-tf {vie_tf.__version__}\n"
