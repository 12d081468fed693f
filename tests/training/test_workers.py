import json

import pytest

from vie_tf.training.workers import WorkerAddresses, from_environment

TWO = {"worker": ["a:1", "b:2"]}


def tf_config(cluster, kind="worker", index=0):
    return {
        "TF_CONFIG": json.dumps(
            {"cluster": cluster, "task": {"type": kind, "index": index}}
        )
    }


def slurm(hosts, tasks, number):
    return {
        "SLURM_PROCID": str(number),
        "SLURM_STEP_NODELIST": hosts,
        "SLURM_STEP_TASKS_PER_NODE": tasks,
    }


def test_tf_config_names_the_workers_and_this_one():
    workers = from_environment(tf_config(TWO, index=1))
    assert workers == WorkerAddresses(("a:1", "b:2"), 1)


def test_a_chief_is_worker_0():
    cluster = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    wanted = ("a:1", "b:2", "c:3")
    assert from_environment(tf_config(cluster, "chief")) == WorkerAddresses(wanted, 0)
    assert from_environment(tf_config(cluster, index=1)) == WorkerAddresses(wanted, 2)


@pytest.mark.parametrize(
    ("hosts", "tasks", "number", "own"),
    [
        ("n[2-3],n10", "1(x3)", 2, "n10:8888"),  # not in the order of the alphabet
        ("gpu07", "4", 3, "gpu07:8891"),
        ("a[01-02]", "2,1", 1, "a01:8889"),
        ("a[01-02]", "2,1", 2, "a02:8888"),
    ],
)
def test_task_n_of_slurm_is_worker_n(hosts, tasks, number, own):
    workers = from_environment(slurm(hosts, tasks, number))
    assert workers.number == number
    assert workers.addresses[number] == own


def test_tf_config_goes_before_slurm():
    environment = {**tf_config(TWO), **slurm("n1", "1", 0)}
    assert from_environment(environment).addresses == ("a:1", "b:2")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "set TF_CONFIG for each"),
        ({"TF_CONFIG": "{worker"}, "TF_CONFIG is no JSON"),
        ({"TF_CONFIG": "[1]"}, "lacks its cluster or its task"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}}'}, "lacks its cluster or"),
        (tf_config(TWO, index=2), "has 2 of the job worker, but .* number 2 of them"),
        (tf_config(TWO, kind="ps"), "makes this process a ps: only workers"),
        (tf_config({**TWO, "ps": ["c:3"]}), "has the jobs ps, worker"),
        (tf_config({"worker": ["a:1", "a:1"]}), "give every worker a HOST:PORT"),
        (tf_config({"worker": ["a", "b:x"]}), "give every worker a HOST:PORT"),
        (slurm("n[1-2]", "2", 0), "2 machines, but tasks of 1"),
        (slurm("n[1-2", "1(x2)", 0), "Slurm.*n\\[1-2"),
        (slurm("n1", "1", 1), "SLURM_PROCID=1"),
    ],
)
def test_what_names_no_workers_is_refused_in_a_line(environment, message):
    with pytest.raises(ValueError, match=message) as caught:
        from_environment(environment)
    assert "\n" not in str(caught.value)
