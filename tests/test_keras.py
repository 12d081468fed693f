"""Keras 2 is used on every TensorFlow, whatever TF_USE_LEGACY_KERAS is set to."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf
from pages import PAGES, ROOT, name_of

from vie_tf.keras import VERSION, keras


def test_it_is_keras_2_and_its_version_names_the_package():
    package, version = VERSION.split()
    assert version.startswith("2.")
    assert package == keras.layers.Dense(1).__module__.split(".")[0]


@pytest.mark.skipif(tf.__version__ >= "2.16", reason="tf.keras is Keras 3 there")
def test_layers_of_tf_keras_are_ours_on_tensorflow_2_15():
    assert tf.keras.layers.Layer is keras.layers.Layer  # noqa: TID251


@pytest.mark.parametrize("value", [None, "0", "1"])
def test_the_choice_does_not_depend_on_the_environment(value):
    environment = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    if value is not None:
        environment["TF_USE_LEGACY_KERAS"] = value
    code = "from vie_tf.models import build; from vie_tf.keras import VERSION;"
    code += "build('single'); print(VERSION)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == (f"{VERSION}\n", "")


def test_pages_import_keras_from_us():
    for page in PAGES:
        assert "tf.keras." not in page.read_text(), name_of(page)
