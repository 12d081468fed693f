"""What `pip install` brings: two packages with all their files, and one command."""

import email
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

import vie_tf

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = ("vie_tf", "data_prep")
pytest.importorskip("setuptools", minversion="77")


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*command, *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(name="wheel", scope="module")
def fixture_wheel(tmp_path_factory):
    """A wheel of this folder."""
    folder = tmp_path_factory.mktemp("wheel")
    # Of a copy, since setuptools writes beside the sources.
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    pip("wheel", *options, "-w", folder, folder / "source")
    return next(folder.glob("*.whl"))


@pytest.fixture(name="metadata", scope="module")
def fixture_metadata(wheel):
    with zipfile.ZipFile(wheel) as content:
        name = next(n for n in content.namelist() if n.endswith("/METADATA"))
        return email.message_from_string(content.read(name).decode())


def test_a_wheel_has_every_file_of_both_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as content:
        names = {n for n in content.namelist() if ".dist-info/" not in n}
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == files
    assert "vie_tf/monitoring/published/curves.json" in names


def test_its_metadata_says_what_it_needs(metadata):
    assert metadata["Version"] == vie_tf.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    needs = [line.replace('"', "'") for line in metadata.get_all("Requires-Dist")]
    assert "tensorflow==2.15.1; python_version < '3.12'" in needs
    assert "tf_keras==2.21.*; python_version >= '3.12'" in needs
    assert "tensorboard" in needs
    addons = [line for line in needs if line.startswith("tensorflow-addons")]
    assert all("extra ==" in line for line in addons)


def test_its_description_has_no_links_into_this_folder(metadata):
    assert metadata["Description-Content-Type"] == "text/markdown"
    description = metadata.get_payload()
    assert "vie-tf convert --videos=" in description
    assert re.findall(r"\]\((?!https?://)", description) == []


@pytest.mark.process
def test_the_installed_command_runs_away_from_this_folder(wheel, tmp_path):
    pip("install", "--no-deps", "--no-index", "--target", tmp_path, wheel)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def run(*command):
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    command = str(tmp_path / "bin" / "vie-tf")
    assert run(command, "--version") == f"vie-tf {vie_tf.__version__}\n"
    assert "import-tf1" in run(command, "--help")
    assert "--model=" in run(command, "train", "--help")
    assert "slowfast" in run(command, "models", "slowfast")
    code = "import vie_tf, data_prep; print(vie_tf.__file__, data_prep.__file__)"
    assert run(sys.executable, "-c", code).count(str(tmp_path)) == 2
