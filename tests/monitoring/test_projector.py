"""The files of the projector, as TensorBoard's own plugin serves them."""

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from projector_plugin import Plugin
from record_fixtures import numbered_frames, write_data_set
from run_fixtures import DIM, grid_state, run_config, unit_rows, with_settings

from vie_tf.commands import projector as command
from vie_tf.config import DataConfig
from vie_tf.input.instances import Instances
from vie_tf.models.from_config import with_family_defaults
from vie_tf.monitoring import projector
from vie_tf.runs.run_directory import RunDirectory

EXPECTED = pathlib.Path(__file__).parents[1] / "fixtures/expected_projector.txt"
NUM_VIDEOS = 10
STEP = 7


def frames_one_of_which_is_cut(video_id, num_frames):
    frames = numbered_frames(video_id, num_frames)
    return [frame[: len(frame) // 3] for frame in frames] if video_id == 9 else frames


def make_run(data_dir, model_dir, num_rows=None, num_classes=2, **view):
    """A run at step 7 whose bank has known rows; returns its manifest."""
    make_frames = frames_one_of_which_is_cut
    manifest = write_data_set(
        data_dir, NUM_VIDEOS, make_frames=make_frames, num_classes=num_classes
    )
    config = with_family_defaults(run_config(data_dir, model_dir))
    config = with_settings(config, "data", **view)
    count = num_rows or Instances.from_config(config.data, manifest).count
    state = grid_state(np.zeros(count, np.int64))
    state.bank.rows.assign(unit_rows(count))
    state.step.assign(STEP)
    directory = RunDirectory(str(model_dir))
    directory.save_config(config, manifest)
    directory.save(state)
    return manifest


@pytest.fixture(name="folders")
def fixture_folders(tmp_path):
    return str(tmp_path / "data"), str(tmp_path / "run")


def test_tensorboard_finds_rows_labels_and_thumbnails(folders, tmp_path):
    manifest = make_run(*folders)
    projector.export(folders[1], folders[0])
    plugin = Plugin(tmp_path / "run" / "tensorboard")
    (run,) = plugin.get("/runs").get_json()
    (embedding,) = plugin.get("/info", run=run).get_json()["embeddings"]
    assert embedding["tensorShape"] == [NUM_VIDEOS, DIM]
    asked = {"run": run, "name": embedding["tensorName"]}
    tensor = np.frombuffer(plugin.get("/tensor", **asked).get_data(), np.float32)
    np.testing.assert_array_equal(tensor.reshape(-1, DIM), unit_rows(NUM_VIDEOS))
    lines = plugin.get("/metadata", **asked).get_data(as_text=True).splitlines()
    videos = manifest.split("train")
    assert lines[0].split("\t") == ["id", "label", "source", "frames"]
    assert [line.split("\t") for line in lines[1:]] == [
        [str(video.id), f"class_{video.label}", video.source, "0 to 19"]
        for video in videos
    ]
    sprite = plugin.get("/sprite_image", **asked)
    assert sprite.mimetype == "image/jpeg"
    pixels = tf.io.decode_jpeg(sprite.get_data()).numpy()
    assert embedding["sprite"]["singleImageDim"] == [64, 64]
    assert pixels.shape == (3 * 64, 4 * 64, 3)
    for point, video in enumerate(videos):
        top, left = 64 * (point // 4), 64 * (point % 4)
        tile = pixels[top : top + 64, left : left + 64]
        # The frame has the gray level of its video on the right.
        wanted = 128 if video.id == 9 else 5 * (video.id % 50)
        np.testing.assert_allclose(tile[8:-8, 24:56], wanted, atol=8)


def test_a_run_in_a_folder_of_runs_is_found_as_well(folders, tmp_path):
    make_run(*folders)
    projector.export(folders[1], folders[0])
    writer = tf.summary.create_file_writer(os.path.join(folders[1], "tensorboard"))
    with writer.as_default(step=1):
        tf.summary.scalar("train/loss", 1.0)
    writer.close()
    plugin = Plugin(tmp_path)
    runs = plugin.get("/runs").get_json()
    assert runs == [os.path.join("run", "tensorboard")]
    name = f"memory bank at step {STEP}"
    tensor = plugin.get("/tensor", run=runs[0], name=name).get_data()
    assert len(tensor) == 4 * NUM_VIDEOS * DIM


def test_of_a_large_bank_a_random_sample_is_shown(folders, tmp_path):
    make_run(*folders)
    first = projector.export(folders[1], folders[0], num_points=4)
    assert list(first.bank_index) == sorted(set(first.bank_index))
    assert len(first.bank_index) == 4
    folder = tmp_path / "run" / "tensorboard" / "projector"
    written = np.fromfile(folder / "rows.bytes", np.float32).reshape(4, DIM)
    np.testing.assert_array_equal(written, unit_rows(NUM_VIDEOS)[first.bank_index])
    # The same again, so that checkpoints can be compared.
    second = projector.export(folders[1], folders[0], num_points=4)
    np.testing.assert_array_equal(second.bank_index, first.bank_index)


def test_the_rows_of_a_view_have_the_videos_and_bins_of_the_view(folders, tmp_path):
    manifest = make_run(*folders, subset=0.5, bin_frames=8)
    projection = projector.export(folders[1], folders[0])
    view = Instances.from_config(DataConfig("", subset=0.5, bin_frames=8), manifest)
    assert projection.num_rows == view.count == 15  # three bins of five videos
    path = tmp_path / "run" / "tensorboard" / "projector" / "metadata.tsv"
    columns = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    assert [int(c[0]) for c in columns] == [v.id for v in view.videos for _ in range(3)]
    assert [c[3] for c in columns[:3]] == ["0 to 7", "8 to 15", "16 to 19"]


def test_rows_of_videos_that_were_appended_later_are_left_out(folders):
    grown = make_run(*folders, num_rows=6)
    directory, before = RunDirectory(folders[1]), grown.prefix(6, 2)
    directory.save_config(directory.load_config()[0], before)
    assert directory.data_set()["num_videos"] == 6
    projection = projector.export(folders[1], folders[0])
    assert projection.num_rows == 6


def test_a_bad_record_is_said_and_the_command_succeeds(folders, capsys):
    make_run(*folders)
    code = command.main([f"--model_dir={folders[1]}", f"--data_dir={folders[0]}"])
    assert code == 0
    printed = capsys.readouterr().out.replace(folders[1], "RUN")
    assert printed.replace(folders[0], "DATA") == EXPECTED.read_text()


@pytest.mark.parametrize("arguments", [["--num_points=0"], ["--num_points=100001"]])
def test_more_points_than_the_projector_shows_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        command.main(["--model_dir=run", "--data_dir=data", *arguments])
    printed = capsys.readouterr().err
    assert "--num_points" in printed and len(printed.splitlines()) == 1


def test_data_with_other_videos_are_refused(folders, tmp_path, capsys):
    make_run(*folders)
    write_data_set(tmp_path / "others", num_train=12)
    arguments = [f"--model_dir={folders[1]}", f"--data_dir={tmp_path / 'others'}"]
    assert command.main(arguments) == 1
    printed = capsys.readouterr().err
    assert f"those of {str(tmp_path / 'others')!r}" in printed
    assert "--data_dir" in printed
    assert len(printed.splitlines()) == 1
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_a_folder_that_cannot_be_written_is_said_before_the_work(
    folders, tmp_path, capsys, monkeypatch
):
    make_run(*folders)
    monkeypatch.setattr(projector, "_thumbnails", None)  # calling it would raise
    (tmp_path / "run" / "tensorboard").write_text("a file")
    arguments = [f"--model_dir={folders[1]}", f"--data_dir={folders[0]}"]
    assert command.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "tensorboard" in line


def test_videos_without_labels_have_none(folders, tmp_path):
    make_run(*folders, num_classes=0)
    projector.export(folders[1], folders[0])
    path = tmp_path / "run" / "tensorboard" / "projector" / "metadata.tsv"
    assert {row.split("\t")[1] for row in path.read_text().splitlines()[1:]} == {"none"}
