"""Collections of videos that the tests of this folder share."""

import pathlib

import pytest


@pytest.fixture(name="collection", scope="session")
def fixture_collection(tmp_path_factory) -> pathlib.Path:
    """Two classes of four videos; not to be changed."""
    from conversion_fixtures import write_collection

    return write_collection(tmp_path_factory.mktemp("collection"))


@pytest.fixture(name="own_collection")
def fixture_own_collection(collection, tmp_path) -> pathlib.Path:
    """A copy that a test may change."""
    copy = tmp_path / "own"
    for path in collection.rglob("*.avi"):
        target = copy / path.relative_to(collection)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy
