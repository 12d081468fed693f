"""That `benchmarks.input_pipeline` compares like with like."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("PIL")

from frame_fixtures import PILLOWS_COLORS, PILLOWS_HUES, SAMPLED, reference_frame
from PIL import Image

from benchmarks import input_pipeline as benchmark
from benchmarks.peers import pillow_loader
from benchmarks.peers.pillow_loader import Draw
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.storage.manifest import Manifest

OPERATIONS = ("adjust_brightness", "adjust_contrast", "adjust_saturation")


def recolored(factors, order):
    draw = Draw(256, 0, 0, factors, order, False, False)
    image = np.asarray(pillow_loader.recolor(Image.fromarray(reference_frame()), draw))
    return [image[position].tolist() for position in SAMPLED]


@pytest.mark.parametrize("operation,amount,wanted", PILLOWS_COLORS)
def test_the_peer_is_the_authors_loader(operation, amount, wanted):
    factors = [1.0, 1.0, 1.0, 0.0]
    factors[OPERATIONS.index(operation)] = amount
    assert recolored(factors, (OPERATIONS.index(operation),)) == wanted


@pytest.mark.parametrize("turns,wanted", PILLOWS_HUES)
def test_the_peers_hue_is_the_authors(turns, wanted):
    assert recolored([1, 1, 1, turns], (3,)) == wanted


def test_all_ways_make_clips_of_the_same_frames(tmp_path):
    data_dir = benchmark.write_frames(str(tmp_path), num_videos=2, num_frames=6)
    manifest = Manifest.load(data_dir)
    recipe = ClipRecipe(2, 1, crop_size=112, sampling="dense")
    rates = benchmark.measure(data_dir, manifest, recipe, seconds=0.01, rounds=1)
    assert all(rate > 0 for rate in rates.values())
    assert set(rates) == {
        *("decode", "shards", "sh.fast", "Pillow", "diff", "both"),
        *("fast", "fast*", "exact", "exact*"),
    }
    frames = benchmark.frames_of(data_dir, 2)
    assert all(tf.io.decode_jpeg(frame).shape == (320, 426, 3) for frame in frames)


def test_our_colors_are_pillows_within_a_few_levels():
    draw = Draw(256, 0, 0, (1.2, 0.8, 1.3, 0.1), (2, 0, 3, 1), False, False)
    image = reference_frame()[:, :48]
    pillow = np.asarray(pillow_loader.recolor(Image.fromarray(image), draw))
    ours = benchmark.recolored(image, draw, "exact", portable=False)
    assert np.abs(ours - pillow).mean() < 2  # hue in 256 steps on strong colors
