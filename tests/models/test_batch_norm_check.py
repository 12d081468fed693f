"""A training whose batch norm sees single values is refused."""

import pytest
import tensorflow as tf
from run_fixtures import run_config

from vie_tf.models.batch_norm_check import check_batch_norm
from vie_tf.models.from_config import build_model, with_family_defaults
from vie_tf.storage.errors import UserError
from vie_tf.training import train as training


@pytest.fixture(name="model", scope="module")
def fixture_model():
    config = run_config("data", model={"name": "3dresnet", "num_filters": 2})
    return build_model(with_family_defaults(config).model, seed=0)


def check(model, *shape):
    check_batch_norm(model, (*shape, 3), tf.distribute.get_strategy())


def test_a_clip_whose_last_maps_are_one_value_is_refused(model):
    with pytest.raises(UserError, match="single value of each channel.*--batch_size"):
        check(model, 1, 2, 32, 32)


@pytest.mark.parametrize("shape", [(2, 2, 32, 32), (1, 2, 64, 64)])
def test_two_values_are_enough(model, shape):
    check(model, *shape)


def test_a_run_of_such_clips_writes_nothing(data_dir, tmp_path):
    model = {"name": "3dresnet", "num_filters": 2}
    config = run_config(data_dir, tmp_path / "run", model=model, batch_size=1)
    with pytest.raises(UserError, match="single value of each channel"):
        training.train(config)
    assert not (tmp_path / "run" / "config.json").exists()
