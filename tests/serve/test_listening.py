"""Where a server listens, and by which names it may be called."""

import socket

import pytest

from vie_tf.config.serve import ServerConfig
from vie_tf.serve.allowed_hosts import AllowedHosts
from vie_tf.serve.page_server import PageServer, warning_of
from vie_tf.serve.uploads import Uploads
from vie_tf.storage.errors import UserError


@pytest.fixture(name="uploads")
def fixture_uploads():
    with Uploads() as uploads:
        yield uploads


def test_this_machine_alone_is_answered_by_default(uploads):
    with PageServer(ServerConfig(port=0), uploads) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"
    assert warning_of("127.0.0.1") == warning_of("localhost") == warning_of("::1") == ""


def test_other_networks_are_a_warning():
    for host in ("0.0.0.0", "192.168.0.7", "::", "myhost"):
        assert "everyone" in warning_of(host)


def test_a_busy_port_is_one_line(uploads):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"--port={port} is in use"):
            PageServer(ServerConfig(port=port), uploads)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "", "a..b"])
def test_a_host_that_is_not_here_is_one_line(host, uploads):
    with pytest.raises(UserError, match="--host="):
        PageServer(ServerConfig(host=host, port=0), uploads)


def test_an_open_server_is_called_by_addresses_and_its_own_name():
    hosts = AllowedHosts.of_server("0.0.0.0")
    assert "192.168.0.7:8765" in hosts and "[fe80::1]:80" in hosts
    assert f"{socket.gethostname()}:8765" in hosts and "localhost" in hosts
    assert "evil.example" not in hosts and "192.168.0.7.evil.example" not in hosts


def test_a_closed_server_is_not_called_by_other_addresses():
    hosts = AllowedHosts.of_server("127.0.0.1")
    assert "127.0.0.1" in hosts and "192.168.0.7" not in hosts
