"""The plan of all.sh: every row once, each after those that it starts from."""

import importlib.util
import subprocess
import sys

import pytest
from pages import ROOT

FOLDER = ROOT / "run_scripts" / "paper"


def load(name):
    """A module of the folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plan = load("plan")
EVERYTHING = plan.plan([*plan.TABLES, "none"])


def test_every_script_is_in_the_plan():
    scripts = {path.stem for path in FOLDER.glob("*.sh")} - {"row", "all"}
    assert {step.row for step in EVERYTHING} == scripts
    assert len({str(step) for step in EVERYTHING}) == len(EVERYTHING)


def test_a_step_comes_after_those_that_it_goes_on_from():
    places = {step: place for place, step in enumerate(EVERYTHING)}
    for step, place in places.items():
        assert all(places[other] < place for other in step.after), step


@pytest.mark.parametrize(
    "step, after",
    [
        ("single_la", []),
        ("trn_la", ["single_la"]),
        ("trn_la --linear_probes=imagenet", ["trn_la"]),
        ("two_stream_sf --linear_probes=imagenet", ["single_la", "slowfast_la"]),
        ("input_single_slow --linear_probes=kinetics400", ["single_la"]),
        ("finetune_ucf101_two_stream_sf --multi_scale", ["single_la", "slowfast_la"]),
        ("finetune_hmdb51_slowfast_supervised", ["slowfast_supervised"]),
        ("finetune_hmdb51_slowfast_scratch", []),
    ],
)
def test_a_step_goes_on_from_the_runs_that_it_reads(step, after):
    (found,) = [other for other in EVERYTHING if str(other) == step]
    assert [str(other) for other in found.after] == after


def test_a_table_brings_the_rows_that_it_starts_from():
    steps = [str(step) for step in plan.plan(["4"])]
    assert steps[0] == "single_la"
    assert len(steps) == 4
    assert all("linear_probes=kinetics400" in step for step in steps[1:])


def test_rows_have_probes_where_the_paper_has_numbers():
    steps = {str(step) for step in EVERYTHING}
    assert "single_supervised --linear_probes=imagenet" in steps
    assert "single_supervised --linear_probes=kinetics400" not in steps
    assert "slow_ir --linear_probes=kinetics400" not in steps


def test_the_dry_run_prints_every_step_with_its_number(capsys):
    assert plan.main(["--dry_run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(plan.plan())
    assert lines[9].split() == ["10", "run_scripts/paper/trn_la.sh", "after", "7"]


def test_a_plan_goes_on_after_the_step_that_failed(tmp_path, capsys):
    steps, made = plan.plan(["4"]), []
    done = tmp_path / "done.txt"

    def fails_at_the_third(step):
        made.append(step)
        return 5 if step == steps[2] else 0

    assert plan.run(steps, done, fails_at_the_third) == 5
    assert made == steps[:3]
    assert f"error: {steps[2]} failed" in capsys.readouterr().out
    assert plan.run(steps, done, lambda step: made.append(step)) == 0
    assert made == [*steps[:3], *steps[2:]]


def test_a_table_that_the_paper_does_not_have_is_refused():
    result = subprocess.run(
        [sys.executable, FOLDER / "plan.py", "--tables=6"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "'6' is not one of 1, 2, 3, 4, 5" in result.stderr


def test_the_smoke_run_calls_what_the_scripts_start(tmp_path):
    smoke = load("smoke")
    (network,) = smoke.commands("slow_la", [], tmp_path)
    assert network[0] == "train.py"
    assert f"--model_dir={tmp_path}/smoke/slow_la" in network
    found = smoke.commands("finetune_ucf101_single_scratch", [], tmp_path)
    assert [file for file, *_ in found] == ["train.py", "evaluate.py"]
    probe = smoke.commands("slow_la", ["--linear_probes=imagenet"], tmp_path)[0]
    assert f"--data_dir={tmp_path}/smoke/data/imagenet" in probe
    assert f"--flagfile={FOLDER}/evaluate_smoke.flags" in probe


def test_a_script_without_an_environment_says_what_to_activate(tmp_path):
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "VIRTUAL_ENV": str(tmp_path)}
    for script in ("single_ir.sh", "all.sh"):
        done = subprocess.run(
            ["bash", str(ROOT / "run_scripts" / "paper" / script)],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert "source .venv/bin/activate" in done.stderr
