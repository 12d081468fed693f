"""The lines of docs/extending.md: an objective, a network and a sampling rule."""

import dataclasses
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_contents import events_in, numbers_in
from run_fixtures import run_config

from vie_tf import models
from vie_tf.input import sampling
from vie_tf.objectives import OBJECTIVES
from vie_tf.training import train as training

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "extending.md"
TABLES = (OBJECTIVES, models.MODELS, sampling.SAMPLING_RULES)


@pytest.fixture(name="page", autouse=True)
def fixture_page(monkeypatch):
    """What the blocks of the page define; the tables are as before after a test."""
    for table in TABLES:
        for name in ("infonce", "patches", "anywhere"):
            monkeypatch.setitem(table, name, None)
            monkeypatch.delitem(table, name)
    defined = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), defined)
    return defined


def test_a_run_learns_by_all_three(tmp_path):
    write_data_set(tmp_path / "data")
    family = models.MODELS["patches"]
    clip = dataclasses.replace(family.clip, sampling="anywhere")
    models.MODELS["patches"] = dataclasses.replace(family, clip=clip)
    config = run_config(
        tmp_path / "data",
        tmp_path / "run",
        model={"name": "patches", "num_frames": 4},
        loss={"name": "infonce"},
        train_steps=3,
        log_steps=1,
    )
    training.train(config)
    assert numbers_in(tmp_path / "run")["bank/rows"].shape == (10, 16)
    training.train(dataclasses.replace(config, train=more_steps(config.train, 30)))
    similarities = events_in(tmp_path / "run")["train/similarity_to_own_row"]
    assert len(similarities) == 30
    assert similarities[30] > similarities[1]


def more_steps(train, steps):
    return dataclasses.replace(train, train_steps=steps)


def test_the_loss_is_the_softmax_of_its_slow_twin(page):
    rng = np.random.default_rng(0)
    shapes = ([4, 1, 8], [4, 1, 8], [4, 5, 8])
    embeddings, own, noise = (rng.normal(0, 0.3, size).astype("f") for size in shapes)

    class Bank:
        """Similarities to given rows."""

        def similarities(self, embeddings, indices):
            return own_cosines if indices.shape.rank == 1 else noise_cosines

    own_cosines = np.sum(embeddings * own, axis=2)[:, 0]
    noise_cosines = np.sum(embeddings * noise, axis=2)
    objective = page["InfoNCE"](Bank(), run_config("data").loss, 4, 0)
    objective.negatives = lambda step: tf.zeros([4, 5], tf.int32)
    batch = {"rows": tf.range(4, dtype=tf.int64)}
    loss, _ = objective.loss({"embedding": None}, batch, None)
    all_cosines = np.concatenate([own_cosines[:, None], noise_cosines], axis=1) / 0.07
    wanted = np.log(np.sum(np.exp(all_cosines), axis=1)) - all_cosines[:, 0]
    np.testing.assert_allclose(loss, wanted, rtol=1e-4)


def test_the_sampling_rule_stays_within_the_video():
    recipe = dataclasses.replace(models.MODELS["patches"].clip, sampling="anywhere")
    for frames in (1, 3, 250):
        drawn = sampling.training_clip(recipe, tf.constant(frames), [0, 1]).numpy()
        assert drawn.shape == (4,) and np.all(np.diff(drawn) >= 0)
        spread = sampling.evaluation_clips(recipe, tf.constant(frames), 3).numpy()
        assert spread.shape == (3, 4)
        assert 0 <= min(drawn.min(), spread.min()) and drawn.max() < frames
        assert spread.max() < frames
