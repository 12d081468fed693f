import json
import pathlib

import pytest
from run_fixtures import run_config, with_settings

from vie_tf import published_tables
from vie_tf.checkpoints import RunDirectory
from vie_tf.evaluation import evaluated_network, report
from vie_tf.published_tables import PublishedTables

# Kept as a file of its own: it is what a reader gets to see.
EXPECTED = pathlib.Path(__file__).with_name("expected_report.md")
KINETICS = {"num_train": 239_000, "num_val": 19_000, "num_classes": 400}


def write_result(run_dir, task, *, data="kinetics400", of_data=KINETICS, **content):
    folder = pathlib.Path(run_dir, "eval")
    folder.mkdir(parents=True, exist_ok=True)
    shared = {"model": "slowfast", "loss": "la", "step": 400, "checkpoint": "latest"}
    facts = {**shared, "task": task, "seed": 0, "protocol": f"how {task} is done"}
    facts["data"] = {"name": data, "fingerprint": "f", **of_data}
    path = folder / f"{task}-{data}.json"
    path.write_text(json.dumps({**facts, **content}))


def read_outs(*top1):
    return {f"conv{n}": {"top1": value, "top5": 1.0} for n, value in enumerate(top1, 1)}


@pytest.fixture(name="runs")
def fixture_runs(tmp_path):
    """Two runs: `a` of slowfast on Kinetics, `b` of single on a share of it."""
    a, b = tmp_path / "a", tmp_path / "b"
    write_result(
        a,
        "knn",
        top1=0.25,
        top5=0.5,
        chance=0.0025,
        num_queries=19_000,
        untrained={"top1": 0.0125, "top5": 0.05},
    )
    scores = read_outs(0.1, 0.2, 0.248, 0.4, 0.46)
    write_result(a, "linear", scores=scores, chance=0.0025, num_queries=19_000)
    write_result(
        a,
        "finetune",
        data="ucf101_1",
        of_data={"num_train": 9537, "num_val": 3783, "num_classes": 101},
        splits=[{"data": f"ucf101_{n}"} for n in (1, 2, 3)],
        mean={"top1": 0.78, "top5": 0.9},
        std={"top1": 0.0125},
        start="checkpoint",
        settings={"crop": "random_resize", "color": "exact"},
        chance=1 / 101,
    )
    single = {"model": "single", "checkpoint": "best"}
    of_own = {"num_train": 72, "num_val": 18, "num_classes": 6}
    write_result(
        b,
        "retrieval",
        data="yo|ga",
        of_data=of_own,
        recall={"1": 0.5, "5": 0.75, "10": 1.0, "20": 1.0, "50": 1.0},
        map=0.5,
        num_queries=18,
        num_skipped=2,
        **single,
    )
    scores = read_outs(0.1, 0.2, 0.26, 0.38, 0.43)
    write_result(b, "linear", scores=scores, num_queries=19_000, **single)
    config = with_settings(run_config("data", b), "data", subset=0.7)
    RunDirectory(str(b)).save_config(config, None)
    return [str(a), str(b)]


def test_a_report_is_what_is_stored(runs):
    assert report.of_runs(runs) == EXPECTED.read_text()


def test_all_tables_say_what_was_not_run(runs):
    text = report.of_runs(runs, all_tables=True)
    for number in range(1, 6):
        assert f"### Table {number}: " in text
    assert "| Supervised-Slow, own | not run |" in text


def test_the_command_prints_and_writes_the_report(runs, tmp_path, capsys):
    path = tmp_path / "report.md"
    assert report.main([*runs, f"--output={path}"]) == 0
    assert path.read_text() == EXPECTED.read_text()
    assert EXPECTED.read_text() in capsys.readouterr().out


def test_a_run_that_was_not_evaluated_is_named(tmp_path, capsys):
    assert report.main([str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: '{tmp_path}' has not been evaluated")
    assert error.count("\n") == 1


@pytest.mark.parametrize("content", ["{", "[]", '{"task": "knn"}'])
def test_a_file_that_is_no_result_is_named(tmp_path, content):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "knn.json").write_text(content)
    with pytest.raises(ValueError, match="knn.json' is no result of evaluate.py"):
        evaluated_network.collect(str(tmp_path))


def test_an_untrained_network_is_the_random_row(tmp_path):
    write_result(
        tmp_path, "linear", model="single", step=0, scores=read_outs(*[0.1] * 5)
    )
    (network,) = evaluated_network.collect(str(tmp_path))
    assert network.loss == "none"
    text = report.of_runs([str(tmp_path)])
    assert f"| Random, {tmp_path.name} | 10.00 | 10.00 | 10.00 | not run |" in text


def test_a_supervised_run_has_the_accuracy_of_its_own_softmax(tmp_path):
    facts = {"model": "slow", "loss": "supervised", "data": "imagenet"}
    of_data = {"num_train": 1, "num_val": 1, "num_classes": 1000}
    scores = read_outs(*[0.2] * 5)
    write_result(tmp_path, "linear", **facts, of_data=of_data, scores=scores)
    config = run_config("data", tmp_path, loss={"name": "supervised"})
    RunDirectory(str(tmp_path)).save_config(config, None)
    best = {"checkpoint": "step-1", "metric": "softmax/top1", "score": 0.5}
    folder = tmp_path / "checkpoints" / "best"
    folder.mkdir(parents=True)
    (folder / "best.json").write_text(json.dumps(best))
    text = report.of_runs([str(tmp_path)])
    assert "| Supervised-Slow, paper | 21.86 | 40.77 | 32.87 | 60.84 |" in text
    assert (
        f"| Supervised-Slow, {tmp_path.name} | 20.00 | 20.00 | 20.00 | 50.00 |" in text
    )


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
    assert "| TRN-Input-Single, " in report.of_runs([str(tmp_path)])


def test_the_published_tables_hold_the_papers_numbers():
    tables = PublishedTables.load()
    assert len(tables.read_outs) == 21
    assert len(tables.fine_tuning) == 10
    slow = tables.read_out_row("slow", "la", 1.0, 0)
    assert slow.read_outs["kinetics"] == [24.80, 40.48, 46.36]
    share = tables.read_out_row("single", "la", 0.3, 0)
    assert share.read_outs["imagenet"] == [23.33, 38.49, 36.23]
    bins = tables.read_out_row("single", "la", 1.0, 52)
    assert bins.name == "5bin-VIE-Single"
    assert tables.read_out_row("slow", "ir", 1.0, 0) is None
    vie = tables.fine_tuning_row("3dresnet", "la")
    assert vie.multi_scale == {"ucf101": 72.3, "hmdb51": 44.8}
    assert vie.color_noise == {"ucf101": 75.5, "hmdb51": 44.6}


@pytest.mark.parametrize(
    ("name", "num_classes", "known"),
    [
        ("kinetics400", 400, "kinetics"),
        ("Kinetics-400-small", 12, None),
        ("imagenet", 1000, "imagenet"),
        ("ucf101_split1", 101, "ucf101"),
        ("HMDB51-2", 51, "hmdb51"),
        ("my_videos", 400, None),
    ],
)
def test_the_papers_data_sets_are_known_by_name_and_classes(name, num_classes, known):
    assert published_tables.data_set(name, num_classes) == known
