"""The input of a run, looked at and measured without running it."""

import cv2
import numpy as np
import pytest
from run_fixtures import run_config, with_settings

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.inspection import batch_picture
from vie_tf.input.inspection.input_rates import InputRates
from vie_tf.training import dry_run

RECIPE = ClipRecipe(num_frames=2, frame_interval=1, crop_size=32, sampling="dense")


def clips_of(data_dir, **options):
    return pipeline.training_clips(
        DataConfig(str(data_dir), **options),
        dry_run.Manifest.load(data_dir),
        RECIPE,
        batch_size=4,
        seed=0,
    )


def test_an_example_is_the_clip_that_the_batch_has(data_dir):
    clips = clips_of(data_dir)
    batch = next(iter(clips))
    for number in range(4):
        example = clips.example(number)
        np.testing.assert_array_equal(example.clip, batch["clips"][number])
        assert example.frames.shape == (2, 36, 48, 3)
        assert example.indices[1] == (example.indices[0] + 1) % 20
        gray = np.median(example.frames[example.frames < 200])
        assert gray == pytest.approx(5 * (example.video.id % 50), abs=5)


def test_the_window_of_an_example_is_what_becomes_the_clip(data_dir):
    clips = clips_of(data_dir, color="none")
    for number in range(6):
        example = clips.example(number)
        top, left, height, width = example.window
        cut = example.frames[0][top : top + height, left : left + width]
        wanted = cv2.resize(np.ascontiguousarray(cut), (32, 32)).astype(int)
        # Flipped or not.
        distances = [
            np.abs(example.clip[0] - wanted).mean(),
            np.abs(example.clip[0][:, ::-1] - wanted).mean(),
        ]
        assert min(distances) < 4


def test_a_picture_shows_every_clip_twice(data_dir):
    clips = clips_of(data_dir)
    one, two = (
        batch_picture.draw([clips.example(n) for n in range(count)], "title").pixels
        for count in (1, 2)
    )
    assert one.dtype == np.uint8
    rows = 2 * 160
    assert two.shape[0] - one.shape[0] > rows
    assert len(np.unique(two)) > 20


def test_show_batch_writes_a_picture_and_no_run(data_dir, tmp_path, capsys):
    config = run_config(data_dir, tmp_path / "run")
    path = dry_run.show_batch(config, 3)
    assert path == str(tmp_path / "run" / "batch.png")
    assert cv2.imread(path) is not None
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["batch.png"]
    assert "3 clips" in capsys.readouterr().out


@pytest.mark.parametrize("loss", ["ir", "supervised"])
def test_a_check_measures_all_stages_and_writes_nothing(
    data_dir, tmp_path, capsys, monkeypatch, loss
):
    monkeypatch.setattr(dry_run, "_SECONDS", 0.1)
    config = run_config(data_dir, tmp_path / "run", loss={"name": loss})
    rates = dry_run.check_input(with_settings(config, "data", color="fast"))
    for rate in (rates.read, rates.decode, rates.augment, rates.batch, rates.step):
        assert rate > 0
    assert not (tmp_path / "run").exists()
    assert "limits" in capsys.readouterr().out


@pytest.mark.parametrize(
    "rates,wanted",
    [
        (InputRates(read=900, decode=300, augment=200, batch=200, step=50), "network"),
        (InputRates(read=50, decode=45, augment=40, batch=40, step=90), "--cache_dir"),
        (InputRates(read=900, decode=100, augment=95, batch=95, step=99), "decoding"),
        (InputRates(read=900, decode=300, augment=90, batch=90, step=99), "--color=fa"),
    ],
)
def test_the_advice_names_what_limits_and_what_helps(rates, wanted):
    assert wanted in rates.advice("exact", has_gpu=True)


def test_the_advice_does_not_advise_what_is_done_already():
    rates = InputRates(read=900, decode=300, augment=90, batch=90, step=99)
    assert "--color" not in rates.advice("fast", has_gpu=True)
