"""A run that an earlier version has begun, stored in `fixtures/earlier_run`.

The code of commit 7075b2b trained `GridEmbedder` on the videos of `write_data_set`: two
steps of IR, then LA.  `checkpoints/step-4` is where it was stopped, and `after/step-8`
where that code came to later.
"""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_contents import numbers_in
from run_fixtures import run_config
from toy_networks import make_embedder, use_toy_networks

from vie_tf.training import train as training

EARLIER = pathlib.Path(__file__).parents[1] / "fixtures" / "earlier_run"
# No step depends on it, and it is not kept any more.
DROPPED = "row_ages/last_written"


@pytest.fixture(name="wanted")
def fixture_wanted():
    checkpoint = tf.train.load_checkpoint(str(EARLIER / "after" / "step-8"))
    return {
        name.replace("/.ATTRIBUTES/VARIABLE_VALUE", ""): checkpoint.get_tensor(name)
        for name in checkpoint.get_variable_to_shape_map()
        if not name.startswith(("_", "save_counter"))
    }


def test_an_earlier_run_goes_on_as_the_earlier_version_did(
    tmp_path, monkeypatch, capsys, wanted
):
    use_toy_networks(monkeypatch.setitem, make_embedder)
    write_data_set(tmp_path / "data")
    shutil.copytree(EARLIER, tmp_path / "run", ignore=shutil.ignore_patterns("after"))
    settings = {"loss": {"name": "la", "ir_steps": 2}, "log_steps": 1, "eval_steps": 4}
    training.train(
        run_config(tmp_path / "data", tmp_path / "run", train_steps=8, **settings)
    )
    assert "Going on from" in capsys.readouterr().out
    actual = numbers_in(tmp_path / "run")
    assert actual.keys() == wanted.keys() - {DROPPED}
    for name, value in actual.items():
        # Other processors round otherwise; on the same one the bits are equal.
        np.testing.assert_allclose(
            value, wanted[name], rtol=1e-3, atol=1e-5, err_msg=name
        )
