import pathlib
import re

import numpy as np
import pytest

from vie_tf.monitoring import alarms as health
from vie_tf.monitoring import statistics
from vie_tf.monitoring.tensorboard import Summaries


def names(alarms):
    for alarm in alarms:
        assert "\n" not in alarm.message
        assert len(alarm.message) > 60  # what, why, and what to change
    return [alarm.name for alarm in alarms]


def clusters(sizes, old_labels=None):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return statistics.cluster_statistics(labels, len(sizes), old_labels)


def test_equal_clusters_have_the_largest_entropy():
    equal = clusters([5, 5, 5, 5])
    assert equal.entropy == pytest.approx(1.0)
    assert equal.perplexity == pytest.approx(4.0)
    assert equal.num_empty == 0


def test_the_perplexity_counts_clusters_that_matter():
    # Two equal clusters of four: entropy log 2 of log 4.
    half = clusters([6, 6, 0, 0])
    assert half.entropy == pytest.approx(0.5)
    assert half.perplexity == pytest.approx(2.0)
    assert half.num_empty == 2
    # By hand: shares 3/4 and 1/4, exp(0.75 log(4/3) + 0.25 log 4) = 1.7548.
    assert clusters([3, 1]).perplexity == pytest.approx(1.7548, abs=1e-4)


def test_the_share_of_new_labels_is_that_of_the_videos_that_changed_cluster():
    assert clusters([2, 2]).changed_share is None
    changed = clusters([2, 2], old_labels=np.array([0, 1, 1, 1]))  # now 0 0 1 1
    assert changed.changed_share == 0.25
    assert changed.scalars()["changed_share"] == 0.25
    assert "25%" in changed.describe()


def test_a_single_cluster_is_even():
    alone = clusters([7])
    assert alone.entropy == 1.0
    assert health.cluster_alarms(alone) == []


@pytest.mark.parametrize("sizes", [[30] * 20, [1] * 50, list(range(1, 100)), [9, 0]])
def test_healthy_clusters_raise_no_alarm(sizes):
    assert health.cluster_alarms(clusters(sizes)) == []


def test_clusters_most_of_which_are_empty_raise_an_alarm():
    alarms = health.cluster_alarms(clusters([5, 5, 5, 5, 0, 0, 0, 0, 0]))
    assert names(alarms) == ["empty_clusters"]
    assert "5 of 9" in alarms[0].message and "--la_num_clusters" in alarms[0].message


def test_one_cluster_that_has_nearly_all_videos_raises_an_alarm():
    alarms = health.cluster_alarms(clusters([9000] + [1] * 99))
    assert names(alarms) == ["uneven_clusters"]
    assert "9000 of 9099" in alarms[0].message and "--ir_steps" in alarms[0].message


@pytest.mark.parametrize(
    ("close_share", "wanted"),
    [
        (0.0, ["nothing_close"]),
        (1 / 512, ["nothing_close"]),  # the video's own row alone
        (30 / 512, []),  # all 30 videos of one of the paper's clusters
        (0.5, []),
        (0.9, []),
        (0.97, ["all_close"]),
        (1.0, ["all_close"]),
    ],
)
def test_a_close_share_near_its_ends_raises_an_alarm(close_share, wanted):
    alarms = health.close_share_alarms(close_share, 512, 8000)
    assert names(alarms) == wanted
    for alarm in alarms:
        assert "--la_num_background=512, --la_num_clusters=8000" in alarm.message


def test_a_larger_background_does_not_make_the_papers_close_share_an_alarm():
    assert health.close_share_alarms(20 / 4096, 4096, 8000) == []


@pytest.mark.parametrize(
    ("scalars", "wanted"),
    [
        ({"similarity_between_videos": 0.99}, ["collapsed_embeddings"]),
        ({"similarity_between_videos": 0.6}, []),
        ({"similarity_between_videos": -0.1}, []),
        ({"loss": 3.0}, []),
    ],
)
def test_embeddings_that_fall_onto_one_point_raise_an_alarm(scalars, wanted):
    assert names(health.embedding_alarms(scalars)) == wanted


def test_alignment_is_the_squared_distance_to_the_own_row():
    row, embedding = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    wanted = np.sum((row - embedding) ** 2)
    assert statistics.alignment(row @ embedding) == pytest.approx(wanted)


def test_uniformity_is_that_of_the_slow_formula():
    rows = np.random.default_rng(0).normal(size=(2, 2000, 128))
    left, right = rows / np.linalg.norm(rows, axis=2, keepdims=True)
    slow = [np.exp(-2 * np.sum((x - y) ** 2)) for x, y in zip(left, right)]
    ours = statistics.uniformity(np.sum(left * right, axis=1))
    assert ours == pytest.approx(np.log(np.mean(slow)))
    assert ours == pytest.approx(-3.9, abs=0.1)


def test_rows_that_coincide_raise_an_alarm():
    same = statistics.uniformity(np.full(10, 0.99))
    assert names(health.bank_alarms(same)) == ["collapsed_bank"]
    assert health.bank_alarms(statistics.uniformity(np.full(10, 0.8))) == []
    assert health.bank_alarms(-3.9) == []


@pytest.mark.parametrize(
    ("la", "ir", "num_queries", "wanted"),
    [
        (0.30, 0.25, 19_000, []),
        (0.245, 0.25, 19_000, []),  # within a percent
        (0.22, 0.25, 19_000, ["knn_below_ir"]),
        (0.80, 0.90, 120, []),  # within the chance of 120 queries
        (0.70, 0.90, 120, ["knn_below_ir"]),
        (0.40, 0.60, 18, []),
        (0.0, 0.0, 18, []),
    ],
)
def test_a_clear_loss_of_what_ir_had_learned_raises_an_alarm(
    la, ir, num_queries, wanted
):
    assert names(health.knn_alarms(la, ir, num_queries)) == wanted


def test_chance_alone_hardly_ever_raises_the_alarm_of_a_lost_accuracy():
    rng = np.random.default_rng(0)
    for num_queries, accuracy in ((18, 0.5), (120, 0.9), (19_000, 0.25)):
        drawn = rng.binomial(num_queries, accuracy, [1000, 2]) / num_queries
        told = sum(bool(health.knn_alarms(*pair, num_queries)) for pair in drawn)
        assert told < 10


@pytest.mark.parametrize(("share", "wanted"), [(0.4, []), (0.7, ["input_bound"])])
def test_waiting_for_more_than_half_of_the_time_raises_an_alarm(share, wanted):
    assert names(health.input_alarms(share)) == wanted


def test_every_alarm_is_explained():
    root = pathlib.Path(__file__).parents[2]
    code = (root / "vie_tf" / "monitoring" / "alarms.py").read_text()
    known = re.findall(r'Alarm\(\s*"(\w+)"', code)
    assert len(known) == 11
    page = (root / "docs" / "watching_a_run.md").read_text()
    for name in known:
        assert f"| `{name}` |" in page


def test_an_alarm_that_comes_and_goes_is_told_again_after_ten_quiet_looks(
    tmp_path, capsys
):
    summaries, alarm = Summaries(str(tmp_path)), health.Alarm("name", "message")
    for step in range(1, 31):
        is_on = step in (1, 2, 4, 13, 30)  # quiet for one look, eight and sixteen
        summaries.alarms("train", [alarm] if is_on else [], step)
    summaries.alarms("bank", [alarm], 31)
    told = capsys.readouterr().out.splitlines()
    assert told == [f"ALARM at step {step}, name: message" for step in (1, 30, 31)]


@pytest.mark.parametrize(
    ("loss", "first", "raises"),
    [
        (6e19, 30.0, True),
        (6e19, 6e19, True),  # the first that is logged may be far out already
        (301.0, 30.0, True),
        (299.0, 30.0, False),
        (90.0, 0.5, False),  # a run that goes on from a low loss
        (9000.0, 5000.0, False),  # IR of a small collection with the paper's normalizer
    ],
)
def test_a_loss_far_above_its_start_raises_an_alarm(loss, first, raises):
    found = health.loss_alarms(loss, first)
    assert [alarm.name for alarm in found] == ["loss_out_of_range"] * raises
