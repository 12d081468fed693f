import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import write_run
from record_fixtures import numbered_frames, write_data_set

from vie_tf.config import DataConfig, EmbeddingConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import sampling
from vie_tf.search.embedder import VideoEmbedder, averaged
from vie_tf.search.video_source import blocks_of_data_set
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, RefusedEntry

BROKEN_ID = 8


def with_a_broken_video(video_id, num_frames):
    frames = numbered_frames(video_id, num_frames)
    if video_id == BROKEN_ID:
        frames = [frame[: len(frame) // 3] for frame in frames]
    return frames


def embedder_of(run, *endpoints, num_clips=2, static_video=False):
    return VideoEmbedder(
        EmbeddingConfig(
            model_dir=str(run),
            endpoints=endpoints,
            num_clips=num_clips,
            static_video=static_video,
        )
    )


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    write_data_set(folder / "data", make_frames=with_a_broken_video)
    write_run(folder / "run", folder / "data")
    return folder


def all_features(embedder, data_dir, videos_per_block=99):
    """Pairs of a split and what the embedder yields for its videos."""
    manifest = Manifest.load(str(data_dir))
    return [
        (block.split, features)
        for block in blocks_of_data_set(str(data_dir), manifest, videos_per_block)
        for features in embedder.embed(block)
    ]


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


def test_every_video_has_features_and_a_broken_one_the_reason(folder):
    found = all_features(embedder_of(folder / "run", "embedding"), folder / "data", 5)
    refused = [one for _, one in found if isinstance(one, RefusedEntry)]
    assert [entry.source for entry in refused] == [f"{BROKEN_ID}.mp4"]
    assert refused[0].reason
    data = DataConfig(str(folder / "data"), on_bad_record="skip")
    run = RestoredRun.load(str(folder / "run"), data)
    for split, count in (("train", 9), ("val", 4)):
        values = np.concatenate(
            [
                features.values["embedding"]
                for name, features in found
                if name == split and features not in refused
            ]
        )
        assert values.shape == (count, 2, 16)
        wanted = run.embed(split, 2).values
        np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-6)


def test_all_frames_are_read_where_a_rule_is_the_users_own(folder, monkeypatch):
    embedder = embedder_of(folder / "run", "embedding")
    assert embedder.frames_read(100)  # those of a rule that every process knows
    name = embedder._recipe.sampling
    rule = sampling.SAMPLING_RULES[name]
    own = rule._replace(spread=lambda *arguments: rule.spread(*arguments))
    monkeypatch.setitem(sampling.SAMPLING_RULES, name, own)
    assert embedder_of(folder / "run", "embedding").frames_read is None


def test_endpoints_are_those_of_the_model_in_float32(tmp_path):
    write_data_set(tmp_path / "data", num_train=2, num_val=0)
    model = {"name": "two_stream_s", "precision": "mixed_bfloat16"}
    write_run(tmp_path / "run", tmp_path / "data", model=model)
    names = ["conv1", "pooled", "embedding"]
    embedder = embedder_of(tmp_path / "run", *names, num_clips=3)
    ((_, features),) = all_features(embedder, tmp_path / "data")
    for name in names:
        assert features.values[name].shape == (2, 3, *embedder.shapes[name])
        assert features.values[name].dtype == np.float32
    with pytest.raises(UserError, match="--endpoints=conv9.*conv1"):
        embedder_of(tmp_path / "run", "conv9")


def test_images_need_a_static_video(tmp_path):
    write_data_set(tmp_path / "data", num_frames=1, num_train=2, num_val=0)
    write_run(tmp_path / "run", tmp_path / "data")
    settings = {"num_clips": 1}
    with pytest.raises(UserError, match="--static_video"):
        embedder = embedder_of(tmp_path / "run", "embedding", **settings)
        all_features(embedder, tmp_path / "data")
    settings["static_video"] = True
    embedder = embedder_of(tmp_path / "run", "embedding", **settings)
    ((_, features),) = all_features(embedder, tmp_path / "data")
    assert features.values["embedding"].shape == (2, 1, 16)
    assert embedder.frames_of(features.videos).tolist() == [[[0, 0]], [[0, 0]]]


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
    first = embedder_of(folder / "run", "embedding").fingerprint
    same = embedder_of(folder / "run", "pooled", num_clips=3)
    assert same.fingerprint == first
    write_run(tmp_path / "run", folder / "data", seed=1)
    assert embedder_of(tmp_path / "run", "embedding").fingerprint != first


def test_a_data_set_without_videos_is_refused():
    refused = (RefusedEntry("a.mp4", "it is empty"),)
    manifest = Manifest((), videos=(), shards=(), refused=refused, settings={})
    with pytest.raises(UserError, match="1 were refused"):
        blocks_of_data_set("data", manifest)


@pytest.mark.parametrize("name", ["differences", "both"])
def test_a_network_of_differences_embeds_as_it_is_evaluated(data_dir, tmp_path, name):
    write_run(tmp_path / "run", data_dir, model={"input": name})
    run = RestoredRun.load(str(tmp_path / "run"), DataConfig(str(data_dir)))
    assert run.recipe.input == name
    embedder = embedder_of(tmp_path / "run", "embedding")
    values = {
        split: features.values["embedding"]
        for split, features in all_features(embedder, data_dir)
    }
    for split in ("train", "val"):
        wanted = run.embed(split, 2).values
        np.testing.assert_allclose(values[split], wanted, rtol=1e-5, atol=1e-6)


def test_a_network_of_differences_is_given_no_images(tmp_path):
    write_data_set(tmp_path / "data", num_frames=1, num_train=2, num_val=0)
    write_run(tmp_path / "run", tmp_path / "data", model={"input": "differences"})
    with pytest.raises(UserError, match="--input=differences.*--input=frames"):
        all_features(embedder_of(tmp_path / "run", "embedding"), tmp_path / "data")
