"""Writers of the formats: a network goes in, a file or folder comes out.

A SavedModel resizes and crops; TFLite, ONNX and Keras take clips [N, T, S, S, C] uint8
of the network's own size.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tempfile
from typing import Any, Callable

import numpy as np
import tensorflow as tf

from vie_tf import __version__
from vie_tf.config import ExportConfig
from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.export import extras
from vie_tf.export.servable import Servable
from vie_tf.export.signatures import CLIPS_SIGNATURE
from vie_tf.keras import keras
from vie_tf.models.from_config import build_model
from vie_tf.storage.errors import UserError

# Relative to the largest value of an endpoint, or to 1.
MAX_DIFFERENCE = 1e-4
_ONNX_OPSET = 17
# The folder of a SavedModel for what TensorFlow does not read.
_METADATA = os.path.join("assets.extra", "vie_tf.json")


def saved_model(network: RestoredNetwork, settings: ExportConfig, path: str) -> None:
    """Writes the folder of a SavedModel with both signatures."""
    servable = Servable(network, settings.num_clips, settings.static_video)
    tf.saved_model.save(servable, path, signatures=servable.signatures)
    os.mkdir(os.path.join(path, os.path.dirname(_METADATA)))
    content = metadata(network, settings)
    with open(os.path.join(path, _METADATA), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)


def metadata(network: RestoredNetwork, settings: ExportConfig) -> dict[str, Any]:
    """Returns what a user of the file may have to know about the network."""
    return {
        "vie_tf": __version__,
        "model": network.config.model.name,
        "step": network.step,
        "recipe": dataclasses.asdict(network.recipe),
        "crop": network.config.data.crop,
        "num_clips": settings.num_clips,
    }


def keras_file(network: RestoredNetwork, settings: ExportConfig, path: str) -> None:
    """Writes a .keras file, which `keras.models.load_model` reads beside VIE-TF."""
    del settings
    network.model.save(path, save_format="keras")


def tflite(network: RestoredNetwork, settings: ExportConfig, path: str) -> None:
    """Writes a TFLite file with one signature, of clips.

    Raises:
      UserError: TFLite lacks an operation of the network, or computes another result.
    """
    del settings
    with tempfile.TemporaryDirectory(prefix="vie_tf-") as folder:
        module = tf.Module()
        module.function = _endpoints_of(network, module)
        tf.saved_model.save(
            module, folder, signatures={CLIPS_SIGNATURE: module.function}
        )
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[CLIPS_SIGNATURE]
        )
        try:
            content = converter.convert()
        except Exception as error:  # of a class that no public module has
            missing = sorted(set(re.findall(r"'tf\.(\w+)' op", str(error))))
            if not missing:
                raise
            raise UserError(
                f"TFLite has no operation {', '.join(missing)}, which this network"
                " needs: export it with --format=onnx or saved_model."
            ) from error
    with open(path, "wb") as file:
        file.write(content)

    def run(clips: np.ndarray) -> dict[str, np.ndarray]:
        interpreter = tf.lite.Interpreter(model_content=content)
        return interpreter.get_signature_runner()(clips=clips)

    _check("TFLite", run, module.function, network)


def onnx(network: RestoredNetwork, settings: ExportConfig, path: str) -> None:
    """Writes an ONNX file, whose outputs are the endpoints.

    Raises:
      UserError: a package is missing, or the ONNX runtime computes another result.
    """
    del settings
    tf2onnx = extras.require("tf2onnx", "onnx")
    runtime = extras.require("onnxruntime", "onnx")
    function = _endpoints_of(network, tf.Module())
    tf2onnx.convert.from_function(
        function,
        input_signature=function.input_signature,
        opset=_ONNX_OPSET,
        output_path=path,
    )

    def run(clips: np.ndarray) -> dict[str, np.ndarray]:
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {"clips": clips})))

    _check("ONNX Runtime", run, function, network)


def _check(
    program: str,
    run: Callable[[np.ndarray], dict[str, np.ndarray]],
    function: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    network: RestoredNetwork,
) -> None:
    """Compares what another program computes of a random clip with the network."""
    shape = [1, *network.recipe.shape]
    clips = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    actual, differences = run(clips), {}
    for name, value in function(tf.constant(clips)).items():
        scale = max(1.0, float(tf.reduce_max(tf.abs(value))))
        differences[name] = float(np.abs(actual[name] - value).max()) / scale
    name, largest = max(differences.items(), key=lambda item: item[1])
    if not largest <= MAX_DIFFERENCE:
        raise UserError(
            f"{program} computes another result than the network: {name} differs by"
            f" {largest:.1g}. Export it in another format."
        )


def _endpoints_of(network: RestoredNetwork, module: tf.Module) -> Any:
    """Returns the function of clips [N, T, S, S, C], in float32 arithmetic.

    Neither TFLite nor ONNX runtimes on CPUs have convolutions in bfloat16.
    """
    model = _in_float32(network)
    module.weights = list(model.variables)
    clips = tf.TensorSpec([None, *network.recipe.shape], tf.uint8, "clips")

    @tf.function(input_signature=[clips])
    def endpoints(clips: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(clips, training=False)

    return endpoints


def _in_float32(network: RestoredNetwork) -> keras.Model:
    settings = network.config.model
    if settings.precision == "float32":
        return network.model
    settings = dataclasses.replace(settings, precision="float32")
    model = build_model(settings, network.config.train.seed)
    model.set_weights(network.model.get_weights())
    return model


@dataclasses.dataclass(frozen=True)
class Format:
    """How a format is written.

    Attributes:
      write: takes a network, settings and the path of the result.
      ending: ending of its files; empty for a folder.
      extra: extra of the package that it needs, if any, and a module of it.
    """

    write: Callable[[RestoredNetwork, ExportConfig, str], None]
    ending: str = ""
    extra: tuple[str, str] | None = None


FORMATS = {
    "saved_model": Format(saved_model),
    "tflite": Format(tflite, ".tflite"),
    "onnx": Format(onnx, ".onnx", ("tf2onnx", "onnx")),
    "keras": Format(keras_file, ".keras"),
}
