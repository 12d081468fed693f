"""Networks that come with the package."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from video_fixtures import write_video

from vie_tf.commands import embed, train
from vie_tf.config import READY_NETWORKS
from vie_tf.evaluation import restored_network
from vie_tf.runs.ready import ready_network
from vie_tf.runs.run_directory import RunDirectory

FOLDER = pathlib.Path(ready_network.__file__).parent
# Of the first components of `people`, for the clip of `gratings`.
EXPECTED = (-0.1229, -0.1449, -0.0551, 0.1407, -0.0958, 0.0549)


def gratings(shape):
    """A clip [1, T, S, S, 2] uint8 of bars that move to the right."""
    time, row, column, channel = np.indices(shape)
    phase = (column + 2 * time + 3 * channel) / 5 + row / 11
    return np.uint8(127.5 + 100 * np.sin(phase))[None]


def embedding_of(folder):
    network = restored_network.load(folder)
    clips = tf.constant(gratings(network.recipe.shape))
    return network.model(clips, training=False)["embedding"].numpy()[0]


@pytest.mark.parametrize("name", READY_NETWORKS)
def test_it_takes_at_most_6_megabytes_and_names_no_folder(name):
    files = sorted(FOLDER.glob(f"{name}.*"))
    assert [path.suffix for path in files] == [".json", ".npz"]
    assert sum(path.stat().st_size for path in files) < 6e6
    config = json.loads(files[0].read_text())
    assert (config["data"]["data_dir"], config["train"]["model_dir"]) == (name, name)
    assert "/" not in files[0].read_text()


def test_its_embeddings_are_known():
    found = embedding_of(ready_network.unpacked("people"))
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found[:6], EXPECTED, atol=2e-4)


def test_it_is_packed_to_what_it_was_unpacked_from(tmp_path):
    folder = ready_network.unpacked("people")
    assert RunDirectory(folder).load_config()[0].model.name == "3dresnet"
    ready_network.pack(folder, "people", str(tmp_path))
    with (
        np.load(tmp_path / "people.npz") as again,
        np.load(FOLDER / "people.npz") as stored,
    ):
        assert sorted(again.files) == sorted(stored.files)
        for key in stored.files:
            np.testing.assert_array_equal(again[key], stored[key])


def test_a_folder_is_embedded_and_searched_without_a_run(tmp_path, capsys):
    for number, first in enumerate((0, 120, 1, 180)):
        write_video(tmp_path / "videos" / f"{number}.avi", 30, first=first)
    index = tmp_path / "index"
    asked = f"--videos={tmp_path / 'videos'}", "--network=people", f"--output={index}"
    assert embed.main([*asked, "--num_processes=1"]) == 0
    assert "3dresnet, --network=people; 0 refused" in capsys.readouterr().out
    known = json.loads((index / "index.json").read_text())
    assert known["made_from"]["network"] == "people"
    assert (known["model_dir"], known["step"]) == ("", 2400)
    query = f"--query={tmp_path / 'videos' / '0.avi'}", f"--index={index}"
    assert embed.main([*query, "--num_processes=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "among 4 videos" in lines[0]
    assert {line.split()[-1] for line in lines[1:4]} == {"1.avi", "2.avi", "3.avi"}


@pytest.mark.parametrize("flag", ["--model_dir=run", "--checkpoint=best"])
def test_what_is_for_a_run_is_refused(flag, capsys, tmp_path):
    asked = "--videos=videos", "--network=people", f"--output={tmp_path / 'out'}"
    assert embed.main([*asked, flag]) == 1
    assert "comes with the package: leave one of them out" in capsys.readouterr().err


def test_a_run_starts_from_it(tmp_path, capsys):
    write_data_set(str(tmp_path / "data"), num_frames=40)
    run = tmp_path / "run"
    asked = f"--data_dir={tmp_path / 'data'}", f"--model_dir={run}", "--preset=small"
    asked = *asked, "--network_from=people", "--train_steps=0", "--learning_videos=0"
    assert train.main([*asked]) == 0
    assert "Starting from the network of people" in capsys.readouterr().out
    packed = embedding_of(ready_network.unpacked("people"))
    np.testing.assert_allclose(embedding_of(str(run)), packed, atol=1e-6)
