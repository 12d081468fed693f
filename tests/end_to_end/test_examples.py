"""The examples run: programs on small data, and the cells of the notebook."""

import json
import pathlib
import re
import sys

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


def test_the_cells_of_the_notebook_run(tmp_path):
    cells = json.loads((EXAMPLES / "first_steps.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    small = code[0].replace("NUM_VIDEOS, STEPS = 48, 60", "NUM_VIDEOS, STEPS = 16, 2")
    assert small != code[0]
    program = ["import matplotlib", "matplotlib.use('agg')", small, *code[1:]]
    # Guarded, as its processes read the file again; those of a notebook have no file.
    cells = f"if __name__ == '__main__':\n    exec({chr(10).join(program)!r})\n"
    (tmp_path / "notebook.py").write_text(cells)
    result = run_command(str(tmp_path / "notebook.py"), setup=use_toy_networks)
    assert result.returncode == 0, result.stderr
    assert "the nearest video has the same motion" in result.stdout


def test_the_notebook_has_its_results():
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)]
    kinds = {
        kind for cell in code for out in cell["outputs"] for kind in out.get("data", {})
    }
    assert "image/png" in kinds
    outputs = json.dumps([cell["outputs"] for cell in code])
    assert len(outputs) < 200_000 and "Traceback" not in outputs
    assert "/tmp/" not in outputs and sys.prefix not in outputs
