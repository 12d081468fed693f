import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import numbered_frames, write_data_set
from run_fixtures import new_state, run_config

from vie_tf.config import DataConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.search.clip_features import Network, averaged, blocks_of_data_set
from vie_tf.storage.manifest import Manifest, RefusedEntry

pytestmark = pytest.mark.usefixtures("toy_networks")

BROKEN_ID = 8


def with_a_broken_video(video_id, num_frames):
    frames = numbered_frames(video_id, num_frames)
    if video_id == BROKEN_ID:
        frames = [frame[: len(frame) // 3] for frame in frames]
    return frames


def make_run(folder, **model):
    data_dir, model_dir = str(folder / "data"), str(folder / "run")
    config = with_family_defaults(run_config(data_dir, model_dir, model=model))
    manifest = Manifest.load(data_dir)
    directory = RunDirectory(model_dir)
    directory.save_config(config, manifest)
    directory.save(new_state(config, manifest))
    return model_dir


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("responses")
    write_data_set(folder / "data", make_frames=with_a_broken_video)
    make_run(folder)
    return folder


def all_answers(network, folder, videos_per_block):
    manifest = Manifest.load(str(folder / "data"))
    answers = []
    for block in blocks_of_data_set(str(folder / "data"), manifest, videos_per_block):
        answers += [(block.split, answer) for answer in network.answers(block)]
    return answers


@pytest.mark.parametrize(
    ("videos_per_block", "sizes"), [(1, [4, 4, 2, 4]), (5, [8, 2, 4]), (99, [10, 4])]
)
def test_blocks_are_whole_shards_of_one_split(folder, videos_per_block, sizes):
    manifest = Manifest.load(str(folder / "data"))
    blocks = blocks_of_data_set("data", manifest, videos_per_block)
    assert [len(block.manifest.videos) for block in blocks] == sizes
    assert [v for block in blocks for v in block.manifest.videos] == [
        *manifest.split("train"),
        *manifest.split("val"),
    ]
    for block in blocks:
        assert {video.split for video in block.manifest.videos} == {block.split}


def test_every_video_is_answered_and_a_broken_one_is_told_with_its_reason(folder):
    network = Network(str(folder / "run"), "latest", ["embedding"], 2)
    answers = all_answers(network, folder, 5)
    refused = [a for _, a in answers if isinstance(a, RefusedEntry)]
    assert [entry.source for entry in refused] == [f"{BROKEN_ID}.mp4"]
    assert "no whole JPEG" in refused[0].reason
    data = DataConfig(str(folder / "data"), on_bad_record="skip")
    run = RestoredRun.load(str(folder / "run"), data)
    for split, count in (("train", 9), ("val", 4)):
        values = [
            answer.values["embedding"]
            for name, answer in answers
            if name == split and not isinstance(answer, RefusedEntry)
        ]
        found = np.concatenate(values)
        assert found.shape == (count, 2, 16)
        wanted = run.embed(split, 2).values
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_endpoints_are_those_of_the_model_in_float32(tmp_path):
    write_data_set(tmp_path / "data", num_train=2, num_val=0)
    model_dir = make_run(tmp_path, name="two_stream_s", precision="mixed_bfloat16")
    names = ["conv1", "pooled", "embedding"]
    network = Network(model_dir, "latest", names, 3)
    ((_, answers),) = all_answers(network, tmp_path, 99)
    for name in names:
        assert answers.values[name].shape == (2, 3, *network.shapes[name])
        assert answers.values[name].dtype == np.float32
    with pytest.raises(ValueError, match="conv9: --model=two_stream_s has conv1, "):
        Network(model_dir, "latest", ["conv9"], 3)


def test_images_need_a_static_video(tmp_path):
    write_data_set(tmp_path / "data", num_frames=1, num_train=2, num_val=0)
    model_dir = make_run(tmp_path)
    with pytest.raises(ValueError, match="Add --static_video"):
        all_answers(Network(model_dir, "latest", ["embedding"], 1), tmp_path, 99)
    network = Network(model_dir, "latest", ["embedding"], 1, static_video=True)
    ((_, answers),) = all_answers(network, tmp_path, 99)
    assert answers.values["embedding"].shape == (2, 1, 16)
    assert network.frames_of(answers.videos).tolist() == [[[0, 0]], [[0, 0]]]


def test_directions_are_scaled_to_unit_norm_and_activations_are_not():
    values = tf.random.stateless_normal([3, 2, 5], [0, 0]).numpy()
    means = values.mean(axis=1)
    np.testing.assert_allclose(averaged("conv1", values), means)
    for name in ("embedding", "pooled"):
        unit = averaged(name, values)
        np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(
            unit, means / np.linalg.norm(means, axis=1)[:, None], rtol=1e-5
        )


def test_another_checkpoint_has_another_fingerprint(folder, tmp_path):
    first = Network(str(folder / "run"), "latest", ["embedding"], 1).fingerprint
    assert Network(str(folder / "run"), "latest", ["pooled"], 2).fingerprint == first
    write_data_set(tmp_path / "data")
    config = with_family_defaults(
        run_config(tmp_path / "data", tmp_path / "run", seed=1)
    )
    directory = RunDirectory(str(tmp_path / "run"))
    manifest = Manifest.load(str(tmp_path / "data"))
    directory.save_config(config, manifest)
    directory.save(new_state(config, manifest))
    other = Network(str(tmp_path / "run"), "latest", ["embedding"], 1)
    assert other.fingerprint != first


def test_a_data_set_without_videos_is_refused():
    refused = (RefusedEntry("a.mp4", "it is empty"),)
    manifest = Manifest((), videos=(), shards=(), refused=refused, settings={})
    with pytest.raises(ValueError, match="'data' has no videos; 1 were refused"):
        blocks_of_data_set("data", manifest)
