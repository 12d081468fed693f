import pytest
import tensorflow as tf
from run_fixtures import run_config

from vie_tf.models.from_config import build_model, clip_recipe, with_family_defaults
from vie_tf.storage import memory
from vie_tf.storage.errors import UserError
from vie_tf.storage.memory import Memory
from vie_tf.training import estimate
from vie_tf.training.estimate import Estimate

ONE_DEVICE = tf.distribute.get_strategy()


@pytest.fixture(name="network", scope="module")
def fixture_network():
    """A small network, and the shape of a batch of four of its clips."""
    model = with_family_defaults(run_config("data", "run")).model
    recipe = clip_recipe(model)
    size = recipe.crop_size
    return build_model(model, 0), (4, recipe.num_frames, size, size, 3)


def test_kept_bytes_are_those_of_convolutions_and_activations():
    @tf.function
    def network(images):
        features = tf.nn.conv2d(images, tf.ones([3, 3, 3, 5]), 1, "SAME")
        return tf.nn.relu(features) + 1.0  # a sum is not needed by its gradient

    spec = tf.TensorSpec([2, 8, 8, 3], tf.float32)
    graph = network.get_concrete_function(spec).graph
    assert estimate.kept_bytes(graph) == 2 * (2 * 8 * 8 * 5) * 4


def test_twice_the_batch_is_twice_the_time_and_the_kept_bytes(network, monkeypatch):
    monkeypatch.setattr(estimate, "operations_per_second", lambda dtype: 1e9)
    model, shape = network
    one = estimate.of_step(model, shape, ONE_DEVICE)
    two = estimate.of_step(model, (8, *shape[1:]), ONE_DEVICE)
    assert two.seconds == pytest.approx(2 * one.seconds)
    kept = two.num_bytes - one.num_bytes
    assert one.num_bytes > kept > 0
    assert estimate.of_step(model, shape, ONE_DEVICE).num_bytes == one.num_bytes


def test_an_estimate_changes_no_variable(network):
    model, shape = network
    before = [variable.numpy() for variable in model.variables]
    estimate.of_step(model, shape, ONE_DEVICE)
    for old, variable in zip(before, model.variables):
        assert (old == variable.numpy()).all()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.034, "0.03 s"), (7.16, "7.16 s"), (104.2, "104 s")]
)
def test_the_line_names_memory_and_time(seconds, shown):
    line = Estimate(seconds, 3.26e9).line(1000, 18e9)
    assert line.startswith(f"Estimate: 3.3 GB of memory (free: 18.0 GB), and {shown}")
    assert "for 1,000 steps" in line


@pytest.mark.parametrize(
    ("free", "total", "outcome"),
    [(9, 10, "fits"), (3, 10, "warning"), (3, 4, "error")],
)
def test_a_step_that_memory_cannot_hold_is_refused_before_it(
    free, total, outcome, network, monkeypatch, capsys
):
    found = Memory(total * 10**9, free * 10**9)
    monkeypatch.setattr(memory, "of_machine", lambda: found)
    monkeypatch.setattr(estimate, "of_step", lambda *_: Estimate(1.0, 5.2e9))
    if outcome == "error":
        with pytest.raises(UserError, match="about 5 GB of memory.* has 4 GB. Lower"):
            estimate.report(*network, ONE_DEVICE, 10)
        return
    estimate.report(*network, ONE_DEVICE, 10)
    assert ("WARNING" in capsys.readouterr().out) == (outcome == "warning")
