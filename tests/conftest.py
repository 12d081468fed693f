"""Fixtures of more than one file.

They import what they use: pytest does not listen to this file, and TensorFlow prints a
page on its devices when it is imported.
"""

import pytest


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    """Ten training and four validation videos of two classes."""
    from record_fixtures import write_data_set

    data_dir = tmp_path_factory.mktemp("data")
    write_data_set(data_dir)
    return data_dir


@pytest.fixture(name="toy_networks", scope="module")
def fixture_toy_networks():
    """Networks whose graphs are made in a second, under the names of real ones."""
    from toy_networks import use_toy_networks

    with pytest.MonkeyPatch.context() as patch:
        use_toy_networks(patch.setitem)
        yield


@pytest.fixture(name="toy_runs")
def fixture_toy_runs(monkeypatch):
    """`toy_networks` for a single test."""
    from toy_networks import use_toy_networks

    use_toy_networks(monkeypatch.setitem)


@pytest.fixture(name="quick")
def fixture_quick(monkeypatch, data_dir):
    """Trains `GridEmbedder` with given settings."""
    from run_fixtures import run_config
    from toy_networks import make_embedder, use_toy_networks

    from vie_tf.training import train as training

    use_toy_networks(monkeypatch.setitem, make_embedder)

    def train(model_dir, **settings):
        training.train(run_config(data_dir, model_dir, log_steps=1, **settings))

    return train


def pytest_configure(config):
    """Declares the marker of tests that start processes."""
    config.addinivalue_line("markers", "process: starts processes")


def pytest_collection_modifyitems(items):
    """Marks all tests of end_to_end, and puts files with marked tests last."""
    for item in items:
        if item.path.parent.name == "end_to_end":
            item.add_marker("process")
    files = {item.path for item in items if item.get_closest_marker("process")}
    items.sort(key=lambda item: item.path in files)
