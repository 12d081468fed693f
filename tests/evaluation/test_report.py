import json
import pathlib

import pytest
from report_fixtures import (
    CLIPS,
    HMDB51,
    IMAGENET,
    fine_tuned,
    part,
    scores_of,
    write_result,
    write_supervised_run,
)

from vie_tf.commands import report as command
from vie_tf.evaluation.report import evaluated_network, report_runs
from vie_tf.storage.errors import UserError

# Kept as a file of its own: it is what a reader gets to see.
ROWS = ["slowfast_la", "single_70percent_la", "slowfast_supervised"]
EXPECTED = pathlib.Path(__file__).parents[1] / "fixtures/expected_report.md"
# Of a version that did not say what a network was trained on.
OLD = json.dumps(
    {**dict.fromkeys(("task", "model", "loss", "data", "protocol"), ""), "step": 1}
)


@pytest.fixture(name="runs")
def fixture_runs(tmp_path):
    """Runs: `a` of slowfast on Kinetics, `b` of single on a share, `c` supervised."""
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    numbers = {"top1": 0.25, "top5": 0.5, "chance": 0.0025, "num_queries": 19_000}
    numbers["settings"] = {**CLIPS, "gallery": "bank"}
    write_result(a, "knn", **numbers, untrained={"top1": 0.0125, "top5": 0.05})
    scores = scores_of(0.1, 0.2, 0.248, 0.4, 0.46)
    write_result(a, "linear", scores=scores, chance=0.0025, num_queries=19_000)
    splits = [f"ucf101_{n}" for n in (1, 2, 3)]
    write_result(a, "finetune", **fine_tuned(0.78, splits, 0.0125))
    without_color = {"color": "none", "counts": HMDB51}
    write_result(a, "finetune", **fine_tuned(0.4, ["hmdb51"], **without_color))
    single = {"model": "single", "checkpoint": "best", "parts": [part(subset=0.7)]}
    write_result(
        b,
        "retrieval",
        data="yo|ga",
        counts={"num_train": 72, "num_val": 18, "num_classes": 6},
        recall={"1": 0.5, "5": 0.75, "10": 1.0, "20": 1.0, "50": 1.0},
        map=0.5,
        num_queries=18,
        num_skipped=2,
        **single,
    )
    scores = scores_of(0.1, 0.2, 0.26, 0.38, 0.43)
    write_result(b, "linear", scores=scores, num_queries=19_000, **single)
    write_supervised_run(c)
    scores = scores_of(*[0.2] * 5)
    supervised = {"model": "slowfast", "parts": [part(loss="supervised")]}
    write_result(
        c, "linear", data="imagenet", counts=IMAGENET, scores=scores, **supervised
    )
    return [str(a), str(b), str(c)]


def test_a_report_is_what_is_stored(runs):
    assert report_runs.report_runs(runs, ROWS) == EXPECTED.read_text()


def test_all_tables_say_what_was_not_run(runs):
    text = report_runs.report_runs(runs, all_tables=True)
    for number in range(1, 6):
        assert f"### Table {number}: " in text
    assert "| Supervised-Slow, own | not run |" in text


def test_the_command_prints_and_writes_the_report(runs, tmp_path, capsys):
    path = tmp_path / "report.md"
    rows = f"--paper_row={','.join(ROWS)}"
    assert command.main([*runs, rows, f"--output={path}"]) == 0
    assert path.read_text() == EXPECTED.read_text()
    assert EXPECTED.read_text() in capsys.readouterr().out


def test_an_output_that_cannot_be_written_is_said_before_the_work(
    runs, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "report.md"
    assert command.main([*runs, f"--output={path}"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ") and str(tmp_path / "file") in line


def test_a_run_that_was_not_evaluated_is_named(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert str(tmp_path) in error and error.count("\n") == 1


def test_a_remote_folder_is_connected_before_it_is_looked_for(capsys):
    assert command.main(["ftp://bucket/run"]) == 1
    assert "s3://" in capsys.readouterr().err  # what addresses are known


@pytest.mark.parametrize("content", ["{", "[]", '{"task": "knn"}', OLD])
def test_a_file_that_is_no_result_is_named(tmp_path, content):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "knn.json").write_text(content)
    with pytest.raises(UserError, match="knn.json"):
        evaluated_network.collect(str(tmp_path))


def test_an_untrained_network_is_the_random_row(tmp_path):
    untrained = {"step": 0, "parts": [part("", loss="none")]}
    scores = scores_of(*[0.1] * 5)
    write_result(tmp_path, "linear", model="single", scores=scores, **untrained)
    (network,) = evaluated_network.collect(str(tmp_path))
    assert network.title() == f"{tmp_path.name} (single, untrained)"
    text = report_runs.report_runs([str(tmp_path)], ["random"])
    assert f"| Random, {tmp_path.name} | - | 10.00 [1] | 10.00 | 10.00 | not" in text


def test_what_was_measured_before_la_began_has_a_row_of_its_own(tmp_path):
    numbers = {"top1": 0.25, "top5": 0.5, "chance": 0.0025}
    write_result(tmp_path, "knn", parts=[part(loss="ir")], **numbers)
    write_result(tmp_path, "linear", scores=scores_of(*[0.2] * 5))
    text = report_runs.report_runs([str(tmp_path)])
    name = tmp_path.name
    assert f"| {name} (slowfast, IR on kinetics400) | 25.00 [1] |" in text
    assert f"| {name} (slowfast, LA on kinetics400) | not run |" in text


def test_what_was_trained_from_scratch_is_not_called_the_runs(tmp_path):
    nothing = {"step": 0, "checkpoint": None, "parts": [part("", loss="none")]}
    nothing["parts"][0]["seed"] = None
    scratch = fine_tuned(0.5, start="scratch", **nothing)
    write_result(tmp_path, "finetune_scratch", **scratch)
    write_result(tmp_path, "linear", scores=scores_of(*[0.2] * 5))
    text = report_runs.report_runs([str(tmp_path)], ["slowfast_la"])
    assert f"| {tmp_path.name} (slowfast, untrained) | ucf101 | scratch |" in text
    assert f"| SlowFast, scratch, {tmp_path.name} | not run | not run | 50.00" in text
    (line,) = [line for line in text.splitlines() if "how finetune_scratch" in line]
    assert line.endswith("network trained on nothing; no checkpoint, step 0.")


def test_two_streams_have_the_data_and_the_seed_of_both(tmp_path):
    parts = [part(loss="ir", seed=3), part("other", seed=4)]
    write_result(tmp_path, "linear", parts=parts, scores=scores_of(*[0.2] * 5))
    text = report_runs.report_runs([str(tmp_path)])
    assert "(slowfast, IR on kinetics400 and LA on other) |" in text
    assert "network trained on kinetics400 and other;" in text
    assert text.endswith("seed of the runs 3 and 4.\n")


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path):
    folders = [str(tmp_path / place / "run") for place in ("x", "y")]
    for folder in folders:
        write_result(folder, "linear", scores=scores_of(*[0.2] * 5))
    text = report_runs.report_runs(folders, ["slowfast_la"] * 2)
    assert all(f"| VIE-Slowfast, {folder} |" in text for folder in folders)


@pytest.mark.parametrize("row", ["slowfast_supervised", ""])
def test_softmax_is_beside_the_papers_if_the_run_is_of_a_row(tmp_path, row):
    write_supervised_run(tmp_path)
    parts = [part(loss="supervised")]
    write_result(tmp_path, "linear", parts=parts, scores=scores_of(*[0.2] * 5))
    text = report_runs.report_runs([str(tmp_path)], [row])
    assert "## Softmax of supervised networks" in text
    assert "chosen on the videos" in text
    beside = f"| VIE-Slowfast, {tmp_path.name} | 50.00 [2] | not run |"
    assert (beside in text) == ("### Table 1" in text) == bool(row)


def test_networks_on_the_clips_of_others_are_rows_of_their_own(tmp_path):
    write_result(tmp_path, "linear", model="single", scores=scores_of(*[0.3] * 5))
    inner = {"model": "input_single_trn", "scores": scores_of(*[0.4] * 5)}
    write_result(tmp_path / "eval" / "input_single_trn", "linear", **inner)
    # Where such results lie, as evaluate.py --clips_of=trn has it.
    (tmp_path / "eval" / "input_single_trn" / "eval").rename(tmp_path / "moved")
    (tmp_path / "eval" / "input_single_trn").rmdir()
    (tmp_path / "moved").rename(tmp_path / "eval" / "input_single_trn")
    models = [network.model for network in evaluated_network.collect(str(tmp_path))]
    assert models == ["single", "input_single_trn"]
    text = report_runs.report_runs([str(tmp_path)], ["single_la"])
    assert f"| TRN-Input-Single, {tmp_path.name} | 40.00" in text
    assert f"| VIE-Single, {tmp_path.name} | not run | 30.00" in text
