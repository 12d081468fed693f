"""Networks and objectives of a user's own module, by decorator and by command line."""

import sys

import pytest
from record_fixtures import write_data_set

import vie_tf
from vie_tf.commands import train as train_command
from vie_tf.models.registry import MODELS
from vie_tf.objectives import OBJECTIVES

OWN = """
import tensorflow as tf
import vie_tf
from vie_tf.keras import keras
from vie_tf.models.family import assemble, num_outputs
from vie_tf.models.heads import FrameConcat
from vie_tf.objectives.instance_recognition import InstanceRecognition

class Colors(keras.layers.Layer):
    def call(self, clips, training=False):
        return {"final": clips}, tf.reduce_mean(clips, axis=[2, 3])

@vie_tf.register_model("colors", vie_tf.ClipRecipe(2, 4, 32, "sparse"), batch_size=4)
def make_colors(name, config):
    return assemble(Colors(), FrameConcat(num_outputs(config)), name, config)

def make_undecorated(name, config):
    return make_colors(name, config)

@vie_tf.register_objective("twice")
class Twice(InstanceRecognition):
    title = "twice IR"
    def loss(self, endpoints, batch, step):
        loss, parts = super().loss(endpoints, batch, step)
        return 2 * loss, parts
"""


@pytest.fixture(name="folder", autouse=True)
def fixture_folder(tmp_path, monkeypatch):
    """The current folder, which has a module of the user."""
    (tmp_path / "own_things.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = [dict(table) for table in (MODELS, OBJECTIVES)]
    yield tmp_path
    for table, entries in zip((MODELS, OBJECTIVES), before):
        table.clear()
        table.update(entries)
    sys.modules.pop("own_things", None)


def test_a_module_of_the_user_is_trained_and_loaded(folder):
    write_data_set(folder / "data")
    flags = [f"--data_dir={folder / 'data'}", f"--model_dir={folder / 'run'}"]
    flags += ["--model=own_things:make_colors", "--loss=own_things:Twice"]
    flags += ["--train_steps=2", "--ir_num_negatives=4", "--embedding_dim=8"]
    assert train_command.main(flags) == 0
    run = vie_tf.load(folder / "run")
    assert (run.step, run.clip.shape) == (2, (2, 32, 32, 3))
    assert run.model.get_config()["name"] == "own_things:make_colors"
    assert run.embed(folder / "data").shape == (14, 8)


def test_a_decorator_adds_a_network_to_build(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    import own_things

    assert vie_tf.build("colors", embedding_dim=8).name == "colors"
    assert OBJECTIVES["twice"] is own_things.Twice


def test_a_name_is_given_once():
    recipe = vie_tf.ClipRecipe(1, 1, 32, "single")
    with pytest.raises(vie_tf.UserError, match="'slow' already"):
        vie_tf.register_model("slow", recipe)(lambda name, config: None)
    with pytest.raises(vie_tf.UserError, match="'ir' already"):
        vie_tf.register_objective("ir")(type("Own", (vie_tf.Objective,), {}))


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--model=own_thing:make_colors", "no module own_thing"),
        ("--model=own_things:make_colours", "has no make_colours"),
        ("--model=own_things:make_undecorated", "@vie_tf.register_model"),
        ("--model=own_things", "package.module:name"),
        ("--loss=own_things:Colors", "subclass of vie_tf.Objective"),
        ("--loss=own_things:", "package.module:name"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(folder, capsys, flag, message):
    write_data_set(folder / "data")
    flags = [f"--data_dir={folder / 'data'}", f"--model_dir={folder / 'run'}", flag]
    assert train_command.main(flags) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("error: ") == 1
