import dataclasses
import pickle

import numpy as np
import pytest
import tensorflow as tf

from vie_tf import models
from vie_tf.input import fixed_clips, later_frames, sampling
from vie_tf.input.fixed_clips import FramesOfClips

RULES = {models.clip_recipe(name).sampling: name for name in models.MODELS}
LENGTHS = (1, 2, 4, 5, 9, 30, 61, 75, 250, 320, 1000)


@pytest.mark.parametrize(
    "changed",
    [{}, {"static": True}, {"input": "differences"}, {"input": "both"}],
    ids=str,
)
@pytest.mark.parametrize("rule", sampling.SAMPLING_RULES)
def test_the_frames_of_clips_are_those_that_a_graph_reads(rule, changed):
    recipe = dataclasses.replace(models.clip_recipe(RULES[rule]), **changed)
    for num_frames in LENGTHS:
        length = tf.constant(num_frames)
        clips = sampling.evaluation_clips(recipe, length, 5)
        flat = tf.reshape(clips, [-1])
        read = later_frames.with_later_frames(recipe, flat, length)
        assert FramesOfClips(recipe, 5)(num_frames) == set(read.numpy().tolist())


@pytest.mark.parametrize("rule", sampling.SAMPLING_RULES)
def test_a_number_of_frames_may_be_an_integer_or_a_tensor(rule):
    recipe = models.clip_recipe(RULES[rule])
    for num_frames in LENGTHS:
        for clips in (
            lambda length: sampling.evaluation_clips(recipe, length, 3),
            lambda length: fixed_clips.consecutive_clips(recipe, length),
        ):
            of_integer, of_tensor = clips(num_frames), clips(tf.constant(num_frames))
            assert isinstance(of_integer, np.ndarray) and tf.is_tensor(of_tensor)
            assert of_tensor.dtype == tf.int32
            np.testing.assert_array_equal(of_integer, of_tensor)


def test_the_frames_of_clips_can_be_sent_to_another_process():
    frames = FramesOfClips(models.clip_recipe("slow"), 5)
    assert pickle.loads(pickle.dumps(frames))(100) == frames(100)
