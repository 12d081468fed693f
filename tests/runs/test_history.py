import json
import os
import subprocess

import pytest
from run_fixtures import run_config

from vie_tf.runs import history


@pytest.fixture(name="commit")
def fixture_commit(tmp_path):
    """Commits a package to a new repository and returns what git calls the commit."""

    def git(*arguments):
        author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(tmp_path), *author, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    git("init", "--quiet")
    (tmp_path / "__init__.py").write_text("")
    git("add", ".")
    git("commit", "--quiet", "--message=first")
    return git("rev-parse", "HEAD")


def test_every_start_adds_a_line(tmp_path):
    for step, rate in ((0, 0.5), (8, 0.1)):
        config = run_config("data", tmp_path, learning_rate=rate)
        command = ["train.py", "--seed=1"]
        history.note_start(str(tmp_path), config, command, step, 2)
    text = (tmp_path / "starts.jsonl").read_text()
    first, second = map(json.loads, text.splitlines())
    assert (first["step"], second["step"]) == (0, 8)
    assert first["command"] == ["train.py", "--seed=1"]
    assert first["versions"]["tensorflow"].startswith("2.")
    assert first["devices"]["CPU"] >= 1
    assert first["replicas"] == 2
    assert first["folder"] == os.getcwd()
    assert first["settings"]["loss"]["name"] == "ir"
    rates = [line["settings"]["train"]["learning_rate"] for line in (first, second)]
    assert rates == [0.5, 0.1]
    assert first["time"].endswith("+00:00")


def test_the_revision_of_changed_code_is_dirty(tmp_path, commit):
    assert history.git_revision(tmp_path) == commit
    (tmp_path / "__init__.py").write_text("changed = True")
    assert history.git_revision(tmp_path) == f"{commit}-dirty"


@pytest.mark.usefixtures("commit")
def test_code_installed_inside_of_another_work_tree_has_no_revision(tmp_path):
    package = tmp_path / "site-packages"
    package.mkdir()
    (package / "__init__.py").write_text("")
    assert history.git_revision(package) is None


def test_without_git_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert history.git_revision(tmp_path) is None


def test_a_resumed_run_replaces_what_it_repeats(tmp_path):
    for step, value in ((2, 0.1), (4, 0.2), (6, 0.3), (4, 0.5)):
        history.note_learning(str(tmp_path), step, {"knn": value})
    found = json.loads((tmp_path / "learning.json").read_text())
    assert found == [{"step": 2, "knn": 0.1}, {"step": 4, "knn": 0.5}]
