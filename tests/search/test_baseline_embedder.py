"""embed.py --network: embeddings and searches before anything is trained."""

import json

import numpy as np
import pytest
from record_fixtures import numbered_frames, write_data_set
from video_fixtures import cut, write_video

from vie_tf.commands import embed
from vie_tf.config import BASELINES, EmbeddingConfig
from vie_tf.metrics.baselines import vectors
from vie_tf.metrics.baselines.reading import read_vectors
from vie_tf.search.baseline_embedder import BaselineEmbedder, make_embedder
from vie_tf.search.video_source import blocks_of_data_set
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, RefusedEntry


@pytest.fixture(name="videos", scope="module")
def fixture_videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for number in range(4):
        write_video(folder / "ab"[number % 2] / f"{number}.avi", 12, first=60 * number)
    write_video(folder / "a" / "broken.mp4")
    cut(folder / "a" / "broken.mp4", 0.3)
    return folder


def call(*arguments):
    return embed.main([*map(str, arguments)])


def test_every_baseline_can_be_asked_for():
    assert set(BASELINES) == set(vectors.BASELINES)


@pytest.mark.parametrize("name", BASELINES)
def test_records_are_embedded_by_a_baseline(name, data_dir, tmp_path):
    output = tmp_path / "out"
    assert call(f"--videos={data_dir}", f"--network={name}", f"--output={output}") == 0
    manifest = Manifest.load(str(data_dir))
    videos = manifest.split("train") + manifest.split("val")
    twin = read_vectors(str(data_dir), manifest, videos, name)
    # They are scaled to unit norm once more.
    np.testing.assert_allclose(np.load(output / "embedding.npy"), twin.rows, atol=1e-6)
    index = json.loads((output / "index.json").read_text())
    assert (index["model"], index["step"], index["model_dir"]) == (name, 0, "")
    assert index["made_from"]["network"] == name


def test_a_folder_is_searched_before_anything_is_trained(videos, tmp_path, capsys):
    output = tmp_path / "out"
    asked = f"--videos={videos}", "--network=pixels", f"--output={output}"
    assert call(*asked, "--num_processes=1") == 0
    assert "4 videos by pixels" in capsys.readouterr().out
    assert call(*asked, "--num_processes=1") == 0
    assert "Nothing to do" in capsys.readouterr().out
    query = tmp_path / "query.avi"
    write_video(query, 12, first=181)  # nearly the video of the frames from 180 on
    assert call(f"--query={query}", f"--index={output}") == 0
    first = capsys.readouterr().out.splitlines()[1].split()
    assert first[0] == "1" and first[-2:] == ["b/3.avi", "(b)"]


def test_another_baseline_does_not_mix_with_the_first(data_dir, tmp_path, capsys):
    asked = f"--videos={data_dir}", f"--output={tmp_path / 'out'}"
    assert call(*asked, "--network=pixels") == 0
    assert call(*asked, "--network=motion_map") == 1
    assert "network" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flag", ["--model_dir=run", "--endpoints=conv4", "--average=none", "--num_clips=2"]
)
def test_flags_of_a_run_are_refused_without_one(flag, data_dir, tmp_path, capsys):
    asked = f"--videos={data_dir}", f"--output={tmp_path / 'out'}"
    assert call(*asked, "--network=pixels", flag) == 1
    assert flag.split("=")[0] in capsys.readouterr().err
    assert call(*asked) == 1
    assert "--model_dir" in capsys.readouterr().err


def test_a_bad_record_is_refused_with_the_reason(tmp_path):
    def frames_of(video_id, num_frames):
        frames = numbered_frames(video_id, num_frames)
        return [frame[:99] for frame in frames] if video_id == 3 else frames

    manifest = write_data_set(tmp_path, 4, 0, make_frames=frames_of)
    (block,) = blocks_of_data_set(str(tmp_path), manifest)
    embedder = make_embedder(EmbeddingConfig(network="motion_map"))
    found = list(embedder.embed(block))
    refused = [one for one in found if isinstance(one, RefusedEntry)]
    assert [one.source for one in refused] == ["3.mp4"] and refused[0].reason
    assert len(found) == 4


def test_nothing_moves_in_images(tmp_path):
    manifest = write_data_set(tmp_path, 2, 0, num_frames=1)
    (block,) = blocks_of_data_set(str(tmp_path), manifest)
    with pytest.raises(UserError, match="--network=motion_map"):
        list(BaselineEmbedder("motion_map").embed(block))
    assert len(list(BaselineEmbedder("pixels").embed(block))) == 2
