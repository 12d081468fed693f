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


@pytest.fixture(name="quick")
def fixture_quick(monkeypatch, data_dir):
    """Trains `GridEmbedder` with given settings."""
    from run_fixtures import run_config, use_grid_networks

    from vie_tf.training import train as training

    use_grid_networks(monkeypatch)

    def train(model_dir, **settings):
        training.train(run_config(data_dir, model_dir, log_steps=1, **settings))

    return train
