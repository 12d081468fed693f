"""Costs of a clip on one core, from the bytes of its frames to the batch.

python -m benchmarks.input_pipeline [--data_dir=DATA]

On the same frames, generated or of a data set, it measures the JPEG decoder alone, our
pipeline and the authors' recipe with Pillow, and then how their color jitters differ.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import tempfile
import time
from typing import Any, Callable, Iterator

import cv2
import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks import machine
from benchmarks.peers import pillow_loader
from data_prep.synthesize import textures
from vie_tf import models
from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.augmentation import augmentations, color_jitter, opencv_ops
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.storage import records
from vie_tf.storage.frame_spool import FrameSpool
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest, ShardEntry, VideoEntry

FAMILIES = ("single", "trn", "3dresnet", "slow", "slowfast")
SIZES = (224, 112)
HEIGHT, WIDTH = 320, 426
_BATCH_SIZE = 32
_NUM_DRAWS = 100
_QUALITY = 90  # of data_prep.convert


def main() -> None:
    """Reads the command line and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.input_pipeline")
    parser.add_argument("--data_dir", help="a data set; generated frames if not given")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of each measurement"
    )
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many")
    parser.add_argument("--families", nargs="*", default=FAMILIES, choices=FAMILIES)
    arguments = parser.parse_args()
    on_one_core()
    print(machine.cpu_facts())
    with tempfile.TemporaryDirectory() as folder:
        data_dir = arguments.data_dir or write_frames(folder)
        manifest = Manifest.load(data_dir)
        video = manifest.split(TRAIN_SPLIT)[0]
        size = f"{video.width} x {video.height}"
        print(f"frames: {size}, {video.bytes / video.frames / 1e3:.0f} kB; one core")
        compare(data_dir, manifest, arguments)
        print_differences(frames_of(data_dir, 16))


def on_one_core() -> None:
    """Keeps this process, and every pool of threads in it, to one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def write_frames(data_dir: str, num_videos: int = 8, num_frames: int = 120) -> str:
    """Writes a data set of textures that move, with some detail; returns `data_dir`."""
    rng = np.random.default_rng(0)
    name = "train-00000.tfrecord"
    path = os.path.join(data_dir, name)
    videos = []
    with open(path, "wb") as file:
        for number in range(num_videos):
            coarse = textures.random_texture(rng, 1024, 320 / 96)
            fine = textures.random_texture(rng, 1024, 1.0)
            scene = cv2.addWeighted(coarse, 0.8, fine, 0.2, 0)
            frames = []
            for t in range(num_frames):
                top, left = 2 * t, 3 * t
                window = scene[top : top + HEIGHT, left : left + WIDTH]
                window = np.ascontiguousarray(window[..., ::-1])
                _, jpeg = cv2.imencode(
                    ".jpg", window, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
                )
                frames.append(jpeg.tobytes())
            facts: dict[str, Any] = {"label": 0, "fps": 25.0, "source": f"{number}.mp4"}
            facts.update(height=HEIGHT, width=WIDTH)
            video = VideoEntry(
                id=number,
                split=TRAIN_SPLIT,
                shard=name,
                frames=num_frames,
                bytes=sum(map(len, frames)),
                **facts,
            )
            records.write_record(file, FrameSpool(frames), video)
            videos.append(video)
    shard = ShardEntry(name, TRAIN_SPLIT, num_videos, os.path.getsize(path), "")
    Manifest(("texture",), tuple(videos), (shard,), (), {}).save(data_dir)
    return data_dir


def frames_of(data_dir: str, count: int) -> list[bytes]:
    """Reads JPEG frames of the first record of a data set."""
    manifest = Manifest.load(data_dir)
    path = os.path.join(data_dir, manifest.split(TRAIN_SPLIT)[0].shard)
    record = next(iter(tf.data.TFRecordDataset(path)))
    frames = records.parse(record)["frames"].numpy()
    return [frames[i * len(frames) // count] for i in range(count)]


def compare(data_dir: str, manifest: Manifest, arguments: argparse.Namespace) -> None:
    """Prints clips per second of each way, for each size and family."""
    columns = ["decode", "fast", "exact", "fast*", "exact*", "shards", "Pillow"]
    columns += ["sh.fast", "diff", "both"]
    print("\nclips per CPU second")
    print(f"{'':16}" + "".join(f"{column:>9}" for column in columns) + "   shards =")
    for size, family in itertools.product(SIZES, arguments.families):
        recipe = dataclasses.replace(models.clip_recipe(family), crop_size=size)
        rates = measure(data_dir, manifest, recipe, arguments.seconds, arguments.rounds)
        row = "".join(f"{rates[column]:9.1f}" for column in columns)
        share, gain = (
            rates["decode"] / rates["shards"],
            rates["shards"] / rates["Pillow"],
        )
        title = f"{family} {size}"
        print(
            f"{title:16}{row}   {share:.2f} x decode, Pillow / {gain:.1f}", flush=True
        )
    print(
        "decode: tf.io.decode_jpeg of whole frames. fast, exact: augmentation of frames"
        " in memory,\nwith OpenCV; *: with TensorFlow's operations. shards: the whole"
        f" pipeline with --color={DataConfig.color},\nsh.fast with fast; diff, both:"
        " --input=differences and both."
    )


def measure(
    data_dir: str,
    manifest: Manifest,
    recipe: ClipRecipe,
    seconds: float,
    rounds: int,
) -> dict[str, float]:
    """Returns clips per CPU second of each way, the best of some rounds in turns.

    Other programs on the machine change CPU seconds less than seconds.
    """
    frames = frames_of(data_dir, recipe.num_frames)
    ways: dict[str, Callable[[], Iterator[int]]] = {
        "decode": lambda: _batches(_decoded(frames)),
        "shards": lambda: clips_of_shards(data_dir, manifest, recipe),
        "sh.fast": lambda: clips_of_shards(data_dir, manifest, recipe, "fast"),
        "Pillow": lambda: _clips_of_pillow(frames, recipe.crop_size),
    }
    for column, name in (("diff", "differences"), ("both", "both")):
        other = dataclasses.replace(recipe, input=name)
        ways[column] = lambda other=other: clips_of_shards(data_dir, manifest, other)
    for form, portable in itertools.product(("fast", "exact"), (False, True)):
        dataset = _augmented(frames, data_dir, recipe.crop_size, form, portable)
        ways[form + "*" * portable] = lambda dataset=dataset: _batches(dataset)
    best = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            clips = way()  # an iterator that waits would go on reading ahead
            next(clips)
            count, start = 0, time.process_time()
            while (elapsed := time.process_time() - start) < seconds:
                count += next(clips)
            best[name] = max(best[name], count / elapsed)
            del clips
    return best


def _decoded(frames: list[bytes]) -> tf.data.Dataset:
    def decode(number: tf.Tensor) -> list[tf.Tensor]:
        # Prevents constant folding: real frames come from outside.
        with tf.control_dependencies([number]):
            jpegs = tf.identity(source)
        whole = [tf.io.decode_jpeg(jpegs[t], channels=3) for t in range(len(frames))]
        # One number of each image: batching whole frames is not part of decoding.
        return [image[0, 0, 0] for image in whole]

    source = tf.constant(frames)
    return tf.data.Dataset.range(2**40).map(decode)


def _augmented(
    frames: list[bytes], data_dir: str, crop_size: int, form: str, portable: bool
) -> tf.data.Dataset:
    video = Manifest.load(data_dir).split(TRAIN_SPLIT)[0]
    source = tf.constant(frames)

    def augment(number: tf.Tensor) -> tf.Tensor:
        return augmentations.augment_for_training(
            tf.ensure_shape(source, [len(frames)]),
            tf.constant(video.height),
            tf.constant(video.width),
            crop_size,
            tf.stack([number, 0]),
            color=form,
            portable=portable,
        )

    return tf.data.Dataset.range(2**40).map(augment)


def _batches(clips: tf.data.Dataset) -> Iterator[int]:
    """Runs a dataset on one thread, without prefetching."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    for _ in clips.batch(_BATCH_SIZE).with_options(options):
        yield _BATCH_SIZE


def clips_of_shards(
    data_dir: str, manifest: Manifest, recipe: ClipRecipe, color: str = "exact"
) -> Iterator[int]:
    """Runs the whole pipeline, from shards to batches; yields clips of a batch."""
    clips = pipeline.training_clips(
        DataConfig(data_dir, color=color),
        manifest,
        recipe,
        batch_size=_BATCH_SIZE,
        seed=0,
    )
    for _ in clips:
        yield _BATCH_SIZE


def _clips_of_pillow(frames: list[bytes], crop_size: int) -> Iterator[int]:
    rng = np.random.default_rng(0)
    while True:
        draw = pillow_loader.Draw.random(rng, crop_size)
        pillow_loader.load_clip(frames, crop_size, draw)
        yield 1


def print_differences(frames: list[bytes]) -> None:
    """Prints the differences between the implementations of color jitter, in levels."""
    images = [tf.io.decode_jpeg(frame, channels=3).numpy() for frame in frames]
    side = min(images[0].shape[:2])
    images = [np.ascontiguousarray(image[:side, :side]) for image in images]
    rng = np.random.default_rng(0)
    pairs: dict[str, list[np.ndarray]] = {}
    for number in range(_NUM_DRAWS):
        draw = pillow_loader.Draw.random(rng, side)
        image = images[number % len(images)]
        ours = {
            f"{form}{'*' * portable}": recolored(image, draw, form, portable)
            for form, portable in itertools.product(("exact", "fast"), (False, True))
        }
        pillow = np.asarray(pillow_loader.recolor(Image.fromarray(image), draw))
        ours["Pillow"] = pillow.astype(int)
        for one, other in (
            ("exact", "Pillow"),
            ("exact*", "Pillow"),
            ("fast", "exact"),
            ("fast", "fast*"),
        ):
            difference = np.abs(ours[one] - ours[other])
            pairs.setdefault(f"{one} - {other}", []).append(difference)
    print(f"\ncolor jitter, difference in levels of 255, {_NUM_DRAWS} draws")
    print(f"{'':18}{'mean':>8}{'95%':>8}{'worst clip, mean':>20}")
    for name, differences in pairs.items():
        values = np.stack(differences)
        worst = values.mean(axis=(1, 2, 3)).max()
        high = np.percentile(values, 95)
        print(f"{name:18}{values.mean():8.2f}{high:8.0f}{worst:20.1f}")


def recolored(
    image: np.ndarray, draw: pillow_loader.Draw, form: str, portable: bool
) -> np.ndarray:
    """Jitters the colors of a frame [S, S, 3] uint8 by one of our implementations."""
    color = color_jitter.ColorDraw(
        *(tf.constant(factor, tf.float32) for factor in draw.factors),
        is_gray=tf.constant(bool(draw.is_gray)),
        order=tf.constant(draw.order, tf.int32),
    )
    windows, size = [tf.constant(image)], image.shape[0]
    if portable:
        clip = augmentations.transform(
            windows, size, implementation=form, color=color, portable=True
        )
    else:
        clip = opencv_ops.transform(windows, size, implementation=form, color=color)
    return clip[0].numpy().astype(int)


if __name__ == "__main__":
    main()
