"""Data sets in an object store, against a real S3 server on this machine."""

import functools
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys

import dying_workers
import numpy as np
import pytest
from commands import ROOT, run_command
from conversion_fixtures import command, config, contents, write_collection
from tf1_fixtures import write_tf1

from data_prep.convert import conversion, data_folder
from vie_tf.config import ModelConfig
from vie_tf.models import tf1_names
from vie_tf.models.from_config import build_model
from vie_tf.storage import remote_files


@pytest.fixture(name="collection", scope="module")
def fixture_collection(tmp_path_factory) -> pathlib.Path:
    return write_collection(tmp_path_factory.mktemp("collection"))


@pytest.fixture(name="local_files", scope="module")
def fixture_local_files(collection, tmp_path_factory) -> dict[str, bytes]:
    """What a conversion into a local folder writes for its readers."""
    folder = tmp_path_factory.mktemp("local")
    conversion.convert(config(collection, folder))
    return contents(folder)


class Bucket:
    """A bucket of a server at `endpoint`.

    Attributes:
      environment: in which tensorflow-io finds it, and a temporary folder of its own.
      scratch: that folder.
    """

    def __init__(self, endpoint: str, scratch: pathlib.Path) -> None:
        import boto3

        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        self.scratch = scratch
        fixtures = ROOT / "tests" / "fixtures"
        paths = [str(ROOT), str(fixtures), os.environ.get("PYTHONPATH", "")]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            **keys,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "S3_ENDPOINT": endpoint,
            "TMPDIR": str(scratch),
        }
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._client.create_bucket(Bucket="bucket")

    def names(self, folder: str) -> set[str]:
        """Names of the objects right in a folder."""
        listed = self._client.list_objects_v2(
            Bucket="bucket", Prefix=f"{folder}/", Delimiter="/"
        )
        return {item["Key"].split("/")[-1] for item in listed.get("Contents", [])}

    def put(self, name: str, content: bytes) -> None:
        """Writes an object."""
        self._client.put_object(Bucket="bucket", Key=name, Body=content)

    def files(self, folder: str) -> dict[str, bytes]:
        """Contents of the objects right in a folder."""
        return {
            name: self._client.get_object(Bucket="bucket", Key=f"{folder}/{name}")[
                "Body"
            ].read()
            for name in self.names(folder)
        }

    def start(self, *arguments) -> subprocess.Popen:
        """Starts Python where the bucket is found.

        No fork: tensorflow-io can abort a process while its interpreter ends.
        """
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A background job of a shell ignores SIGINT, and so would this process.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments) -> subprocess.CompletedProcess:
        """Runs Python to its end."""
        process = self.start(*arguments)
        outputs = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, *outputs)


@pytest.fixture(name="bucket", scope="module")
def fixture_bucket(tmp_path_factory):
    if not importlib.util.find_spec("tensorflow_io"):
        pytest.skip("needs tensorflow-io")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield Bucket(f"http://{host}:{port}", tmp_path_factory.mktemp("scratch"))
    server.stop()


@pytest.fixture(name="converted", scope="module")
def fixture_converted(bucket, collection) -> subprocess.CompletedProcess:
    """The conversion by two processes into s3://bucket/data."""
    return bucket.run(*command(collection, "s3://bucket/data", "--num_processes=2"))


def test_a_conversion_into_a_bucket_ends_well_and_quietly(converted):
    assert converted.returncode == 0, converted.stderr
    assert "pure virtual" not in converted.stderr
    assert "s3://bucket/data/manifest.json" in converted.stdout
    assert "error" not in converted.stderr.lower()


def test_the_bucket_gets_the_same_bytes_as_a_local_folder(
    converted, bucket, local_files
):
    assert bucket.files("data") == local_files


def test_nothing_unfinished_is_left_anywhere(converted, bucket):
    assert not list(bucket.scratch.rglob("*.tmp"))
    assert not [name for name in bucket.names("data/.shards") if "tmp" in name]


def test_a_killed_run_goes_on_in_the_bucket(collection, bucket, local_files):
    place = "s3://bucket/killed"
    die = functools.partial(dying_workers.die_at_video, 5)
    killed = run_command(
        *command(collection, place), environment=bucket.environment, setup=die
    )
    assert killed.returncode == -signal.SIGKILL
    suffixes = ("index", "tfrecord")
    finished = {f"train-0000{n}.{suffix}" for n in (0, 1) for suffix in suffixes}
    assert bucket.names("killed") == finished
    assert len(list(bucket.scratch.rglob("*.tmp"))) == 1
    result = bucket.run(*command(collection, place))
    assert result.returncode == 0, result.stderr
    assert "2 of 4" in result.stdout
    assert bucket.files("killed") == local_files
    assert not list(bucket.scratch.rglob("*.tmp"))


def test_a_run_lives_in_the_bucket_from_training_to_report(converted, bucket):
    places = ("--data_dir=s3://bucket/data", "--model_dir=s3://bucket/run")
    model = ("--model=slow", "--resnet_size=18", "--num_filters=4", "--num_frames=2")
    clips = ("--embedding_dim=16", "--crop_size=32", "--frame_interval=2")
    steps = ("--train_steps=2", "--batch_size=2", "--ir_num_negatives=4")
    toy = ROOT / "tests/fixtures/toy_command.py"
    trained = bucket.run(toy, "train.py", *places, *model, *clips, *steps, "--knn_k=3")
    assert trained.returncode == 0, trained.stderr
    assert "step-2.index" in bucket.names("run/checkpoints")
    evaluated = bucket.run(toy, "evaluate.py", "--task=knn", *places, "--knn_k=3")
    assert evaluated.returncode == 0, evaluated.stderr
    report = bucket.run("-m", "vie_tf", "report", "s3://bucket/run")
    assert report.returncode == 0, report.stderr
    assert "knn" in report.stdout.lower()
    for done in (trained, evaluated, report):
        assert "pure virtual" not in done.stderr


def test_an_import_of_a_tf1_checkpoint_ends_well_in_the_bucket(converted, bucket):
    done = bucket.run(
        *("-m", "vie_tf", "tf1_checkpoint", "--checkpoint=s3://bucket/nothing"),
        *("--model=slow", "--model_dir=s3://bucket/data"),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "--model_dir=s3://bucket/data" in line  # it has the data set in it


def test_a_worker_of_the_input_service_ends_well_after_its_use_of_the_bucket(
    converted, bucket
):
    service = ("-m", "vie_tf", "input_service")
    dispatcher = bucket.start(*service, "dispatcher", "--port=0")
    address = dispatcher.stdout.readline().split()[0].partition("//")[2]
    flags = (f"--dispatcher={address}", "--data_dir=s3://bucket/data")
    worker = bucket.start(*service, "worker", *flags)
    try:
        assert address in worker.stdout.readline()
        worker.send_signal(signal.SIGINT)
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
        assert "pure virtual" not in errors
    finally:
        for process in (worker, dispatcher):
            process.kill()
            process.communicate()


def test_a_worker_whose_folder_is_no_data_set_is_refused(bucket, converted):
    done = bucket.run(
        *("-m", "vie_tf", "input_service", "worker", "--dispatcher=localhost:1"),
        "--data_dir=s3://bucket/nothing",
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "--data_dir=s3://bucket/nothing" in line


def test_a_tf1_checkpoint_in_the_bucket_becomes_a_run_in_the_bucket(bucket, tmp_path):
    model = build_model(ModelConfig("single", num_filters=4), seed=0)
    values = {name: v.numpy() for name, v in tf1_names(model).items()}
    values["instance/memory_bank"] = np.zeros([3, 128], np.float32)
    path = pathlib.Path(write_tf1(tmp_path / "model", values))
    for file in path.parent.glob(f"{path.name}.*"):
        bucket.put(f"tf1/{file.name}", file.read_bytes())
    importing = ("-m", "vie_tf", "tf1_checkpoint", "--model=single", "--num_filters=4")
    places = ("--checkpoint=s3://bucket/tf1/model", "--model_dir=s3://bucket/imported")
    result = bucket.run(*importing, *places)
    assert (result.returncode, result.stderr) == (0, "")
    assert {"config.json"} <= bucket.names("imported")
    assert "step-0.index" in bucket.names("imported/checkpoints")
    again = bucket.run(*importing, *places)
    assert again.returncode == 1
    assert len(again.stderr.splitlines()) == 1 and "--model_dir" in again.stderr


def test_a_bucket_that_is_missing_is_one_line_and_exit_code_one(bucket, collection):
    result = bucket.run(*command(collection, "s3://nowhere/data"))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert "NoSuchBucket" in result.stderr
    assert "s3://nowhere/data" in result.stderr


@pytest.mark.parametrize("address", ["ftp://host/data", "s3://", "file:///data"])
def test_an_address_that_cannot_be_used_is_refused_in_one_line(collection, address):
    with pytest.raises(ValueError, match="s3://BUCKET"):
        conversion.convert(config(collection, address))


def test_unfinished_files_of_a_remote_data_set_are_local(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = ("s3://bucket/data", "train-00000.tfrecord")
    path = data_folder.unfinished_path(*place)
    assert not remote_files.is_remote(path)
    assert path != data_folder.unfinished_path(*place)
    pathlib.Path(path).write_text("half")
    data_folder.remove_unfinished("s3://bucket/other")
    assert os.path.exists(path)
    data_folder.remove_unfinished("s3://bucket/data/")
    assert not os.path.exists(path)
