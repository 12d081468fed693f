import numpy as np
import tensorflow as tf

from vie_tf.objectives.row_ages import RowAges


def written_ages(num_rows=6):
    """Rows 0 and 2 written at step 1, row 2 again at step 4, twice in its batch."""
    ages = RowAges(num_rows)
    write = tf.function(ages.write)
    write(tf.constant([0, 2]), tf.constant(1, tf.int64))
    write(tf.constant([2, 2, 5], tf.int64), tf.constant(4, tf.int64))
    return ages


def test_a_row_is_as_old_as_its_last_write():
    ages, never = written_ages().ages(step=9)
    assert list(ages) == [8, 9, 5, 9, 9, 5]
    assert list(never) == [False, True, False, True, True, False]


def test_rows_behind_those_of_a_smaller_bank_are_there_since_now():
    small = written_ages()
    grown = RowAges(8)
    grown.set_first(small.last_written.numpy(), 6, step=9)
    ages, never = grown.ages(step=11)
    assert list(ages) == [10, 11, 7, 11, 11, 7, 2, 2]
    assert list(np.flatnonzero(never)) == [1, 3, 4, 6, 7]


def test_what_was_noted_can_be_forgotten():
    ages = written_ages()
    ages.start_at(100, written=True)
    assert list(ages.ages(103)[0]) == [3] * 6 and not ages.ages(103)[1].any()
    ages.start_at(100, written=False)
    assert list(ages.ages(103)[0]) == [3] * 6 and ages.ages(103)[1].all()
