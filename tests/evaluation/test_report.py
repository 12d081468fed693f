import json
import pathlib

import pytest
from report_fixtures import (
    CLIPS,
    HMDB51,
    IMAGENET,
    fine_tuned,
    part,
    read_outs,
    write_result,
    write_supervised_run,
)

from vie_tf.evaluation.report import command, evaluated_network

# Kept as a file of its own: it is what a reader gets to see.
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
    scores = read_outs(0.1, 0.2, 0.248, 0.4, 0.46)
    write_result(a, "linear", scores=scores, chance=0.0025, num_queries=19_000)
    splits = [f"ucf101_{n}" for n in (1, 2, 3)]
    write_result(a, "finetune", **fine_tuned(0.78, splits, 0.0125))
    without_color = {"color": "none", "from_data": HMDB51}
    write_result(a, "finetune", **fine_tuned(0.4, ["hmdb51"], **without_color))
    single = {"model": "single", "checkpoint": "best", "parts": [part(subset=0.7)]}
    write_result(
        b,
        "retrieval",
        data="yo|ga",
        from_data={"num_train": 72, "num_val": 18, "num_classes": 6},
        recall={"1": 0.5, "5": 0.75, "10": 1.0, "20": 1.0, "50": 1.0},
        map=0.5,
        num_queries=18,
        num_skipped=2,
        **single,
    )
    scores = read_outs(0.1, 0.2, 0.26, 0.38, 0.43)
    write_result(b, "linear", scores=scores, num_queries=19_000, **single)
    write_supervised_run(c)
    scores = read_outs(*[0.2] * 5)
    supervised = {"model": "slowfast", "parts": [part(loss="supervised")]}
    write_result(
        c, "linear", data="imagenet", from_data=IMAGENET, scores=scores, **supervised
    )
    return [str(a), str(b), str(c)]


def test_a_report_is_what_is_stored(runs):
    assert command.of_runs(runs) == EXPECTED.read_text()


def test_all_tables_say_what_was_not_run(runs):
    text = command.of_runs(runs, all_tables=True)
    for number in range(1, 6):
        assert f"### Table {number}: " in text
    assert "| Supervised-Slow, own | not run |" in text


def test_the_command_prints_and_writes_the_report(runs, tmp_path, capsys):
    path = tmp_path / "report.md"
    assert command.main([*runs, f"--output={path}"]) == 0
    assert path.read_text() == EXPECTED.read_text()
    assert EXPECTED.read_text() in capsys.readouterr().out


def test_a_run_that_was_not_evaluated_is_named(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: '{tmp_path}' has not been evaluated")
    assert error.count("\n") == 1


@pytest.mark.parametrize("content", ["{", "[]", '{"task": "knn"}', OLD])
def test_a_file_that_is_no_result_is_named(tmp_path, content):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "knn.json").write_text(content)
    with pytest.raises(ValueError, match="knn.json' is no result of evaluate.py"):
        evaluated_network.collect(str(tmp_path))


def test_an_untrained_network_is_the_random_row(tmp_path):
    untrained = {"step": 0, "parts": [part("", loss="none")]}
    scores = read_outs(*[0.1] * 5)
    write_result(tmp_path, "linear", model="single", scores=scores, **untrained)
    (network,) = evaluated_network.collect(str(tmp_path))
    assert network.title == f"{tmp_path.name} (single, untrained)"
    text = command.of_runs([str(tmp_path)])
    assert f"| Random, {tmp_path.name} | - | 10.00 [1] | 10.00 | 10.00 | not" in text


def test_what_was_measured_before_la_began_has_a_row_of_its_own(tmp_path):
    numbers = {"top1": 0.25, "top5": 0.5, "chance": 0.0025}
    write_result(tmp_path, "knn", parts=[part(loss="ir")], **numbers)
    write_result(tmp_path, "linear", scores=read_outs(*[0.2] * 5))
    text = command.of_runs([str(tmp_path)])
    name = tmp_path.name
    assert f"| {name} (slowfast, IR on kinetics400) | 25.00 [1] |" in text
    assert f"| {name} (slowfast, LA on kinetics400) | not run |" in text


def test_what_was_trained_from_scratch_is_not_called_the_runs(tmp_path):
    nothing = {"step": 0, "checkpoint": None, "parts": [part("", loss="none")]}
    nothing["parts"][0]["seed"] = None
    scratch = fine_tuned(0.5, start="scratch", **nothing)
    write_result(tmp_path, "finetune_scratch", **scratch)
    write_result(tmp_path, "linear", scores=read_outs(*[0.2] * 5))
    text = command.of_runs([str(tmp_path)])
    assert f"| {tmp_path.name} (slowfast, untrained) | ucf101 | scratch |" in text
    assert f"| SlowFast, scratch, {tmp_path.name} | not run | not run | 50.00" in text
    (line,) = [line for line in text.splitlines() if "how finetune_scratch" in line]
    assert line.endswith("network trained on nothing; no checkpoint, step 0.")


def test_two_streams_have_the_data_and_the_seed_of_both(tmp_path):
    parts = [part(loss="ir", seed=3), part("other", seed=4)]
    write_result(tmp_path, "linear", parts=parts, scores=read_outs(*[0.2] * 5))
    text = command.of_runs([str(tmp_path)])
    assert "(slowfast, IR on kinetics400 and LA on other) |" in text
    assert "network trained on kinetics400 and other;" in text
    assert text.endswith("seed of the runs 3 and 4.\n")


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path):
    folders = [str(tmp_path / place / "run") for place in ("x", "y")]
    for folder in folders:
        write_result(folder, "linear", scores=read_outs(*[0.2] * 5))
    text = command.of_runs(folders)
    assert all(f"| VIE-Slowfast, {folder} |" in text for folder in folders)


@pytest.mark.parametrize(
    ("data", "settings", "is_beside"),
    [
        ("kinetics400", {}, True),
        ("k400", {"num_classes": 12}, False),
        ("kinetics400", {"subset": 0.3}, False),
        ("kinetics400", {"bin_frames": 52}, False),
        ("yoga", {}, False),
    ],
)
def test_softmax_is_beside_the_papers_if_the_run_was_on_kinetics(
    tmp_path, data, settings, is_beside
):
    write_supervised_run(tmp_path, data, **settings)
    parts = [part(data, loss="supervised", **settings)]
    write_result(tmp_path, "linear", parts=parts, scores=read_outs(*[0.2] * 5))
    text = command.of_runs([str(tmp_path)])
    assert f"## Softmax of supervised networks, best validation on {data}" in text
    assert "the best of all validations, so chosen on the videos" in text
    beside = f"| VIE-Slowfast, own | 50.00 [2] ({tmp_path.name}) | not run |"
    assert (beside in text) == is_beside
    assert ("### Table 1" in text) == is_beside


def test_networks_on_the_clips_of_others_are_rows_of_their_own(tmp_path):
    write_result(tmp_path, "linear", model="single", scores=read_outs(*[0.3] * 5))
    inner = {"model": "input_single_trn", "scores": read_outs(*[0.4] * 5)}
    write_result(tmp_path / "eval" / "input_single_trn", "linear", **inner)
    # Where such results lie, as evaluate.py --clips_of=trn has it.
    (tmp_path / "eval" / "input_single_trn" / "eval").rename(tmp_path / "moved")
    (tmp_path / "eval" / "input_single_trn").rmdir()
    (tmp_path / "moved").rename(tmp_path / "eval" / "input_single_trn")
    models = [network.model for network in evaluated_network.collect(str(tmp_path))]
    assert models == ["single", "input_single_trn"]
    assert "| TRN-Input-Single, " in command.of_runs([str(tmp_path)])
