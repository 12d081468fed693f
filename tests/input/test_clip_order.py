import itertools

import pytest
import tensorflow as tf

from vie_tf.input.clip_order import ClipOrder, ClipShard, Purpose, random_seed


def take(dataset, count):
    elements = itertools.islice(dataset.as_numpy_iterator(), count)
    return [(int(e["position"]), int(e["video"])) for e in elements]


@pytest.mark.parametrize("start", [0, 3, 5, 12])
def test_positions_go_on_from_any_start(start):
    order = ClipOrder(num_videos=5, seed=0)
    whole = take(order.positions(0), 20)
    assert [position for position, _ in whole] == list(range(20))
    assert take(order.positions(start), 20 - start) == whole[start:]
    for position, video in whole:
        assert int(order.video_at(tf.constant(position, tf.int64))) == video


@pytest.mark.parametrize("batch_size", [1, 4, 12])  # 12: more than two epochs
def test_whole_steps_have_the_same_order(batch_size):
    order = ClipOrder(num_videos=5, seed=0)
    wanted = take(order.positions(0), 36)
    assert take(order.positions_by_step(0, batch_size), 36) == wanted
    start = 2 * batch_size
    rest = take(order.positions_by_step(start, batch_size), 36 - start)
    assert rest == wanted[start:]


def test_an_epoch_is_a_permutation_of_its_own():
    order = ClipOrder(num_videos=50, seed=0)
    first, second = (order.epoch(tf.constant(n, tf.int64)) for n in (0, 1))
    assert sorted(first.numpy()) == sorted(second.numpy()) == list(range(50))
    assert first.numpy().tolist() != second.numpy().tolist()


def test_every_bin_is_shown_once_in_as_many_epochs():
    order = ClipOrder(num_videos=5, seed=0)
    positions = tf.range(0, 40, 5, dtype=tf.int64)  # one of each epoch
    video_id, num_bins = tf.constant(7, tf.int64), tf.constant(4, tf.int64)
    bins = [int(order.bin_at(position, video_id, num_bins)) for position in positions]
    assert sorted(bins[:4]) == sorted(bins[4:]) == [0, 1, 2, 3]


def test_seeds_differ_by_key_and_purpose():
    seeds = {
        tuple(random_seed(3, tf.constant(key, tf.int64), purpose).numpy())
        for key in range(10)
        for purpose in Purpose
    }
    assert len(seeds) == 10 * len(Purpose)


def test_workers_divide_blocks_of_positions():
    positions = ClipOrder(num_videos=4, seed=0).positions(0).take(12)
    shards = [take(ClipShard(w, 2, block=3).select(positions), 12) for w in (0, 1)]
    numbers = [[position for position, _ in shard] for shard in shards]
    assert numbers == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]
