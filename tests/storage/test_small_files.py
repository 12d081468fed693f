"""The reader of our JSON, CSV and NumPy files: whole, or one line about the damage."""

import concurrent.futures
import dataclasses
import pickle

import numpy as np
import pytest
from damage import mutations

from vie_tf.storage import small_files
from vie_tf.storage.errors import MissingFileError
from vie_tf.storage.small_files import DamagedFile

ADVICE = "Make it again."


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str
    size: int
    fps: float


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not valid JSON"),
        (b"{", "it is not valid JSON"),
        (b"\xff\xfe{\x00}\x00", "it is not UTF-8 text"),
        (b"[" * 100_000, "it is not valid JSON"),
        (b"9" * 5000, "it is not valid JSON|it holds of the type int"),
        (b"[]", "it holds of the type list, not an object"),
        (b'{"size": 1}', "'name' is missing"),
        (b'{"name": 5, "size": 1}', "name is of the type int, not str"),
        (b'{"name": "a", "size": true}', "size is of the type bool, not int"),
    ],
)
def test_json_that_was_not_written_so_is_one_line(tmp_path, content, reason):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=reason) as caught:
        small_files.read_object(str(path), {"name": "str", "size": "int"}, ADVICE)
    assert str(caught.value).startswith(f"{path} is damaged: ")
    assert str(caught.value).endswith(ADVICE)
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    for read in (small_files.read_json, small_files.read_arrays):
        with pytest.raises(MissingFileError):
            read(str(tmp_path / "nothing"), ADVICE)


def test_entries_have_all_fields_with_their_types():
    good = {"name": "a", "size": 1, "fps": 25}
    assert small_files.entries_of(Entry, [good]) == (Entry("a", 1, 25),)
    for bad in (
        *(None, {}, [None], [[]], [{"name": "a"}], [{**good, "more": 1}]),
        *([{**good, "size": 1.0}], [{**good, "name": None}], [{**good, "fps": "25"}]),
    ):
        with pytest.raises(TypeError):
            small_files.entries_of(Entry, bad)


@pytest.mark.parametrize("name", ["a.tfrecord", "train-00000.tfrecord", "ä b=[1].npy"])
def test_a_plain_name_stays_in_its_folder(name):
    small_files.check_plain_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "a\0b", "a\nb", 5, None],
)
def test_a_path_is_not_a_plain_name(name):
    with pytest.raises(ValueError, match="not the plain name of a file"):
        small_files.check_plain_name(name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "columns are not a, b"),
        (b"a,c\n", "columns are not a, b"),
        (b"a,b\n1\n", "row 1 has 1 of 2 cells"),
        (b'a,b\n1,"2\n', "unexpected end of data"),
        (b"a,b\n\xff,2\n", "not UTF-8"),
    ],
)
def test_a_table_that_was_not_written_so_is_one_line(tmp_path, content, reason):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DamagedFile, match=reason):
        small_files.read_csv(str(tmp_path / "x.csv"), ("a", "b"), ADVICE)


def test_arrays_are_read_as_numpy_wrote_them(tmp_path):
    path = str(tmp_path / "x.npz")
    written = {
        "ids": np.arange(5),
        "bytes": np.array(7),
        "sums": np.array([2**32 - 1], np.uint32),
        "none": np.zeros((0, 3), np.float32),
    }
    np.savez(path, **written)
    for name, array in small_files.read_arrays(path, ADVICE).items():
        np.testing.assert_array_equal(array, written[name])
        assert array.dtype == written[name].dtype
    for array in written.values():
        np.save(tmp_path / "x.npy", array)
        mapped = small_files.map_array(str(tmp_path / "x.npy"), ADVICE)
        np.testing.assert_array_equal(mapped, array)


def test_no_mutation_of_an_array_is_anything_but_the_same_or_one_line(tmp_path):
    path, alone = tmp_path / "x.npz", tmp_path / "x.npy"
    array = np.arange(40, dtype=np.int64)
    np.savez(path, array=array)
    np.save(alone, array)
    found = 0
    for changed in mutations(path.read_bytes()):
        path.write_bytes(changed)
        try:
            arrays = small_files.read_arrays(str(path), ADVICE)
        except DamagedFile as error:
            assert "\n" not in str(error)
            found += 1
        else:
            for values in arrays.values():
                np.testing.assert_array_equal(values, array)
    assert found > 150
    for changed in mutations(alone.read_bytes()):
        alone.write_bytes(changed)
        try:  # its numbers have no checksum of their own
            assert small_files.map_array(str(alone), ADVICE).nbytes <= len(changed)
        except DamagedFile as error:
            assert "\n" not in str(error)


def test_arrays_can_be_read_in_many_threads(tmp_path):
    path = str(tmp_path / "x.npz")
    np.savez(path, array=np.arange(9))
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        for number in threads.map(
            lambda _: small_files.read_arrays(path, ADVICE)["array"].sum(), range(200)
        ):
            assert number == 36
