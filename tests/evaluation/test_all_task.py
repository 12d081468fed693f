"""`--task=all` on small runs that have learned nothing."""

import dataclasses
import json

import pytest
from label_fixtures import restored, write_colors, write_run
from record_fixtures import write_data_set

from vie_tf.config import KnnConfig, KnnTaskConfig, LinearConfig, RetrievalConfig
from vie_tf.evaluation import all_task
from vie_tf.storage.errors import UserError

KNN = KnnTaskConfig(ks=(3,), num_clips=1)
RETRIEVAL = RetrievalConfig(KnnConfig(k=3, num_clips=1), num_shown=1)
LINEAR = LinearConfig(train_steps=2, batch_size=4, num_clips=1)


pytestmark = pytest.mark.usefixtures("toy_networks")


@pytest.fixture(name="evaluate")
def fixture_evaluate(tmp_path):
    """Runs all tasks on a data set; returns the report and the names of the files."""

    def evaluate(data_dir):
        write_run(tmp_path / "run", data_dir)
        run = restored(tmp_path / "run", data_dir)
        text = all_task.evaluate(run, str(tmp_path / "run"), KNN, RETRIEVAL, LINEAR)
        folder = tmp_path / "run" / "eval"
        assert (folder / "report.md").read_text() == text
        return text, {path.name for path in folder.iterdir()}

    return evaluate


def test_all_that_the_data_allow_is_measured_and_reported(evaluate, tmp_path):
    write_colors(tmp_path / "data")
    text, names = evaluate(tmp_path / "data")
    tasks = ("knn", "retrieval", "linear_quick", "linear")
    assert {f"{task}.json" for task in tasks} <= names
    assert {"retrieval.png", "retrieval.html"} <= names
    titles = ("kNN", "Retrieval", "Linear probes", "scikit-learn probes")
    assert all(f"## {title} on data" in text for title in titles)
    knn = json.loads((tmp_path / "run" / "eval" / "knn.json").read_text())
    assert f"| {100 * knn['top1']:.2f} [1] |" in text
    assert text.count("9 training and 6 validation videos") == len(tasks)


def test_without_validation_videos_probes_are_quick(evaluate, tmp_path, capsys):
    write_colors(tmp_path / "data", num_val=0)
    text, names = evaluate(tmp_path / "data")
    assert "linear_quick.json" in names
    assert "linear.json" not in names
    assert "cross-validation" in text
    assert "Without validation videos" in capsys.readouterr().out


def test_without_labels_there_is_retrieval_alone(evaluate, tmp_path, capsys):
    write_data_set(tmp_path / "data", num_classes=0)
    text, names = evaluate(tmp_path / "data")
    assert {"retrieval.json", "report.md"} <= names
    assert "knn.json" not in names
    assert "## Retrieval on data" in text
    assert "Without labels" in capsys.readouterr().out


def test_a_task_that_refuses_the_data_leaves_the_others(evaluate, tmp_path, capsys):
    manifest = write_colors(tmp_path / "data")
    videos = list(manifest.videos)
    videos[1] = dataclasses.replace(videos[1], label=-1)
    dataclasses.replace(manifest, videos=tuple(videos)).save(str(tmp_path / "data"))
    text, names = evaluate(tmp_path / "data")
    assert {"knn.json", "retrieval.json", "report.md"} <= names
    assert not {"linear.json", "linear_quick.json"} & names
    assert "## Retrieval on data" in text
    printed = capsys.readouterr().out
    for task in ("linear", "linear --quick"):
        assert f"Left out --task={task}: --task=linear" in printed
    assert "but 1 of" in printed  # the videos without a label


def test_data_for_no_task_at_all_are_refused(evaluate, tmp_path):
    write_colors(tmp_path / "data", num_train=0)
    with pytest.raises(UserError, match="--task=.* train"):
        evaluate(tmp_path / "data")
