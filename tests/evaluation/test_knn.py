"""kNN and retrieval as tasks, on a small run that has learned nothing."""

import dataclasses
import errno
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from label_fixtures import write_run
from record_fixtures import numbered_frames, write_data_set
from run_fixtures import new_state, run_config

from vie_tf.config import DataConfig, KnnConfig, KnnTaskConfig, RetrievalConfig
from vie_tf.evaluation import results
from vie_tf.evaluation.neighbors import knn_task, retrieval_task
from vie_tf.evaluation.report.evaluated_network import collect
from vie_tf.evaluation.report.paper_tables import PaperTables
from vie_tf.evaluation.report.sections import report
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.input.clips import BadRecord
from vie_tf.metrics import knn, nearest
from vie_tf.metrics.baselines.reading import read_vectors
from vie_tf.metrics.features import video_embeddings
from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import FileError, UserError

pytestmark = pytest.mark.usefixtures("toy_networks")

KNN = KnnTaskConfig(ks=(3, 1), temperatures=(0.07, 1.0), num_clips=2)
RETRIEVAL = RetrievalConfig(KnnConfig(k=3, num_clips=2), num_shown=2)


BROKEN_IDS = (8, 15)  # the sixth of ten training videos, the second of the others


def with_broken_frames(video_id, num_frames):
    frames = numbered_frames(video_id, num_frames)
    if video_id in BROKEN_IDS:
        frames = [frame[: len(frame) // 3] for frame in frames]
    return frames


def make_run(data_dir, model_dir):
    """A run at step 0 with a checkpoint."""
    write_run(model_dir, data_dir)
    return str(model_dir)


def load(model_dir, data_dir, **data):
    return RestoredRun.load(model_dir, DataConfig(str(data_dir), **data))


def labels_of(videos):
    return np.array([video.label for video in videos])


@pytest.fixture(name="model_dir", scope="module")
def fixture_model_dir(tmp_path_factory, data_dir):
    return make_run(data_dir, tmp_path_factory.mktemp("run"))


def test_every_pair_of_the_grid_is_what_it_is_alone(model_dir, data_dir, capsys):
    run = load(model_dir, data_dir)
    queries = run.embed("val", 2).values
    gallery = video_embeddings(run.embed("train", 2).values)
    labels, gallery_labels = labels_of(run.queries), labels_of(run.gallery)
    result = knn_task.evaluate(run, KNN)
    pairs = [(row["k"], row["temperature"]) for row in result["grid"]]
    assert pairs == [(3, 0.07), (3, 1.0), (1, 0.07), (1, 1.0)]
    for row in result["grid"]:
        votes = {"k": row["k"], "temperature": row["temperature"]}
        alone = knn.classify_videos(gallery, gallery_labels, queries, 2, **votes)
        assert row == {**votes, **knn.accuracies(alone, labels)}
    assert result["top1"] == result["grid"][0]["top1"]
    votes = {"k": 3, "temperature": 0.07}
    assert result["settings"] == {**votes, "num_clips": 2, "gallery": "features"}
    with open(f"{model_dir}/eval/knn.json") as file:
        assert json.load(file) == result
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == "top-1 by k and T T=0.07 T=1".split() for line in lines)
    assert any(line.startswith("  k=1") for line in lines)


def test_the_bank_of_a_checkpoint_is_the_gallery_of_the_authors(model_dir, data_dir):
    run = load(model_dir, data_dir)
    queries = run.embed("val", 2).values
    rows = RunDirectory(model_dir).checkpoint().read_bank()
    probabilities = knn.classify_videos(rows, run.bank_labels, queries, 2, k=3)
    labels = labels_of(run.queries)
    result = knn_task.evaluate(run, dataclasses.replace(KNN, gallery="bank"))
    assert result["top1"] == knn.accuracies(probabilities, labels)["top1"]
    assert result["num_gallery"] == len(rows) == 10


def test_results_of_both_galleries_have_files_of_their_own_and_rows_in_the_report(
    model_dir, data_dir
):
    run = load(model_dir, data_dir)
    for gallery in ("features", "bank"):
        result = knn_task.evaluate(run, dataclasses.replace(KNN, gallery=gallery))
        name = {"features": "knn", "bank": "knn_bank"}[gallery]
        with open(f"{model_dir}/eval/{name}.json") as file:
            assert json.load(file) == result
    (network,) = collect(model_dir)
    galleries = [one["settings"]["gallery"] for one in network.of("knn")]
    assert sorted(galleries) == ["bank", "features"]
    lines = report([network], PaperTables.load()).splitlines()
    assert [line.split("|")[-3].strip() for line in lines if "| bank" in line] == [
        "bank"
    ]


def test_a_result_that_cannot_be_written_is_printed_before_the_error(
    model_dir, data_dir, capsys, monkeypatch
):
    def fail(path, content):
        raise FileError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr(results.files, "write_atomically", fail)
    monkeypatch.setattr(os, "access", lambda path, how: False)
    with pytest.raises(UserError, match="Read-only file system"):
        knn_task.evaluate(load(model_dir, data_dir), KNN)
    out = capsys.readouterr().out
    said = out.index("cannot be written: the result is printed, not kept")
    assert said < out.index("kNN, slow at step")


def test_clips_of_another_size_have_other_features(model_dir, data_dir):
    config = DataConfig(str(data_dir))
    run = load(model_dir, data_dir)
    larger = RestoredRun.load(model_dir, config, crop_size=36)
    assert np.any(run.embed("val", 2).values != larger.embed("val", 2).values)
    (clips, *_) = pipeline.evaluation_clips(
        config, run.manifest, "val", larger.recipe, num_clips=2, frames_per_batch=16
    )
    features = [larger.model(clip)["embedding"] for clip in clips["clips"]]
    assert clips["clips"].shape == (4, 2, 2, 36, 36, 3)
    np.testing.assert_allclose(larger.embed("val", 2).values, features, atol=1e-5)
    protocol = knn_task.evaluate(larger, KNN)["protocol"]
    assert "clips of 36 x 36 pixels, where the run's were 32 x 32" in protocol
    protocol = knn_task.evaluate(run, KNN)["protocol"]
    assert protocol.endswith("clips of 32 x 32 pixels")


@pytest.mark.parametrize("task", [(knn_task, KNN), (retrieval_task, RETRIEVAL)])
def test_the_result_of_other_data_of_the_same_name_stays(task, tmp_path, model_dir):
    module, settings = task
    run_dir = shutil.copytree(model_dir, tmp_path / "run")
    for folder, num_train in (("a", 6), ("b", 8)):
        write_data_set(tmp_path / folder / "records", num_train=num_train)
    first = load(str(run_dir), tmp_path / "a" / "records")
    written = module.evaluate(first, settings)
    assert module.evaluate(first, settings) == written  # over that of the same data
    second = load(str(run_dir), tmp_path / "b" / "records")
    with pytest.raises(UserError, match=r"records.json.* \(6 training and 4 val"):
        module.evaluate(second, settings)
    (path,) = (run_dir / "eval").glob("*-records.json")
    assert json.loads(path.read_text()) == json.loads(json.dumps(written))


def test_a_run_whose_data_have_grown_is_evaluated_again(tmp_path):
    data_dir = tmp_path / "data"
    write_data_set(data_dir)
    model_dir = make_run(data_dir, tmp_path / "run")
    knn_task.evaluate(load(model_dir, data_dir), KNN)
    write_data_set(data_dir, num_train=11)
    make_run(data_dir, tmp_path / "run")
    assert knn_task.evaluate(load(model_dir, data_dir), KNN)["num_gallery"] == 11


@pytest.mark.parametrize("num_val", [4, 0])
def test_bad_records_are_left_out_and_counted(tmp_path, num_val):
    data_dir = tmp_path / "data"
    manifest = write_data_set(data_dir, num_val=num_val, make_frames=with_broken_frames)
    bad = {video.source for video in manifest.videos if video.id in BROKEN_IDS}
    assert len(bad) == (2 if num_val else 1)
    model_dir = make_run(data_dir, tmp_path / "run")
    with pytest.raises(BadRecord, match="cannot be read"):
        knn_task.evaluate(load(model_dir, data_dir), KNN)
    run = load(model_dir, data_dir, on_bad_record="skip")
    for gallery in ("features", "bank"):
        result = knn_task.evaluate(run, dataclasses.replace(KNN, gallery=gallery))
        assert result["num_queries"] == (3 if num_val else 9)
        # The bank has a row of every video, whether it can still be read or not.
        assert result["num_gallery"] == (9 if gallery == "features" else 10)
        is_both = num_val and gallery == "features"
        assert result["num_skipped"] == (2 if is_both else 1)
    content = retrieval_task.evaluate(run, RETRIEVAL)
    shown = {query["query"] for query in content["queries"]}
    found = {n["video"] for query in content["queries"] for n in query["nearest"]}
    assert not bad & (shown | found)
    assert len(shown) == (3 if num_val else 9)


def with_other_labels(manifest, label):
    """The same videos, but the label of the validation videos; one keeps its own."""
    first = next(v for v in manifest.videos if v.split == "val")
    videos = tuple(
        dataclasses.replace(v, label=label) if v.split == "val" and v != first else v
        for v in manifest.videos
    )
    names = (*manifest.class_names, "jumping", "Jumping")
    return dataclasses.replace(manifest, videos=videos, class_names=names)


def test_classes_of_queries_alone_are_named(tmp_path, model_dir, capsys):
    manifest = with_other_labels(write_data_set(tmp_path), 2)
    manifest.save(str(tmp_path))
    result = knn_task.evaluate(load(model_dir, tmp_path), KNN)
    assert result["top1"] <= 1 / 4
    assert "jumping" in capsys.readouterr().out


def test_queries_without_any_class_of_the_gallery_are_refused(tmp_path, model_dir):
    manifest = write_data_set(tmp_path, num_val=2)
    videos = tuple(
        dataclasses.replace(v, label=3) if v.split == "val" else v
        for v in with_other_labels(manifest, 3).videos
    )
    names = (*manifest.class_names, "jumping", "Jumping")
    other = dataclasses.replace(manifest, videos=videos, class_names=names)
    other.save(str(tmp_path))
    with pytest.raises(UserError, match="Jumping"):
        knn_task.evaluate(load(model_dir, tmp_path), KNN)


@pytest.mark.parametrize("task", [(knn_task, KNN), (retrieval_task, RETRIEVAL)])
def test_an_empty_gallery_is_refused(tmp_path, model_dir, task):
    write_data_set(tmp_path, num_train=0)
    module, settings = task
    with pytest.raises(UserError, match="the split train"):
        module.evaluate(load(model_dir, tmp_path), settings)


def test_beside_the_bank_the_untrained_network_is_said_to_have_features(
    model_dir, data_dir
):
    settings = dataclasses.replace(KNN, gallery="bank", compare_untrained=True)
    result = knn_task.evaluate(load(model_dir, data_dir), settings)
    assert "untrained network, which has no bank" in result["protocol"]


def test_baselines_are_classified_as_the_network_is(model_dir, data_dir, capsys):
    settings = dataclasses.replace(KNN, compare_baselines=True)
    run = load(model_dir, data_dir)
    found = knn_task.evaluate(run, settings)["baselines"]
    assert list(found) == ["pixels", "motion_map"]
    assert "  motion map " in capsys.readouterr().out
    gallery, queries = (
        read_vectors(str(data_dir), run.manifest, videos, "pixels").rows
        for videos in (run.gallery, run.queries)
    )
    votes = knn.classify_videos(
        *(gallery, labels_of(run.gallery), queries[:, None], 2),
        k=settings.ks[0],
        temperature=settings.temperatures[0],
    )
    assert found["pixels"] == knn.accuracies(votes, labels_of(run.queries))


def test_leaving_one_out_with_the_bank_leaves_out_the_query_itself(tmp_path):
    data_dir = tmp_path / "data"
    write_data_set(data_dir, num_val=0)
    model_dir = make_run(data_dir, tmp_path / "run")
    run = load(model_dir, data_dir)
    queries, bank = (
        run.embed("train", 2).values,
        RunDirectory(model_dir).checkpoint().read_bank(),
    )
    labels = labels_of(run.gallery)
    wanted = knn.accuracies(
        knn.classify_videos(bank, labels, queries, 2, k=1, own_index=np.arange(10)),
        labels,
    )
    settings = KnnTaskConfig(ks=(1,), num_clips=2, gallery="bank")
    assert knn_task.evaluate(run, settings)["top1"] == wanted["top1"]


def relabeled(data_dir, labels):
    """A data set without validation videos whose videos have these labels."""
    manifest = write_data_set(data_dir, num_train=len(labels), num_val=0)
    videos = tuple(
        dataclasses.replace(video, label=label)
        for video, label in zip(manifest.videos, labels)
    )
    names = tuple(f"class {number}" for number in range(max(labels) + 1))
    dataclasses.replace(manifest, videos=videos, class_names=names).save(str(data_dir))


@pytest.mark.parametrize("gallery", ["features", "bank"])
def test_queries_that_are_alone_in_their_class_are_left_out(tmp_path, capsys, gallery):
    data_dir = tmp_path / "data"
    relabeled(data_dir, [0, 0, 0, 0, 1, 2])
    write_run(tmp_path / "run", data_dir)
    run = load(str(tmp_path / "run"), data_dir)
    settings = KnnTaskConfig(ks=(1,), num_clips=2, gallery=gallery)
    result = knn_task.evaluate(run, settings)
    assert (result["num_queries"], result["num_single"]) == (4, 2)
    assert result["largest_class"] == 1
    assert "2 more queries are alone in the class" in capsys.readouterr().out
    retrieved = retrieval_task.evaluate(run, RETRIEVAL)
    assert (retrieved["num_labelled_queries"], retrieved["num_single"]) == (4, 2)
    assert retrieved["recall"]["10"] == 1.0  # every query has others of its class


def test_no_query_can_be_right_where_every_class_has_one_video(tmp_path, capsys):
    data_dir = tmp_path / "data"
    relabeled(data_dir, [0, 1, 2, 3])
    write_run(tmp_path / "run", data_dir)
    run = load(str(tmp_path / "run"), data_dir)
    with pytest.raises(UserError, match="No query can be right: every class has one"):
        knn_task.evaluate(run, KNN)
    content = retrieval_task.evaluate(run, RETRIEVAL)
    assert "recall" not in content and content["num_single"] == 4
    assert "No query can be right" in capsys.readouterr().out


def test_a_query_cannot_be_left_out_of_a_bank_of_bins(tmp_path):
    data_dir = tmp_path / "data"
    write_data_set(data_dir, num_val=0)
    write_run(tmp_path / "run", data_dir, data={"bin_frames": 10})
    run = load(str(tmp_path / "run"), data_dir)
    with pytest.raises(UserError, match="--bin_frames"):
        knn_task.evaluate(run, dataclasses.replace(KNN, gallery="bank"))


def test_a_bank_of_fewer_videos_is_named_by_its_checkpoint(tmp_path):
    config = with_family_defaults(run_config(tmp_path / "data", tmp_path / "run"))
    before = write_data_set(tmp_path / "data")
    directory = RunDirectory(str(tmp_path / "run"))
    directory.save_config(config, before)
    directory.checkpoints.save_best(new_state(config, before), "knn/top1", 1.0)
    directory.save_config(config, write_data_set(tmp_path / "data", num_train=11))
    data = DataConfig(str(tmp_path / "data"))
    run = RestoredRun.load(str(tmp_path / "run"), data, checkpoint="best")
    with pytest.raises(UserError, match="best checkpoint has 10 .* 11 "):
        knn_task.evaluate(run, dataclasses.replace(KNN, gallery="bank"))


def test_images_for_several_frames_need_a_static_video(tmp_path):
    data_dir = tmp_path / "data"
    write_data_set(data_dir, num_frames=1)
    model_dir = make_run(data_dir, tmp_path / "run")
    run = load(model_dir, data_dir)
    for task, settings in ((knn_task, KNN), (retrieval_task, RETRIEVAL)):
        with pytest.raises(UserError, match="Add --static_video"):
            task.evaluate(run, settings)
    run = load(model_dir, data_dir, static_video=True)
    assert 0 <= knn_task.evaluate(run, KNN)["top1"] <= 1


@pytest.mark.parametrize("endpoint", ["embedding", "pooled"])
def test_retrieval_compares_normalized_means_of_an_endpoint(
    model_dir, data_dir, endpoint
):
    run = load(model_dir, data_dir)
    settings = dataclasses.replace(RETRIEVAL, endpoint=endpoint)
    content = retrieval_task.evaluate(run, settings)
    queries = video_embeddings(run.embed("val", 2, endpoint).values)
    gallery = video_embeddings(run.embed("train", 2, endpoint).values)
    found = nearest.search(gallery, queries, 3)
    for number, query in enumerate(content["queries"]):
        names = [neighbor["video"] for neighbor in query["nearest"]]
        nearest_videos = [run.gallery[n] for n in found.neighbor_index[number]]
        assert names == [video.source for video in nearest_videos]
    assert content["endpoint"] == endpoint
    assert endpoint.split("ing")[0] in content["protocol"]
    assert set(content["recall"]) == {"1", "5", "10", "20", "50"}
    # All ten videos of the gallery are among the 10 nearest.
    assert content["recall"]["10"] == content["recall"]["50"] == 1.0
    assert 0 < content["map"] <= 1


def test_retrieval_without_labels_draws_and_says_what_is_missing(tmp_path, capsys):
    data_dir = tmp_path / "data"
    write_data_set(data_dir, num_classes=0)
    model_dir = make_run(data_dir, tmp_path / "run")
    content = retrieval_task.evaluate(load(model_dir, data_dir), RETRIEVAL)
    assert "recall" not in content and "map" not in content
    assert "no recalls" in capsys.readouterr().out
    assert tf.io.read_file(f"{model_dir}/eval/retrieval.png").numpy()
    with open(f"{model_dir}/eval/retrieval.html") as file:
        assert file.read().count('class="clip"') == 2 * 4
