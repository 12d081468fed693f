"""The same conversion as a pipeline of Apache Beam, an extra of the project."""

import pathlib
import sys

import pytest
from conversion_fixtures import config, contents, write_collection

from data_prep.convert import conversion
from data_prep.convert.conversion import convert
from data_prep.workers import beam_runner
from vie_tf.storage.errors import UserError

# Beam's own local runner, with two processes beside this one.
TWO_PROCESSES = (
    "--runner=FnApiRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=2",
)


@pytest.fixture(name="collection", scope="module")
def fixture_collection(tmp_path_factory) -> pathlib.Path:
    """Eight videos, one of which is empty."""
    root = write_collection(tmp_path_factory.mktemp("collection"))
    (root / "run" / "1.avi").write_bytes(b"")
    return root


def test_without_beam_the_command_that_installs_it_is_given(
    collection, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(UserError, match="pip install"):
        convert(config(collection, tmp_path / "data", runner="beam"))
    assert not (tmp_path / "data").exists()


@pytest.fixture(name="beam")
def fixture_beam():
    return pytest.importorskip("apache_beam")


def test_a_pipeline_of_two_processes_writes_the_same_bytes(beam, collection, tmp_path):
    local, piped = tmp_path / "local", tmp_path / "beam"
    here = convert(config(collection, local))
    assert [video.source for video in here.refused] == ["run/1.avi"]
    settings = {"runner": "beam", "beam_options": TWO_PROCESSES}
    assert convert(config(collection, piped, **settings)) == here
    assert contents(piped) == contents(local)
    names = [path.name for path in (piped / ".shards").iterdir()]
    assert not [name for name in names if "beam" in name or name.endswith(".tmp")]


def test_a_pipeline_goes_on_where_a_local_run_has_stopped(
    beam, collection, tmp_path, capsys
):
    manifest = convert(config(collection, tmp_path))
    (tmp_path / "val-00000.tfrecord").unlink()
    assert convert(config(collection, tmp_path, runner="beam")) == manifest
    assert "3 of 4 shards" in capsys.readouterr().out


def test_a_pipeline_that_fails_says_why_in_one_line(beam, tmp_path):
    with pytest.raises(UserError, match="OSError: cable pulled") as error:
        beam_runner.run_tasks(
            _pull_the_cable, ["task"], options=(), shared_dir=str(tmp_path)
        )
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def _pull_the_cable(task, report):
    # As errors of other processes arrive.
    raise RuntimeError("Traceback ...\nOSError: cable pulled")


def test_shards_that_no_worker_has_written_here_are_missed(
    beam, collection, tmp_path, monkeypatch
):
    # As by workers that do not share the folder.
    monkeypatch.setattr(conversion, "write_shard", _write_nothing)
    with pytest.raises(UserError, match="4 of 4 shards.*--output_dir"):
        convert(config(collection, tmp_path, runner="beam"))


def _write_nothing(task, report):
    del task, report
