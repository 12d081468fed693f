import numpy as np
import pytest
import tensorflow as tf
from commands import run_command
from record_fixtures import write_data_set
from two_replicas import STEPS

from vie_tf.runs.run_directory import RunDirectory

pytestmark = pytest.mark.process


def difference(two, one):
    """Norm of the difference over the norm: what rounding does, a few 1e-7."""
    one, two = np.asarray(one, np.float64), np.asarray(two, np.float64)
    assert one.shape == two.shape and np.any(one)
    return np.linalg.norm(two - one) / np.linalg.norm(one)


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """What `two_replicas` has written."""
    data_dir, folder = (tmp_path_factory.mktemp(name) for name in ("data", "results"))
    write_data_set(data_dir)
    result = run_command("tests/fixtures/two_replicas.py", data_dir, folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(name="steps")
def fixture_steps(folder):
    return np.load(folder / "steps.npz")


@pytest.mark.parametrize("loss", STEPS)
def test_all_replicas_hold_the_same_bank_and_weights(steps, loss):
    for name in ("bank", "kernel", "accumulator", "steps"):
        copies = steps[f"{loss}/{name}/2"]
        assert len(copies) == 2
        np.testing.assert_array_equal(copies[0], copies[1], err_msg=name)


@pytest.mark.parametrize("loss", STEPS)
def test_two_replicas_write_the_bank_that_one_writes(steps, loss):
    assert difference(steps[f"{loss}/bank/2"][0], steps[f"{loss}/bank/1"][0]) < 2e-6
    assert list(steps[f"{loss}/steps/2"]) == [20, 20]


@pytest.mark.parametrize("loss", STEPS)
def test_two_replicas_take_the_step_that_one_takes(steps, loss):
    for name in ("kernel", "accumulator"):
        one, two = steps[f"{loss}/{name}/1"][0], steps[f"{loss}/{name}/2"][0]
        assert difference(two, one) < 2e-6, name


@pytest.mark.parametrize("loss", STEPS)
def test_two_replicas_report_the_loss_that_one_reports(steps, loss):
    parts = ["close_share"] if loss == "la" else ["loss_data", "loss_noise"]
    shared = ["weight_decay", "similarity_to_own_row", "similarity_between_videos"]
    for name in ("loss", *shared, *parts):
        one, two = steps[f"{loss}/{name}/1"], steps[f"{loss}/{name}/2"]
        assert len(one) == 20
        # A part near zero is a mean of logarithms that are rounded at 1: 6e-8.
        np.testing.assert_allclose(two, one, rtol=5e-6, atol=6e-8, err_msg=name)


@pytest.mark.parametrize("loss", STEPS)
def test_two_replicas_report_the_standard_deviation_that_one_reports(steps, loss):
    one, two = (steps[f"{loss}/embedding_std/{r}"] for r in (1, 2))
    # At most 0.25.  Rounding of 1 - |mean|^2 shows where embeddings nearly coincide.
    np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-4)
    assert max(one) > 0.01


def test_the_normalizer_of_a_batch_is_another_than_the_authors(steps):
    ours, theirs = steps["ir_of_batch_normalizer/loss/2"], steps["ir/loss/2"]
    assert np.all(np.abs(ours - theirs) > 0.01 * theirs)


@pytest.mark.parametrize("name", ["losses", "gradients", "bank", "weights"])
@pytest.mark.parametrize("network", ["frozen", "synchronized"])
def test_with_batch_norm_frozen_or_synchronized_steps_are_those_of_one_replica(
    steps, network, name
):
    one, two = (steps[f"{network}/{name}/{r}"] for r in (1, 2))
    assert len(steps[f"{network}/losses/1"]) == 20
    assert difference(two, one) < 1e-5


@pytest.mark.parametrize(
    ("name", "bound"),
    # A ReLU whose input is rounded to the other side of 0 changes the gradient by a
    # percent; with statistics of each replica's own clips it differs by 1.
    [("losses", 1e-5), ("bank", 1e-4), ("gradients", 0.05)],
)
def test_a_resnet_with_synchronized_batch_norm_takes_the_step_of_one_replica(
    steps, name, bound
):
    one, two = (steps[f"synchronized_resnet/{name}/{r}"] for r in (1, 2))
    assert difference(two, one) < bound


@pytest.mark.parametrize("searched", [None, 2])
@pytest.mark.parametrize("num_rows", [5, 301])
def test_two_replicas_share_k_means_and_find_the_clusters_of_one(
    steps, num_rows, searched
):
    for name in ("labels", "centroids"):
        clusters = f"clusters_of_{num_rows}/{searched}/{name}"
        one, two = (steps[f"{clusters}/{r}"] for r in (1, 2))
        assert difference(two, one) < 2e-6, name


def test_two_replicas_train_the_probes_that_one_trains(steps, folder):
    assert difference(steps["probes/2"], steps["probes/1"]) < 5e-6
    tuned = RunDirectory(str(folder / "labels_2" / "eval" / "finetune"))
    assert tuned.latest().endswith("step-6")


def test_a_batch_that_cannot_be_divided_is_refused(steps):
    assert str(steps["error"]).startswith(
        "--batch_size=3 cannot be divided among 2 devices: give a multiple"
    )


def test_a_whole_run_on_two_replicas_ends_like_one_on_one(folder):
    one, two = (
        tf.train.load_checkpoint(RunDirectory(str(folder / name)).latest())
        for name in ("grid_1", "grid_2")
    )
    for name in ("bank/rows", "model/dense/kernel", "step"):
        key = f"{name}/.ATTRIBUTES/VARIABLE_VALUE"
        assert difference(two.get_tensor(key), one.get_tensor(key)) < 2e-6, name


def test_a_network_with_batch_norm_trains_on_two_replicas(folder):
    directory = RunDirectory(str(folder / "normalized"))
    assert directory.latest().endswith("step-1")
    assert np.all(np.isfinite(directory.checkpoint().read_bank()))
