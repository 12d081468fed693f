"""The words of a protocol for a training on labels."""

import pytest

from vie_tf.config import DataConfig, FinetuneConfig, LinearConfig
from vie_tf.evaluation import protocols
from vie_tf.evaluation.labels.settings import describe_rate


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "rate 0.01, divided by 10 after 50% and 80% of the steps"),
        ({"lr_boundaries": (9,)}, "rate 0.01, divided by 10 after 9 steps"),
        (
            {"lr_boundaries": (10, 200, 3000)},
            "rate 0.01, divided by 10 after 10, 200 and 3,000 steps",
        ),
        ({"lr_boundaries": (), "learning_rate": 1.0}, "rate 1 throughout"),
    ],
)
def test_the_rate_is_said_with_its_drops(settings, words):
    assert describe_rate(LinearConfig(**settings)) == words


@pytest.mark.parametrize(
    ("eval_steps", "which"),
    [(None, "30 validations"), (500, "validations 500 steps apart")],
)
def test_a_plateau_is_said_with_its_rule(eval_steps, which):
    assert describe_rate(FinetuneConfig(eval_steps=eval_steps)) == (
        f"rate 0.0005, divided by 10 at plateaus of {which} (8 of them without a gain"
        " of 0.3 points; 2 times at most)"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {},
            "crop random_short_side_crop, color exact, gray with probability 0.3 after"
            " the rest",
        ),
        (
            {
                "crop": "random_resized_crop",
                "min_crop_area": 0.2,
                "gray_probability": 0.2,
                "gray_first": True,
            },
            "crop random_resized_crop of 20% of the frame and more, color exact, gray"
            " with probability 0.2 before the rest",
        ),
        (
            {"crop": "multi_scale_crop", "color": "none"},
            "crop multi_scale_crop, color none",
        ),
    ],
)
def test_the_augmentation_is_said_with_its_numbers(settings, words):
    assert protocols.of_augmentation(DataConfig("data", **settings)) == words


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        ("random_short_side_crop", ""),
        ("random_resized_crop", ""),
        ("multi_scale_crop", " on the whole short side"),
    ],
)
def test_a_test_window_that_is_not_the_usual_one_is_said(crop, words):
    assert protocols.of_test_window(DataConfig("data", crop)) == words
