"""What objectives do between steps, and what checkpoints hold of them."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import grid_state, run_config, unit_rows

from vie_tf.config import LossConfig, settings_of
from vie_tf.objectives import OBJECTIVES
from vie_tf.objectives.supervised import Supervised
from vie_tf.storage.errors import UserError

NUM_VIDEOS = 10  # so an epoch has three steps
BANK = {"bank", "ir_accuracy"}
CLUSTERS = {"cluster_labels", "cluster_centroids", "clustered_at"}


def complete_config(name):
    return run_config("data", loss={"name": name})


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        *(("ir", BANK), ("la", BANK | CLUSTERS), ("supervised", set())),
        *(("rotation", {"head"}), ("order", {"head"}), ("cmc", BANK)),
    ],
)
def test_a_checkpoint_holds_the_variables_of_the_objective(name, keys):
    config = complete_config(name)
    objective = OBJECTIVES[name].from_config(config, np.zeros(NUM_VIDEOS))
    assert objective.checkpoint().keys() == keys
    assert objective.recomputed().keys() == keys & CLUSTERS
    assert (objective.bank is None) == ("bank" not in keys)


def test_the_command_line_offers_every_objective():
    assert settings_of(LossConfig)["name"].choices == tuple(OBJECTIVES)


def test_local_aggregation_begins_with_instance_recognition():
    objective = grid_state(np.zeros(NUM_VIDEOS), ir_steps=5).objective
    first = [objective.at(steps_taken) for steps_taken in range(7)]
    assert first == 5 * [objective.first] + 2 * [objective]
    assert objective.first.bank is objective.bank


def test_the_bank_is_clustered_before_the_first_step_of_la_and_once_in_an_epoch():
    objective = grid_state(np.zeros(NUM_VIDEOS), num_clusters=3).objective
    objective.bank.rows.assign(unit_rows(NUM_VIDEOS))
    found = [objective.before_step(steps_taken) for steps_taken in range(4, 9)]
    assert [len(clusterings) for clusterings in found] == [1, 0, 0, 1, 0]
    first, second = found[0][0], found[3][0]
    assert first.previous_labels is None
    np.testing.assert_array_equal(second.previous_labels, first.labels)
    np.testing.assert_array_equal(objective.cluster_labels[0], second.labels)
    objective.recompute()
    assert objective.before_step(8)[0].previous_labels is None


def test_settings_that_are_not_of_la_do_not_matter_to_ir():
    loss = dataclasses.replace(complete_config("ir").loss, la_num_clusters=99)
    assert OBJECTIVES["ir"].complete(loss, NUM_VIDEOS) == loss
    with pytest.raises(UserError, match="--la_num_clusters=99 .* 10 training videos"):
        OBJECTIVES["la"].complete(loss, NUM_VIDEOS)


def test_the_losses_of_several_heads_add_up():
    class TwoHeads(Supervised):
        def logits(self, endpoints, step):
            return endpoints

    rng = np.random.default_rng(0)
    logits = {name: tf.constant(rng.normal(size=[4, 3])) for name in ("a", "b")}
    batch = {"labels": tf.constant([0, 2, 1, 0], tf.int64)}
    step = tf.constant(0, tf.int64)
    alone = [Supervised().loss({"logits": logits[n]}, batch, step) for n in logits]
    total, parts = TwoHeads().loss(logits, batch, step)
    np.testing.assert_allclose(total, alone[0][0] + alone[1][0])
    assert list(parts) == ["a_loss", "a_accuracy", "b_loss", "b_accuracy"]
    np.testing.assert_array_equal(parts["b_accuracy"], alone[1][1]["accuracy"])
