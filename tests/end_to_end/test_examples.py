"""The examples run, on small data."""

import pathlib
import re

import pytest
from commands import run_command
from toy_networks import use_toy_networks

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SMALL = ["--num_videos=16", "--steps=2"]


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """What the first example makes: videos, data and a run."""
    folder = tmp_path_factory.mktemp("examples")
    output = run("train_on_generated_videos.py", folder, *SMALL)
    assert re.search(r"same motion for \d+% of the videos", output)
    return folder


def run(program, *arguments):
    words = [str(EXAMPLES / program), *map(str, arguments)]
    result = run_command(*words, setup=use_toy_networks)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_folder_is_embedded_and_searched(folder):
    output = run("embed_and_search.py", folder / "run", folder / "videos")
    lines = output.splitlines()
    assert "Nearest to" in lines[-4] and "of 16 videos" in lines[-4]
    cosines = [float(line.split()[0]) for line in lines[-3:]]
    assert cosines == sorted(cosines, reverse=True)


def test_an_own_backbone_and_an_own_objective_are_trained(folder):
    flags = ["--model=examples.own_backbone:make_patches", "--num_filters=4"]
    flags += ["--loss=examples.own_objective:InfoNCE", "--ir_num_negatives=4"]
    flags += [f"--data_dir={folder / 'data'}", f"--model_dir={folder / 'own'}"]
    result = run_command("train.py", *flags, "--train_steps=2", "--batch_size=4")
    assert result.returncode == 0, result.stderr
    assert "InfoNCE" in result.stdout


def test_an_own_objective_says_what_its_loss_starts_at():
    assert run("own_objective.py").split()[0] == "8.318,"


def test_an_own_backbone_prints_its_layers():
    assert "Total params" in run("own_backbone.py")
