"""Batches that the workers of a tf.data service make, in processes of their own."""

import contextlib
import itertools
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from commands import start_command
from process_fixtures import wait_until
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import data_service, pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.storage.errors import UserError

pytestmark = pytest.mark.process

RECIPE = ClipRecipe(num_frames=2, frame_interval=1, crop_size=32, sampling="dense")


@contextlib.contextmanager
def process(*arguments):
    """Starts `python -m vie_tf input_service`; gives the first line that it prints."""
    files = [pathlib.Path(tempfile.mkdtemp(), name) for name in ("output", "errors")]
    child = start_command(
        *("-m", "vie_tf", "input_service", *arguments),
        output=files[0],
        errors=files[1],
    )
    try:
        wait_until(lambda: files[0].exists() and "\n" in files[0].read_text())
        yield files[0].read_text().splitlines()[0].split()
    finally:
        child.kill()
        child.join()


def test_ctrl_c_ends_a_dispatcher_well():
    command = [sys.executable, "-m", "vie_tf", "input_service", "dispatcher"]
    child = subprocess.Popen(
        [*command, "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A background job of a shell ignores SIGINT, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert child.stdout.readline().startswith("--data_service=grpc://")
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    finally:
        child.kill()
    assert (child.returncode, errors) == (0, "")


def take(data_dir, manifest, num_batches, **options):
    clips = pipeline.training_clips(
        DataConfig(data_dir, **options), manifest, RECIPE, batch_size=4, seed=0
    )
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in itertools.islice(clips, num_batches)
    ]


def test_two_workers_make_the_batches_of_a_local_run_each_once(tmp_path):
    manifest = write_data_set(tmp_path)
    local = take(str(tmp_path), manifest, 60)
    with contextlib.ExitStack() as processes:
        (service, flag) = processes.enter_context(process("dispatcher", "--port", "0"))
        assert flag == "--nodeterministic"
        address = service.partition("=")[2]
        for _ in range(2):
            worker = process("worker", "--dispatcher", address.partition("//")[2])
            processes.enter_context(worker)
        options = {"data_service": address, "deterministic": False}
        batches = take(str(tmp_path), manifest, 30, **options)
    steps = [int(batch["positions"][0]) // 4 for batch in batches]
    assert len(set(steps)) == 30
    assert max(steps) < 60  # workers do not run away from each other
    for step, batch in zip(steps, batches):
        np.testing.assert_array_equal(batch["rows"], local[step]["rows"])
        np.testing.assert_array_equal(batch["positions"], local[step]["positions"])
        # Operations of TensorFlow there, of OpenCV here.
        difference = batch["clips"].astype(int) - local[step]["clips"]
        assert np.abs(difference).mean() < 4


def test_an_address_where_nobody_answers_is_refused_at_once():
    with socket.socket() as unused:
        unused.bind(("localhost", 0))  # but nobody listens
        address = f"grpc://localhost:{unused.getsockname()[1]}"
        with pytest.raises(ValueError, match="No dispatcher answers at --data_service"):
            data_service.distribute(None, address)


@pytest.mark.parametrize("address", ["localhost:5000", "grpc://localhost", "grpc://:1"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UserError, match="--data_service="):
        data_service.distribute(None, address)
