import sys

import pytest

from vie_tf.storage import memory

GB = 2**30


def meminfo(folder, **kilobytes):
    path = folder / "meminfo"
    lines = [f"{name}: {value} kB\n" for name, value in kilobytes.items()]
    path.write_text("".join(lines))
    return str(path)


def cgroup(folder, limit, usage, inactive=0):
    for name, content in (
        ("memory.max", limit),
        ("memory.current", usage),
        ("memory.stat", f"anon 5\ninactive_file {inactive}"),
    ):
        (folder / name).write_text(f"{content}\n")
    return ((str(folder / "memory.max"), str(folder / "memory.current")),)


def test_memory_is_that_of_the_machine_without_a_container(tmp_path):
    path = meminfo(tmp_path, MemTotal=4 * 2**20, MemAvailable=2**20, SwapTotal=2**20)
    assert memory.of_machine(path, ()) == (5 * GB, GB)
    unlimited = cgroup(tmp_path, "max", 3 * GB)
    assert memory.of_machine(path, unlimited) == (5 * GB, GB)


def test_the_limit_of_a_container_counts_without_files_that_make_room(tmp_path):
    path = meminfo(tmp_path, MemTotal=64 * 2**20, MemAvailable=60 * 2**20)
    limited = cgroup(tmp_path, 8 * GB, 5 * GB, inactive=2 * GB)
    assert memory.of_machine(path, limited) == (8 * GB, 5 * GB)


def test_memory_is_not_known_where_the_system_does_not_say(tmp_path):
    assert memory.of_machine(str(tmp_path / "none"), ()) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads files of Linux")
def test_memory_of_this_machine_is_plausible():
    found = memory.of_machine()
    assert found is not None
    assert 2**26 < found.free <= found.total
