"""Order prediction: its classes, what is learned, and that nothing else tells."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import growing_squares, learn, noise_clips, tiny_run
from run_fixtures import run_config

from vie_tf.config import DataConfig
from vie_tf.objectives.instance_recognition import InstanceRecognition
from vie_tf.objectives.pretexts.order import ORDERS, Order
from vie_tf.storage.errors import UserError

FRAMES = {"name": "alexnet", "num_filters": 16}
STEP = tf.constant(0, tf.int64)


def order_run(**train):
    return tiny_run("order", model=FRAMES, **train)


def test_every_order_is_a_class_together_with_its_reverse():
    both = [order[::direction] for order in ORDERS for direction in (1, -1)]
    assert len(ORDERS) == 12
    assert sorted(both) == sorted(itertools.permutations(range(4)))


def test_a_run_has_four_frames_that_are_jittered_one_by_one():
    config = run_config("data", model={"name": "single", "num_frames": None})
    config = Order.complete_config(config)
    assert (config.model.num_frames, config.data.frame_jitter) == (4, 5)
    assert config.data.motion_windows == 4
    assert not config.model.has_head


def test_the_loss_is_that_of_a_loop_over_orders():
    _, state = order_run()
    conv5 = np.random.default_rng(1).normal(size=(3, 4, 2, 2, 64)).astype("f")
    loss, parts = state.objective.loss({"conv5": tf.constant(conv5)}, {}, STEP)
    head = state.objective.head
    (pair, pair_bias), (last, last_bias) = (
        layer.get_weights() for layer in (head.pair, head.order)
    )
    frames = conv5.mean(axis=(2, 3))
    for video in range(3):
        own, right = [], []
        for target, order in enumerate(ORDERS):
            for given in (order, order[::-1]):
                pairs = [
                    np.concatenate([frames[video, a], frames[video, b]])
                    for a, b in itertools.combinations(given, 2)
                ]
                compared = np.maximum(np.array(pairs) @ pair + pair_bias, 0)
                logits = compared.ravel() @ last + last_bias
                own.append(np.log(np.exp(logits).sum()) - logits[target])
                right.append(logits.argmax() == target)
        assert float(loss[video]) == pytest.approx(np.mean(own), rel=1e-4)
        assert float(parts["accuracy"][video]) == pytest.approx(np.mean(right))


def test_pairs_have_512_units_and_share_their_weights():
    _, state = order_run()
    shapes = [tuple(one.shape) for one in state.objective.trained_variables()]
    assert shapes == [(2 * 64, 512), (512,), (6 * 512, 12), (12,)]


def test_the_order_of_growth_is_learned():
    config, state = order_run()
    accuracy = learn(config, state, growing_squares, 60)["accuracy"]
    assert accuracy[0] < 0.3
    assert accuracy[-10:].mean() > 0.5  # by chance 0.083


def test_frames_of_noise_have_no_order():
    """The place of a frame in the clip or in the batch would tell it."""
    config, state = order_run()
    accuracy = learn(config, state, noise_clips, 30)["accuracy"]
    # 24 orders of 320 clips; those of a clip depend on each other.
    assert accuracy[-20:].mean() == pytest.approx(1 / 12, abs=0.02)


@pytest.mark.parametrize("num_frames", [3, 8])
def test_another_number_of_frames_is_refused(num_frames):
    config = run_config(
        *("data",),
        model={"name": "single", "num_frames": num_frames},
        loss={"name": "order"},
    )
    with pytest.raises(UserError, match=f"order of 4 frames, not of {num_frames}"):
        Order.complete_config(config)


def test_a_static_video_has_no_order():
    config = run_config("data", model={"name": "single", "num_frames": None})
    still = type(config)(
        **{**vars(config), "data": DataConfig("data", static_video=True)}
    )
    with pytest.raises(UserError, match="--static_video .* leave it out"):
        Order.complete_config(still)


def with_data(**settings):
    config = run_config("data", model={"name": "single", "num_frames": None})
    return type(config)(**{**vars(config), "data": DataConfig("data", **settings)})


def test_a_data_service_draws_windows_evenly():
    config = Order.complete_config(with_data(data_service="grpc://host:1"))
    assert config.data.motion_windows == 1
    asked = with_data(data_service="grpc://host:1", motion_windows=2)
    with pytest.raises(UserError, match="--motion_windows=2 .* a tf.data service"):
        Order.complete_config(asked)


def test_other_objectives_draw_windows_evenly():
    with pytest.raises(UserError, match="is for --loss=order, not for --loss=ir"):
        InstanceRecognition.complete_config(with_data(motion_windows=2))
