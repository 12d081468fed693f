"""Networks that come with the package: weights in 16 bits, and settings.

`pack` makes the two files of a network from a run (`run_scripts/ready_network.sh`).
`folder_of` unpacks them to the folder of a run for the time of the process, so that
everything that takes a run takes such a network.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

from vie_tf.config import READY_NETWORKS
from vie_tf.models.from_config import build_model
from vie_tf.runs import checkpoint_files
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files
from vie_tf.storage.files import write_atomically

_HERE = pathlib.Path(__file__).parent
_CONFIG = "config.json"
_unpacked: list[tempfile.TemporaryDirectory[str]] = []  # until the process ends


def pack(model_dir: str, name: str, folder: str) -> None:
    """Writes weights and settings of the network of a run, without paths.

    Args:
      model_dir: folder of the run.
      name: name of the network, and of the data that it was trained on.
      folder: where `NAME.npz` and `NAME.json` are written to.
    """
    run = RunDirectory(model_dir)
    config, _ = run.load_config()
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, data_dir=name),
        train=dataclasses.replace(
            config.train, model_dir=name, init_from=None, network_from=None
        ),
    )
    content = {**json.loads(config.to_json()), "data_sets": [run.data_set()]}
    model = build_model(config.model, config.train.seed)
    step = run.checkpoint().restore_model(model)
    weights = {f"{n:03d}": value for n, value in enumerate(model.get_weights())}
    path = os.path.join(folder, name)
    write_atomically(f"{path}.json", json.dumps(content, indent=1) + "\n")
    np.savez_compressed(
        f"{path}.npz",
        step=np.int64(step),
        **{number: value.astype(np.float16) for number, value in weights.items()},
    )


def folder_of(given: str) -> str:
    """Returns the folder of a run: that of a network of this name, or the given one."""
    name = os.path.basename(given)
    if name in READY_NETWORKS and not files.is_folder(given):
        return unpacked(name)
    return given


@functools.lru_cache
def fingerprint(name: str) -> str:
    """Returns a hash of the weights, the same with every version of TensorFlow."""
    content = (_HERE / f"{name}.npz").read_bytes()
    return f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"


@functools.lru_cache
def unpacked(name: str) -> str:
    """Writes the folder of a run, with a checkpoint of the network alone.

    Args:
      name: one of `READY_NETWORKS`.
    """
    place = tempfile.TemporaryDirectory(prefix=f"vie-tf-{name}-")
    _unpacked.append(place)
    config = (_HERE / f"{name}.json").read_text()
    write_atomically(os.path.join(place.name, _CONFIG), config)
    model = build_model(RunDirectory(place.name).load_config()[0].model, seed=0)
    with np.load(_HERE / f"{name}.npz", allow_pickle=False) as stored:
        step = tf.Variable(stored["step"], dtype=tf.int64)
        model.set_weights(
            [
                stored[f"{number:03d}"].astype(np.float32)
                for number in range(len(model.weights))
            ]
        )
    checkpoints = os.path.join(place.name, "checkpoints")
    path = os.path.join(checkpoints, f"step-{int(step)}")
    checkpoint = tf.train.Checkpoint(model=model, step=step)
    checkpoint_files.write(checkpoint, path)
    newest = os.path.basename(path)
    write_atomically(
        os.path.join(checkpoints, "checkpoint"),
        f'model_checkpoint_path: "{newest}"\nall_model_checkpoint_paths: "{newest}"\n',
    )
    return place.name
