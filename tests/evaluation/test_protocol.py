"""The words of a protocol for a training on labels."""

import pytest

from vie_tf.config import FinetuneConfig, LinearConfig
from vie_tf.evaluation.labels.settings import describe_rate


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "rate 0.03, divided by 10 after 50% and 80% of the steps"),
        ({"lr_boundaries": (9,)}, "rate 0.03, divided by 10 after 9 steps"),
        (
            {"lr_boundaries": (10, 200, 3000)},
            "rate 0.03, divided by 10 after 10, 200 and 3,000 steps",
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
