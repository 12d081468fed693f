"""The counts of operations and bytes, beside those done by hand."""

import pytest
import tensorflow as tf

from benchmarks.roofline import Cost, costs_of
from vie_tf import models
from vie_tf.models.summary import multiply_adds


def graph_of(function, *shapes):
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    return tf.function(function).get_concrete_function(*specs).graph


def test_a_convolution_and_its_gradients_are_counted_as_by_hand():
    def gradients(images, kernel):
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            sums = tf.nn.conv2d(images, kernel, 2, "SAME")  # [2, 4, 4, 5]
        return tape.gradient(sums, [images, kernel])

    costs = costs_of(graph_of(gradients, [2, 8, 8, 3], [3, 3, 3, 5]))
    wanted = 2 * (3 * 3 * 3 * 5) * (2 * 4 * 4)
    kinds = ("convolution", "gradient of inputs", "gradient of kernels")
    assert [costs[kind].operations for kind in kinds] == 3 * [wanted]
    numbers = 2 * 8 * 8 * 3 + 3 * 3 * 3 * 5 + 2 * 4 * 4 * 5
    assert costs["convolution"].moved == 4 * numbers


def test_a_product_is_counted_as_by_hand():
    costs = costs_of(graph_of(tf.matmul, [4, 6], [6, 5]))
    assert costs["convolution"].operations == pytest.approx(2 * 4 * 6 * 5)


def test_the_convolutions_of_a_network_are_those_of_its_summary():
    network = models.build("slow", num_filters=4, embedding_dim=8)
    clips = tf.TensorSpec([1, 4, 64, 64, 3], tf.uint8)
    graph = tf.function(network).get_concrete_function(clips).graph
    counted = costs_of(graph)["convolution"].operations
    assert counted == pytest.approx(2 * multiply_adds(graph))


def test_a_kind_takes_the_longer_of_arithmetic_and_memory():
    assert Cost(operations=10.0, moved=4.0).seconds(peak=5.0, bandwidth=4.0) == 2.0
    assert Cost(operations=10.0, moved=40.0).seconds(peak=5.0, bandwidth=4.0) == 10.0
