"""Costs and recall of searches, of a generated bank and of that of a run."""

import re

import numpy as np
import pytest
from label_fixtures import write_run
from record_fixtures import write_data_set

from benchmarks.bank import searches


@pytest.fixture(name="small", autouse=True)
def fixture_small(monkeypatch):
    monkeypatch.setattr(searches, "BATCH_SIZE", 4)


def recalls(capsys, *flags):
    searches.main(["--num_neighbors=6", *flags])
    text = capsys.readouterr().out
    return text, [float(one) for one in re.findall(r"recall (\d\.\d+)", text)]


def test_all_is_found_where_all_clusters_are_searched(capsys):
    text, found = recalls(capsys, "--nums_videos=600", "--searched=1,20,21")
    assert "600 videos, 20 clusters" in text
    assert len(found) == 2  # there are no 21 clusters
    assert found[0] < found[1] == 1


def test_the_bank_of_a_run_is_searched(capsys, tmp_path):
    write_data_set(str(tmp_path / "data"), num_train=90)
    write_run(tmp_path / "run", tmp_path / "data")
    text, found = recalls(capsys, f"--bank_of={tmp_path / 'run'}", "--searched=1,3")
    assert "90 videos, 3 clusters" in text
    assert found[0] < found[1] == 1


def test_a_run_of_la_is_searched_by_its_own_clusters(capsys, tmp_path):
    write_data_set(str(tmp_path / "data"), num_train=90)
    la = {"name": "la", "la_num_clusters": 9, "ir_steps": 0}
    clusters = np.arange(90) % 9
    write_run(tmp_path / "run", tmp_path / "data", loss=la, clusters=clusters)
    text, found = recalls(capsys, f"--bank_of={tmp_path / 'run'}", "--searched=1,9")
    assert "the run has 9 clusters" in text
    assert found[0] < found[1] == 1
