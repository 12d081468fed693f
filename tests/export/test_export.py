"""A run goes in, files for other programs come out, which compute the same."""

import base64
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import write_run
from record_fixtures import write_data_set
from toy_networks import use_real_networks

from vie_tf.commands import export as command
from vie_tf.config import EmbeddingConfig, ExportConfig
from vie_tf.evaluation import restored_network
from vie_tf.export import formats, video_clips
from vie_tf.export.export_run import export
from vie_tf.export.serving import video_request
from vie_tf.keras import keras
from vie_tf.search.embedder import VideoEmbedder, averaged
from vie_tf.search.video_source import blocks_of_data_set
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest

pytestmark = pytest.mark.usefixtures("toy_networks")

# What another program does: it has TensorFlow, and nothing of this project.
OTHER_PROGRAM = """
import sys
sys.modules["vie_tf"] = None
import numpy as np, tensorflow as tf
folder, inputs, outputs = sys.argv[1:]
functions = tf.saved_model.load(folder).signatures
given = np.load(inputs, allow_pickle=True)
found = functions["serving_default"](clips=tf.constant(given["clips"]))
video = functions["video"](frames=tf.constant(list(given["frames"])))
np.savez(outputs, video=video["embedding"], **found)
"""


def noise_frames(video_id, num_frames):
    """Frames of 36 x 48 pixels, which are made smaller, each another."""
    draw = np.random.default_rng(video_id)
    coarse = draw.integers(0, 256, (num_frames, 9, 12, 3), np.uint8)
    frames = np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2)
    return [tf.io.encode_jpeg(frame).numpy() for frame in frames]


@pytest.fixture(name="base", scope="module")
def fixture_base(toy_networks, tmp_path_factory):
    base = tmp_path_factory.mktemp("export")
    write_data_set(base / "data", num_train=2, num_val=1, make_frames=noise_frames)
    write_run(base / "run", base / "data")
    return base


def settings_of(base, output, run="run", **settings):
    return ExportConfig(str(base / run), str(output), **settings)


def random_clips(shape, batch_size=2):
    return np.random.default_rng(0).integers(0, 256, [batch_size, *shape], np.uint8)


def embedding_of_embed(run, data_dir, endpoint="embedding"):
    """What embed.py writes of the validation video."""
    embedder = VideoEmbedder(EmbeddingConfig(str(run), endpoints=(endpoint,)))
    *_, block = blocks_of_data_set(str(data_dir), Manifest.load(str(data_dir)))
    (features,) = embedder.embed(block)
    return features.videos[0].id, averaged(endpoint, features.values[endpoint])[0]


@pytest.mark.process
def test_a_saved_model_needs_no_vie_tf_and_computes_what_embed_does(base, tmp_path):
    export(settings_of(base, tmp_path / "saved"))
    video_id, expected = embedding_of_embed(base / "run", base / "data")
    clips = random_clips([2, 50, 70, 3], batch_size=3)
    frames = np.array(noise_frames(video_id, 20), object)
    np.savez(tmp_path / "inputs.npz", clips=clips, frames=frames)
    (tmp_path / "program.py").write_text(OTHER_PROGRAM)
    names = ("program.py", "saved", "inputs.npz", "outputs.npz")
    subprocess.run([sys.executable, *names], cwd=tmp_path, check=True)
    outputs = np.load(tmp_path / "outputs.npz")
    np.testing.assert_allclose(outputs["video"], expected, atol=1e-6)
    network = restored_network.load(str(base / "run"))
    frames = tf.reshape(clips, [6, 50, 70, 3])
    cropped = video_clips.center_crop(frames, 32, network.config.data.crop)
    endpoints = network.model(tf.reshape(cropped, [3, 2, 32, 32, 3]))
    assert {*endpoints} == {*outputs} - {"video"}
    for name, values in endpoints.items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("input", ["differences", "both"])
def test_a_saved_model_makes_differences_as_embed_does(
    base, tmp_path, monkeypatch, input
):
    use_real_networks(monkeypatch.setitem)
    model = {"name": "single", "num_frames": 1, "frame_interval": 1, "input": input}
    write_run(tmp_path / "run", base / "data", model=model)
    export(settings_of(tmp_path, tmp_path / "saved"))
    video_id, expected = embedding_of_embed(tmp_path / "run", base / "data")
    served = tf.saved_model.load(tmp_path / "saved").signatures["video"]
    actual = served(frames=tf.constant(noise_frames(video_id, 20)))["embedding"]
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_a_saved_model_says_how_it_was_made(base, tmp_path):
    export(settings_of(base, tmp_path / "saved", num_clips=2))
    content = json.loads((tmp_path / "saved/assets.extra/vie_tf.json").read_text())
    assert (content["model"], content["step"], content["num_clips"]) == ("slow", 0, 2)
    assert content["recipe"]["crop_size"] == 32


def test_clips_of_another_length_are_refused(base, tmp_path):
    export(settings_of(base, tmp_path / "saved"))
    served = tf.saved_model.load(tmp_path / "saved").signatures
    with pytest.raises(tf.errors.InvalidArgumentError, match="clips of 2 frames, not"):
        served["serving_default"](clips=tf.zeros([1, 4, 40, 40, 3], tf.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match="needs a frame"):
        served["video"](frames=tf.constant([], tf.string))


def test_a_keras_file_gives_back_the_network(base, tmp_path):
    export(settings_of(base, tmp_path / "network.keras", format="keras"))
    model = restored_network.load(str(base / "run")).model
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for mine, other in zip(loaded.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(mine, other)


# ------------------------------------------------------------------- TFLite and ONNX


def test_a_tflite_file_computes_the_same(base, tmp_path, monkeypatch):
    use_real_networks(monkeypatch.setitem)
    write_run(tmp_path / "run", base / "data")
    export(settings_of(tmp_path, tmp_path / "network.tflite", format="tflite"))
    clips = random_clips([2, 32, 32, 3])
    interpreter = tf.lite.Interpreter(str(tmp_path / "network.tflite"))
    outputs = interpreter.get_signature_runner("serving_default")(clips=clips)
    network = restored_network.load(str(tmp_path / "run")).model
    for name, values in network(clips).items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-4, atol=1e-4)


def test_an_operation_that_tflite_lacks_is_named(base, tmp_path, monkeypatch):
    use_real_networks(monkeypatch.setitem)
    model = {"name": "single", "num_frames": 1, "input": "differences"}
    write_run(tmp_path / "run", base / "data", model=model)
    with pytest.raises(UserError, match="no operation .*Bincount.*--format=onnx"):
        export(settings_of(tmp_path, tmp_path / "network.tflite", format="tflite"))
    assert not [*tmp_path.glob("*.tflite"), *tmp_path.glob(".vie_tf-*")]


def test_a_wrong_result_of_another_program_is_no_export(base, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MAX_DIFFERENCE", -1.0)
    with pytest.raises(UserError, match="TFLite computes another result"):
        export(settings_of(base, tmp_path / "network.tflite", format="tflite"))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["single", "3dresnet", "slowfast", "two_stream_s"])
def test_an_onnx_file_computes_the_same(base, tmp_path, monkeypatch, name):
    use_real_networks(monkeypatch.setitem)
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    model = {"name": name, "num_frames": 1 if name == "single" else 4}
    write_run(tmp_path / "run", base / "data", model=model)
    export(settings_of(tmp_path, tmp_path / "network.onnx", format="onnx"))
    session = runtime.InferenceSession(str(tmp_path / "network.onnx"))
    names = [output.name for output in session.get_outputs()]
    clips = random_clips([model["num_frames"], 32, 32, 3])
    outputs = dict(zip(names, session.run(names, {"clips": clips})))
    network = restored_network.load(str(tmp_path / "run")).model
    for name, values in network(clips).items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-4, atol=1e-4)


# --------------------------------------------------------------------------- serving


def test_the_body_of_a_request_has_every_frame():
    body = json.loads(video_request([b"one", b"two"]))
    assert body["signature_name"] == "video"
    frames = [base64.b64decode(frame["b64"]) for frame in body["inputs"]["frames"]]
    assert frames == [b"one", b"two"]


# ---------------------------------------------------------------------------- errors


def test_a_package_that_is_missing_is_named_with_its_extra(base, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(UserError, match=r'tf2onnx .*pip install "vie-tf\[onnx\]"'):
        export(settings_of(base, tmp_path / "network.onnx", format="onnx"))


@pytest.mark.parametrize(
    ("output", "format", "message"),
    [
        ("there", "saved_model", "exists"),
        ("network.pb", "tflite", r"ends with \.tflite"),
        ("s3://bucket/network", "saved_model", "local path"),
        ("file/network", "saved_model", "ot a directory|File exists"),
    ],
)
def test_outputs_that_cannot_be_written(base, tmp_path, output, format, message):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("")
    path = output if "://" in output else tmp_path / output
    with pytest.raises(UserError, match=message) as error:
        export(settings_of(base, path, format=format))
    assert "\n" not in str(error.value)


def test_the_command_prints_what_it_wrote(base, tmp_path, capsys):
    flags = [f"--model_dir={base / 'run'}", f"--output={tmp_path / 'saved'}"]
    assert command.main(flags) == 0
    assert "[N, 2, H, W, 3] uint8" in capsys.readouterr().out
    assert command.main(flags) == 1
    assert capsys.readouterr().err.count("\n") == 1
