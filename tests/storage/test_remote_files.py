import socket
import sys
import types

import pytest

from vie_tf.storage import files, remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, is_data_set


def test_an_address_is_absolute_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert remote_files.absolute("gs://bucket/run") == "gs://bucket/run"
    assert remote_files.absolute("run") == str(tmp_path / "run")


def test_a_local_path_needs_no_tensorflow_io(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)  # an import would raise
    remote_files.connect("DATA")


def test_s3_without_tensorflow_io_says_which_versions_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    with pytest.raises(UserError, match="2.17.*Python 3.9 to 3.11"):
        remote_files.connect("s3://bucket/data")


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_server_that_is_not_there_is_said_at_once(monkeypatch, scheme):
    monkeypatch.setitem(sys.modules, "tensorflow_io", types.ModuleType("tensorflow_io"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
        remote_files._find_server(endpoint)
    remote_files._find_server.cache_clear()
    monkeypatch.setenv("S3_ENDPOINT", endpoint)
    with pytest.raises(UserError, match=f"{endpoint} .*refused.*S3_ENDPOINT"):
        remote_files.connect("s3://bucket/data")


def test_without_a_network_amazons_server_is_not_found(monkeypatch):
    def fail(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    remote_files._find_server.cache_clear()
    with pytest.raises(UserError, match="s3.amazonaws.com .*not known"):
        remote_files._find_server("")


@pytest.mark.parametrize("address", ["ftp://host/data", "s3://", "file:///data"])
def test_an_address_that_cannot_be_used_is_refused(address):
    with pytest.raises(UserError, match="s3://BUCKET/FOLDER"):
        remote_files.connect(address)


@pytest.mark.parametrize(
    "open_path",
    [
        files.exists,
        files.is_folder,
        files.names_in,
        files.read_bytes,
        files.size_of,
        files.make_folder,
        files.remove,
        is_data_set,
        Manifest.load,
        lambda path: files.write_atomically(path, ""),
        lambda path: files.copy("here", path),
        lambda path: files.publish("here", path),
    ],
)
def test_everything_that_opens_a_path_connects_it(monkeypatch, open_path):
    connected = []

    class Connected(Exception):
        pass

    def connect(path):
        connected.append(path)
        if path.startswith("s3://"):
            raise Connected

    monkeypatch.setattr(remote_files, "connect", connect)
    with pytest.raises(Connected):
        open_path("s3://bucket/folder")
    assert connected[-1].startswith("s3://bucket/folder")
