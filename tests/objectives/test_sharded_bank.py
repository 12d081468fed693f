"""A bank that is divided among 2 and 4 replicas, beside a whole one and a slow twin.

All that order permits is equal to the bit.  Two things add float32 numbers in another
order: similarities, whose products of rows and embeddings are cut differently, and the
gradient, which is summed in the shards first.  They differ by some 1e-7, and TOLERANCE
is ten times that; over the steps of a run rounding grows, so STEPS_TOLERANCE is that of
`test_replicas`.
"""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from commands import run_command
from record_fixtures import write_data_set
from run_contents import numbers_in
from run_fixtures import DIM, run_config, unit_rows
from sharded_banks import (
    BATCH_SIZE,
    CASES,
    NUM_CHOSEN,
    NUM_NEAREST,
    RUNS,
    STEPS,
    chosen_rows,
)

from vie_tf.objectives import OBJECTIVES
from vie_tf.objectives.bank.bank_memory import bank_from_config
from vie_tf.objectives.bank.memory_bank import MemoryBank, random_rows
from vie_tf.objectives.bank.sharded_bank import ShardedBank
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError

TOLERANCE, STEPS_TOLERANCE = 2e-6, 2e-6
# Labels and counts, and rows that are moved and not computed with.
EXACT = ("drawn", "own", "read", "read_many", "few", "nearest", "in_clusters")
EXACT += ("new_rows", "written", "labels", "centroids", "objective", "num_relocated")
EXACT += ("labels_from_drawn_rows", "stored_by_0", "stored_by_1")
ROUNDED = ("similarities", "gradient", "nearest_similarities")
ROUNDED += ("in_clusters_similarities",)

over_replicas = pytest.mark.parametrize("replicas", [2, 4])


def run_script(*arguments):
    result = run_command("tests/fixtures/sharded_banks.py", *arguments)
    assert result.returncode == 0, result.stderr


@pytest.fixture(name="numbers", scope="module")
def fixture_numbers(tmp_path_factory):
    """What banks of two and of four replicas have computed."""
    folder = tmp_path_factory.mktemp("numbers")
    for replicas in (2, 4):
        run_script(replicas, "numbers", "unused", folder)
    return {r: dict(np.load(folder / f"numbers-{r}.npz")) for r in (2, 4)}


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """Holds a run of four replicas, and runs of two that have continued it."""
    data_dir, folder = (tmp_path_factory.mktemp(name) for name in ("data", "runs"))
    write_data_set(data_dir, num_train=11)
    run_script(4, "runs", data_dir, folder)
    for name, *_ in RUNS[2]:
        shutil.copytree(folder / "of_four", folder / name)
    run_script(2, "runs", data_dir, folder)
    return folder


def stored_rows(num_videos, dtype):
    """The rows that the banks begin with, as they hold them."""
    return tf.cast(tf.cast(unit_rows(num_videos), dtype), tf.float32).numpy()


@over_replicas
@pytest.mark.parametrize("name", EXACT)
def test_a_divided_bank_has_the_bits_of_a_whole_one(numbers, replicas, name):
    whole, divided = (
        numbers[replicas][f"{kind}/{name}"] for kind in ("whole", "sharded")
    )
    np.testing.assert_array_equal(divided, whole)


@over_replicas
@pytest.mark.parametrize("name", ROUNDED)
def test_a_divided_bank_computes_what_a_whole_one_does_up_to_rounding(
    numbers, replicas, name
):
    whole, divided = (
        numbers[replicas][f"{kind}/{name}"] for kind in ("whole", "sharded")
    )
    np.testing.assert_allclose(divided, whole, atol=TOLERANCE)


@over_replicas
def test_similarities_and_their_gradient_are_those_of_a_slow_twin(numbers, replicas):
    num_videos, _, dtype = CASES[replicas]
    rows, embeddings = stored_rows(num_videos, dtype), unit_rows(BATCH_SIZE, seed=1)
    weights = unit_rows(BATCH_SIZE, NUM_CHOSEN, seed=2)
    own, chosen = chosen_rows(num_videos)
    found = {
        name: numbers[replicas][f"sharded/{name}"]
        for name in ("similarities", "gradient", "own", "read", "read_many")
    }
    for b, embedding in enumerate(embeddings):
        wanted = [rows[row] @ embedding for row in chosen[b]]
        np.testing.assert_allclose(found["similarities"][b], wanted, atol=TOLERANCE)
        gradient = sum(w * rows[row] for w, row in zip(weights[b], chosen[b]))
        np.testing.assert_allclose(found["gradient"][b], gradient, atol=TOLERANCE)
        assert found["own"][b] == pytest.approx(rows[own[b]] @ embedding, abs=TOLERANCE)
    np.testing.assert_array_equal(found["read"], rows[own])
    np.testing.assert_array_equal(found["read_many"], rows[chosen])


@over_replicas
def test_the_nearest_rows_of_all_shards_are_found_and_never_the_padding(
    numbers, replicas
):
    num_videos, _, dtype = CASES[replicas]
    rows = stored_rows(num_videos, dtype)
    products = unit_rows(BATCH_SIZE, seed=1) @ rows.T
    wanted = np.argsort(-products, axis=1)[:, :NUM_NEAREST]
    found = numbers[replicas]["sharded/nearest"]
    np.testing.assert_array_equal(found, wanted)


@over_replicas
def test_the_rows_of_the_batch_are_written_and_no_others(numbers, replicas):
    num_videos, _, dtype = CASES[replicas]
    wanted = stored_rows(num_videos, dtype)
    old, own = wanted.copy(), chosen_rows(num_videos)[0]
    for row, embedding in zip(own, unit_rows(BATCH_SIZE, seed=1)):
        mean = 0.5 * old[row] + 0.5 * embedding
        wanted[row] = mean / np.linalg.norm(mean)  # the last appearance counts
    wanted = tf.cast(tf.cast(wanted, dtype), tf.float32)
    found = numbers[replicas]["sharded/written"]
    atol = 1e-6 if dtype == "float32" else 4e-3
    np.testing.assert_allclose(found, wanted, atol=atol)


@over_replicas
def test_the_empty_cluster_takes_over_a_row_of_any_shard(numbers, replicas):
    assert numbers[replicas]["sharded/num_relocated"] >= 1
    assert set(numbers[replicas]["sharded/labels"]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("replicas", "name"), [(r, name) for r, names in STEPS.items() for name in names]
)
def test_steps_are_those_with_a_whole_bank(numbers, replicas, name):
    own = "close_share" if name.startswith("la") else "loss_noise"
    for part in ("bank", "kernel", "loss", "similarity_to_own_row", own):
        whole, divided = (
            numbers[replicas][f"{kind}/{name}/{part}"] for kind in ("whole", "sharded")
        )
        error = np.linalg.norm(divided - whole) / np.linalg.norm(whole)
        assert error < STEPS_TOLERANCE, part


def assert_same_numbers(folder, one, other, rtol=0.0):
    one, other = (numbers_in(folder / name) for name in (one, other))
    assert one.keys() == other.keys() and one["bank/rows"].shape == (11, DIM)
    for name, wanted in one.items():
        np.testing.assert_allclose(
            other[name], wanted, rtol=rtol, atol=rtol, err_msg=name
        )


def test_a_run_of_four_replicas_goes_on_with_two_and_with_a_whole_bank(folder):
    assert numbers_in(folder / "of_four")["step"] == 3
    assert numbers_in(folder / "sharded")["step"] == 6
    assert_same_numbers(folder, "whole", "sharded", rtol=1e-5)


def test_a_run_that_stopped_goes_on_with_the_same_bits(folder):
    assert_same_numbers(folder, "sharded", "stopped")


def test_its_checkpoint_is_read_like_any_other(folder):
    stored = RunDirectory(str(folder / "sharded")).checkpoint()
    rows = stored.read_bank()
    assert stored.bank_size == 11 and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)


def test_rows_are_drawn_alike_from_any_row_on():
    rows = random_rows(101, 7, seed=3).numpy()
    for first in (1, 2, 3, 4, 60):
        drawn = random_rows(101 - first, 7, 3, first)
        np.testing.assert_array_equal(drawn, rows[first:])


def test_with_one_replica_a_divided_bank_is_a_whole_one():
    config = run_config("data", loss={"bank": "sharded"})
    bank = bank_from_config(config, np.zeros(9))
    assert type(bank) is MemoryBank and issubclass(ShardedBank, MemoryBank)


@pytest.mark.parametrize(
    ("loss", "model", "message"),
    [
        ("cmc", {"input": "lab"}, "--loss=cmc reads rows of the memory bank by the"),
        ("supervised", {}, "--loss=supervised keeps no memory bank to be divided"),
        ("rotation", {}, "--loss=rotation keeps no memory bank to be divided"),
    ],
)
def test_objectives_that_cannot_divide_a_bank_say_so(loss, model, message):
    config = run_config("data", loss={"name": loss, "bank": "sharded"}, model=model)
    with pytest.raises(UserError, match=message):
        OBJECTIVES[loss].complete_config(config)
