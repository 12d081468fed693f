import json

import numpy as np
import pytest
from collection_fixtures import clustered, write_index
from record_fixtures import write_data_set

from benchmarks.small_collections import __main__ as command
from benchmarks.small_collections import calibration, methods, report, scores
from benchmarks.small_collections.results import Result, Results, spread
from vie_tf.commands import embed
from vie_tf.metrics import leave_one_out
from vie_tf.storage.errors import UserError


def result(method, seed, knn10, collection="yoga", representation="embedding"):
    return Result(
        *(collection, method, representation, seed),
        num_videos=90,
        num_classes=6,
        size=128,
        steps=0 if method == "pixels" else 1200,
        seconds=60.0,
        scores={"knn1": 0.5, "knn10": knn10, "map": 0.25, "probe": 0.75},
    )


@pytest.fixture(name="study")
def fixture_study(tmp_path):
    results = Results(tmp_path, {"train_flags": "--preset=small"})
    results.add([result("IR", 0, 0.7), result("IR", 1, 0.8), result("pixels", 0, 0.6)])
    return tmp_path, results


def test_spread_is_mean_and_standard_deviation_of_the_seeds(study):
    found = spread(study[1].rows("yoga")["IR", "embedding"], "knn10")
    assert found.mean == 0.75
    assert found.deviation == pytest.approx(0.1 / np.sqrt(2))


def test_the_table_has_baselines_first_and_the_spread_of_seeds(study):
    lines = report.table(study[1]).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert [row[1] for row in cells] == ["pixels", "IR, embedding"]
    assert cells[0][2:] == ["50.0", "60.0", "25.0", "75.0", "1", "", "1.0"]
    assert cells[1][3] == "75.0 ± 7.1"
    assert cells[1][6:8] == ["2", "1,200"]


def test_bars_are_as_long_as_the_scores_and_points_are_seeds(study):
    (axes,) = report.draw(study[1]).axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.6, 0.75])
    assert axes.lines[1].get_xdata().tolist() == [0.7, 0.8]
    assert axes.lines[-1].get_xdata()[0] == pytest.approx(1 / 6)  # chance


def test_results_are_kept_and_not_mixed_with_other_settings(study):
    folder, results = study
    again = Results(folder, {"train_flags": "--preset=small"})
    assert again.all == results.all
    kept = (folder / "results.json").rename(folder / "kept.json")
    assert Results.read(kept).all == results.all
    kept.rename(folder / "results.json")
    assert again.find("yoga", "IR", 1) == [results.all[1]]
    assert not again.find("yoga", "IR", 2)
    with pytest.raises(UserError, match="--output_dir"):
        Results(folder, {"train_flags": "--preset=paper"})


def test_layers_are_compared_with_their_places_and_without_their_mean(tmp_path):
    write_data_set(tmp_path / "data", 12, 0)
    output = str(tmp_path / "out")
    asked = f"--videos={tmp_path / 'data'}", f"--output={output}", "--network=pixels"
    assert embed.main(asked) == 0
    labels, classes = scores.labels_of(output)
    assert (labels.tolist(), classes) == ([0, 1] * 6, ("class_0", "class_1"))
    rows = scores.rows_of(output, "embedding")
    assert np.array_equal(rows, scores.rows_of(output, scores.SEARCH))
    found = scores.scores(rows, labels)
    assert set(found) == {"knn1", "knn10", "map", "probe"}
    assert found["knn1"] == leave_one_out.is_right(rows, labels, 1).mean()


def test_the_benchmark_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    write_data_set(tmp_path / "data", 12, 0)
    calls = []

    def run(*arguments):
        """The commands of embed.py, without a process."""
        calls.append(arguments)
        assert embed.main(arguments[1:]) == 0

    monkeypatch.setattr(methods, "run", run)
    given = [str(tmp_path / "data"), f"--output_dir={tmp_path / 'study'}", "--seeds=2"]
    assert command.main([*given, "--only=pixels", "--minutes=0"]) == 0
    assert not calls
    assert command.main([*given, "--only=pixels"]) == 0
    assert command.main([*given, "--only=pixels,motion_map"]) == 0
    assert [arguments[-1] for arguments in calls] == [
        "--network=pixels",
        "--network=motion_map",
    ]
    content = json.loads((tmp_path / "study" / "results.json").read_text())
    assert [one["method"] for one in content["results"]] == ["pixels", "motion_map"]
    assert (tmp_path / "study" / "small_collections.png").exists()


@pytest.fixture(name="trainings")
def fixture_trainings(tmp_path, monkeypatch):
    """Commands of train.py that were given, of which none is run."""
    calls = []

    def run(*arguments):
        if arguments[0] == "train.py":
            calls.append(arguments)
            flags = dict(flag.split("=", 1) for flag in arguments[1:])
            folder = tmp_path.joinpath(flags["--model_dir"])
            folder.mkdir(parents=True, exist_ok=True)
            steps = int(flags.get("--train_steps", 1200))
            settings = {"train": {"train_steps": steps}}
            (folder / "config.json").write_text(json.dumps(settings))

    monkeypatch.setattr(methods, "run", run)
    return calls


def test_la_takes_a_third_of_the_steps_of_ir_more(tmp_path, trainings):
    collection = methods.Collection("yoga", "data", tmp_path)
    with pytest.raises(UserError, match="IR"):
        methods.apply("LA", collection, 1, [], ["embedding"])
    for method, steps in (("untrained", 0), ("IR", 1200), ("LA", 1600)):
        found = methods.apply(method, collection, 1, ["--preset=small"], ["embedding"])
        assert found.steps == steps
    assert all(call[1] == "--preset=small" and "--seed=1" in call for call in trainings)
    assert f"--init_from={tmp_path / 'IR-1' / 'run'}" in trainings[-1]


def test_the_network_of_another_run_is_tried_as_it_is_and_after_ir(tmp_path, trainings):
    collection = methods.Collection("yoga", "data", tmp_path)
    with pytest.raises(UserError, match="--network_from"):
        methods.apply("transferred", collection, 2, [], ["embedding"])
    for method, steps in (("transferred", 0), ("transferred_IR", 1200)):
        found = methods.apply(method, collection, 2, [], ["embedding"], "runs/{seed}/a")
        assert found.steps == steps
        assert "--network_from=runs/2/a" in trainings[-1]
        assert not any("--init_from" in flag for flag in trainings[-1])


def test_methods_that_need_another_run_are_asked_for_with_it():
    usual = command.parse(["--output_dir=x"])
    assert "transferred" not in usual.only and "LA" in usual.only
    given = command.parse(["--output_dir=x", "--network_from=run"])
    assert given.only == list(methods.METHODS)


def test_without_their_mean_vectors_of_a_narrow_cone_are_told_apart(tmp_path):
    axis = np.eye(16)[0]
    cone = axis + 0.02 * clustered(40, num_classes=2, spread=1.0)
    labels = ["walk", "run"] * 20
    write_index(tmp_path / "yoga/IR-0/embeddings", cone, [*"ab"] * 20, labels)
    found = calibration.measure(tmp_path / "yoga")
    assert {key[:2] for key in found} == {("IR", "embedding")}
    as_it_is, centered = (
        found["IR", "embedding", title][0] for title in ("as they are", "centered")
    )
    assert centered[1] >= as_it_is[1] > 0.5
    lines = calibration.table([tmp_path / "yoga"]).splitlines()
    assert lines[0].endswith("| yoga: kNN | mAP |") and len(lines) == 2 + 5
    cells = [f"{100 * value:.1f}" for value in centered]
    assert lines[3].split(" | ")[-2:] == [cells[0], f"{cells[1]} |"]


def test_a_folder_without_embeddings_cannot_be_calibrated(tmp_path, capsys):
    assert calibration.main([str(tmp_path)]) == 1
    assert "has no embeddings of a network" in capsys.readouterr().err
