"""`import vie_tf`, and what a program does with it."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import write_run
from record_fixtures import write_data_set
from video_fixtures import write_video

import vie_tf
from data_prep.config import ConversionConfig
from data_prep.convert import conversion
from vie_tf.commands import embed as embed_command
from vie_tf.metrics.features import video_embeddings

pytestmark = pytest.mark.usefixtures("toy_networks")

FILES = [f"{number}.avi" for number in range(4)]


def test_importing_the_package_does_not_load_tensorflow():
    code = (
        "import sys, vie_tf; assert 'tensorflow' not in sys.modules;"
        "print(vie_tf.__version__, 'build' in dir(vie_tf))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == [vie_tf.__version__, "True"]


@pytest.mark.parametrize("name", vie_tf.__all__)
def test_every_public_name_is_there_and_described(name):
    found = getattr(vie_tf, name)
    assert name == "__version__" or found.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'biuld'"):
        vie_tf.biuld("slow")


@pytest.fixture(name="base", scope="module")
def fixture_base(toy_networks, tmp_path_factory):
    """Videos, their data set, and a run on it at its first moment."""
    base = tmp_path_factory.mktemp("api")
    for number, name in enumerate(FILES):
        write_video(base / "videos" / name, 12 + number, first=7 * number)
    config = ConversionConfig(
        *(str(base / "videos"), str(base / "data")),
        shortest_side=40,
        num_processes=1,
    )
    conversion.convert(config)
    write_run(base / "run", base / "data")
    flags = [f"--videos={base / 'videos'}", f"--model_dir={base / 'run'}"]
    flags += [f"--output={base / 'embeddings'}", "--num_processes=1"]
    assert embed_command.main(flags) == 0
    return base


@pytest.fixture(name="run", scope="module")
def fixture_run(base):
    return vie_tf.load(base / "run")


@pytest.fixture(name="of_files", scope="module")
def fixture_of_files(base):
    """What embed.py wrote, in the order of the names."""
    return vie_tf.Index(base / "embeddings").embeddings


def test_a_run_says_what_it_is(run):
    assert run.clip.shape == (2, 32, 32, 3)
    assert (run.step, run.model.name) == (0, "slow")


def test_files_are_embedded_as_by_the_command(base, run, of_files):
    paths = [str(base / "videos" / name) for name in FILES]
    np.testing.assert_allclose(run.embed(base / "videos"), of_files, atol=1e-6)
    np.testing.assert_allclose(run.embed(paths[::-1]), of_files[::-1], atol=1e-6)
    np.testing.assert_allclose(run.embed(paths[2]), of_files[2:3], atol=1e-6)


def test_a_tf_data_set_is_embedded_in_its_order(base, run):
    clips = vie_tf.dataset(base / "data", "train", run.clip)
    model = vie_tf.load(base / "run").model
    values = [
        model(tf.reshape(batch["clips"], [-1, 2, 32, 32, 3]))["embedding"].numpy()
        for batch in clips
    ]
    expected = video_embeddings(np.concatenate(values).reshape(-1, 5, 16))
    np.testing.assert_allclose(run.embed(clips), expected, atol=1e-6)


def test_frames_of_another_size_are_resized(run):
    draw = np.random.default_rng(0)
    small = draw.integers(0, 256, (9, 40, 60, 3), np.uint8)
    large = np.repeat(np.repeat(small, 4, axis=1), 4, axis=2)
    clips = run.preprocess(small)
    assert clips.shape == (10, 2, 32, 32, 3)
    # Blocks are averaged before the rest is resized: the same up to the window's edge.
    difference = np.abs(run.preprocess(large).numpy().astype(int) - clips)
    assert np.median(difference) <= 16
    np.testing.assert_allclose(np.linalg.norm(run.embed(small), axis=1), [1], rtol=1e-6)


def test_videos_of_frames_are_rows(run):
    draw = np.random.default_rng(1)
    frames = draw.integers(0, 256, (3, 9, 40, 60, 3), np.uint8)
    rows = run.embed(tf.data.Dataset.from_tensor_slices(frames))
    assert rows.shape == (3, 16)
    np.testing.assert_allclose(rows[1:2], run.embed(frames[1]), atol=1e-6)


def test_endpoints_are_means_over_clips(run):
    frames = np.random.default_rng(2).integers(0, 256, (9, 40, 60, 3), np.uint8)
    endpoints = run.endpoints(frames)
    assert {"embedding", "pooled", "conv1", "conv5"} <= {*endpoints}
    values = run.model(run.preprocess(frames))["conv5"].numpy()
    np.testing.assert_allclose(endpoints["conv5"][0], values.mean(axis=0), atol=1e-5)


def test_the_nearest_videos_are_those_of_the_index(base, of_files):
    index = vie_tf.Index(base / "embeddings")
    assert len(index) == 4
    by_row = index.nearest(of_files[1], count=2)
    assert (by_row[0].source, by_row[0].row) == (FILES[1], 1)
    assert by_row[0].cosine == pytest.approx(1.0, abs=1e-5)
    shutil.copy(base / "videos" / FILES[1], base / "copy.avi")
    by_file = index.nearest(base / "copy.avi", 2, search_by="embedding")
    assert [one.source for one in by_file] == [one.source for one in by_row]
    own = index.nearest(base / "videos" / FILES[1], 2, search_by="embedding")
    assert own[0].source == by_row[1].source  # not itself


def test_training_clips_have_labels_and_go_on(tmp_path):
    write_data_set(tmp_path)
    recipe = vie_tf.ClipRecipe(2, 2, 32, "sparse")
    clips = vie_tf.dataset(tmp_path, "train", recipe, training=True, batch_size=7)
    first, second = clips.take(2)
    assert first["clips"].shape == (7, 2, 32, 32, 3)
    assert {*first} >= {"rows", "labels"}
    rows = np.concatenate([first["rows"], second["rows"]])
    assert sorted(rows[:10]) == [*range(10)]


# ---------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros([9, 40, 60, 3], np.float32), "uint8, 0 to 255.*float32"),
        (np.zeros([40, 60, 3], np.uint8), r"\[F, H, W, 3\].*\[40, 60, 3\]"),
        (np.zeros([9, 40, 60, 1], np.uint8), r"\[9, 40, 60, 1\]"),
        (np.zeros([1, 40, 60, 3], np.uint8), "one frame.*static_video"),
        (["no.mp4"], "'no.mp4' is not a file"),
        ("nowhere", "'nowhere' does not exist"),
    ],
)
def test_what_cannot_be_embedded_is_refused_in_one_line(run, frames, message):
    with pytest.raises(vie_tf.UserError, match=message) as error:
        run.embed(frames)
    assert "\n" not in str(error.value)


def test_clips_of_another_recipe_are_refused(base, run):
    clips = vie_tf.dataset(base / "data", "train", vie_tf.ClipRecipe(2, 2, 40, "dense"))
    with pytest.raises(vie_tf.UserError, match=r"\[2, 40, 40, 3\].*\[2, 32, 32, 3\]"):
        run.embed(clips)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda base: vie_tf.load(base / "nowhere"), "nowhere"),
        (lambda base: vie_tf.Index(base / "run"), "no embeddings"),
        (lambda base: vie_tf.dataset(base / "data", "fit", "slow"), "'fit'"),
        (lambda base: vie_tf.dataset(base / "data", "val", "slaw"), "'slaw'"),
        (lambda base: vie_tf.dataset(base, "val", "slow", crops="x"), "'crops'"),
        (
            lambda base: vie_tf.Index(base / "embeddings").nearest(np.zeros(3)),
            "16 dimensions",
        ),
        (
            lambda base: vie_tf.load(base / "run").endpoints("x", ["conv9"]),
            "'conv9'; there are",
        ),
    ],
)
def test_errors_are_one_line(base, call, message):
    with pytest.raises(vie_tf.UserError, match=message) as error:
        call(base)
    assert "\n" not in str(error.value)
