"""embed.py, from the command line: from video files and from records to arrays."""

import csv
import json
import os
import shutil
import time

import numpy as np
import pytest
from commands import run_command, start_command
from label_fixtures import write_run
from toy_networks import use_toy_networks
from video_fixtures import cut, write_video

from data_prep.config import ConversionConfig
from data_prep.convert import conversion
from vie_tf.commands import embed as embed_command
from vie_tf.config import DataConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.metrics.features import unit_norm, video_embeddings
from vie_tf.search import search_space

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("toy_networks")]

SOURCES = [f"{name}/{n}.avi" for name in ("a", "b") for n in range(5)]


def embed(*arguments):
    return run_command("embed.py", *arguments, setup=use_toy_networks)


def error_of(*arguments):
    result = embed(*arguments)
    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if "error: " in line]
    assert len(errors) == 1 and "Traceback" not in result.stderr, result.stderr
    return errors[0]


def videos_of(output):
    with open(output / "videos.csv", newline="") as file:
        return list(csv.DictReader(file))


def by_source(output, name="embedding"):
    rows = np.load(output / f"{name}.npy", allow_pickle=False)
    sources = [row["source"] for row in videos_of(output)]
    assert len(rows) == len(sources)
    return dict(zip(sources, rows))


def contents(folder):
    """All files but the ones that name their own folder."""
    names = sorted(os.listdir(folder))
    return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """Videos of two classes, their records, and a run on them at its first moment."""
    folder = tmp_path_factory.mktemp("embed")
    for number, source in enumerate(SOURCES):
        write_video(folder / "videos" / source, 12 + number, first=7 * number)
    config = ConversionConfig(
        *(str(folder / "videos"), str(folder / "data")),
        shortest_side=40,
        num_processes=1,
        videos_per_shard=3,
    )
    conversion.convert(config)
    write_run(folder / "run", folder / "data")
    return folder


@pytest.fixture(name="of_records", scope="module")
def fixture_of_records(folder):
    output = folder / "of_records"
    result = embed(
        *(f"--videos={folder / 'data'}", f"--model_dir={folder / 'run'}"),
        *(f"--output={output}", "--num_clips=2"),
    )
    assert result.returncode == 0, result.stderr
    assert "Embedded 10 videos by slow at step 0; 0 refused." in result.stdout
    return output


@pytest.fixture(name="of_files", scope="module")
def fixture_of_files(folder):
    """Of the same videos, and one that is cut short."""
    videos, output = folder / "with_broken", folder / "of_files"
    shutil.copytree(folder / "videos", videos)
    (videos / "b" / "broken.mp4").write_bytes(b"not a video")
    write_video(videos / "b" / "cut.mp4")
    cut(videos / "b" / "cut.mp4", 0.3)
    result = embed(
        *(f"--videos={videos}", f"--model_dir={folder / 'run'}"),
        *(f"--output={output}", "--num_clips=2", "--num_processes=1"),
    )
    assert result.returncode == 0, result.stderr
    assert "Embedded 10 videos by slow at step 0; 2 refused." in result.stdout
    return output


def test_records_are_embedded_as_an_evaluation_does(folder, of_records):
    run = RestoredRun.load(str(folder / "run"), DataConfig(str(folder / "data")))
    found = by_source(of_records)
    for split in ("train", "val"):
        wanted = video_embeddings(run.embed(split, 2).values)
        for video, row in zip(run.manifest.split(split), wanted):
            np.testing.assert_allclose(found[video.source], row, rtol=1e-5, atol=1e-6)
    labels = {
        row["source"]: (row["label"], row["split"]) for row in videos_of(of_records)
    }
    assert labels == {
        video.source: (video.source[0], video.split) for video in run.manifest.videos
    }
    assert sorted(os.listdir(of_records)) == sorted(
        [
            *("embedding.npy", "index.json", "videos.csv", "contents.csv"),
            *("search_features.npy", *search_space.NAMES, *table_names()),
        ]
    )


def table_names():
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return []
    return ["videos.parquet"]


def test_files_are_embedded_as_their_records_are(of_records, of_files):
    records, files = by_source(of_records), by_source(of_files)
    assert list(files) == SOURCES
    for source in SOURCES:
        np.testing.assert_allclose(files[source], records[source], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(list(files.values()), axis=1), 1, 1e-5)
    # The videos differ, and so do what the network says of them.
    assert np.ptp(list(files.values()), axis=0).max() > 1e-3
    assert {row["split"] for row in videos_of(of_files)} == {""}


def test_broken_files_are_listed_with_the_reason(of_files):
    with open(of_files / "refused.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["b/broken.mp4", "b/cut.mp4"]
    assert all(row["reason"] for row in rows)
    index = json.loads((of_files / "index.json").read_text())
    assert (index["num_videos"], index["num_refused"]) == (10, 2)


def test_the_table_holds_what_the_other_files_hold(of_files):
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(of_files / "videos.parquet").to_pydict()
    assert table["source"] == SOURCES
    assert table["label"] == [source[0] for source in SOURCES]
    np.testing.assert_array_equal(
        np.array(table["embedding"], np.float32), list(by_source(of_files).values())
    )


def test_the_same_command_again_has_nothing_to_do(folder, of_records):
    arguments = (
        *(f"--videos={folder / 'data'}", f"--model_dir={folder / 'run'}"),
        f"--output={of_records}",
    )
    before = contents(of_records)
    assert "Nothing to do" in embed(*arguments, "--num_clips=2").stdout
    assert contents(of_records) == before
    error = error_of(*arguments, "--num_clips=3", "--average=none")
    assert "average, num_clips" in error
    assert contents(of_records) == before


def test_a_killed_command_goes_on_to_the_same_bytes(folder, of_files, tmp_path):
    output = tmp_path / "output"
    arguments = (
        *(f"--videos={folder / 'with_broken'}", f"--model_dir={folder / 'run'}"),
        *(f"--output={output}", "--num_clips=2", "--num_processes=1"),
    )
    process = start_command(
        "embed.py", *arguments, output=tmp_path / "output.txt", setup=use_toy_networks
    )
    progress = output / "progress.json"
    while process.exitcode is None and not (
        progress.exists() and json.loads(progress.read_text())["blocks"]
    ):
        time.sleep(0.002)
    process.kill()
    process.join()
    assert progress.exists(), "it was too quick to be killed"
    with open(output / "embedding.npy", "ab") as file:
        file.write(b"half a row, as a kill can leave it")
    with open(output / "videos.csv", "a") as file:
        file.write("99,and a li")
    result = embed(*arguments)
    assert result.returncode == 0, result.stderr
    assert "8 of 12" in result.stdout
    assert contents(output) == contents(of_files)


def test_without_an_average_rows_are_clips_of_any_endpoint(folder, of_files, tmp_path):
    result = embed(
        *(f"--videos={folder / 'videos'}", f"--model_dir={folder / 'run'}"),
        *(f"--output={tmp_path}", "--num_clips=2", "--average=none"),
        "--endpoints=conv1,embedding,conv5",
    )
    assert result.returncode == 0, result.stderr
    conv1 = np.load(tmp_path / "conv1.npy", mmap_mode="r", allow_pickle=False)
    assert conv1.shape == (20, 2, 4, 4, 6) and conv1.dtype == np.float32
    assert np.load(tmp_path / "conv5.npy").shape == (20, 2, 4, 4, 30)
    clips = np.load(tmp_path / "embedding.npy").reshape(10, 2, -1)
    np.testing.assert_allclose(
        video_embeddings(clips),
        list(by_source(of_files).values()),
        rtol=1e-5,
        atol=1e-6,
    )
    rows = videos_of(tmp_path)
    assert [row["source"] for row in rows] == [s for s in SOURCES for _ in range(2)]
    assert [row["clip"] for row in rows] == ["0", "1"] * 10
    # Of 12 frames and clips that span 3, start 1/3 and 2/3 of the 10 possible ones.
    assert [row["frames"] for row in rows[:2]] == ["3 5", "6 8"]


def cosines_of(output, query, search_by):
    """Cosines to a video of an index, as it is searched."""
    files = by_source(output, search_by)
    rows = np.stack(list(files.values()))
    if search_by == "embedding":
        rows = unit_norm(rows - rows.mean(axis=0))
    return dict(zip(files, rows @ rows[list(files).index(query)]))


@pytest.mark.parametrize("is_copy", [True, False])
@pytest.mark.parametrize(
    ("search_by", "name"), [((), "search"), (("--search_by=embedding",), "embedding")]
)
def test_a_video_finds_what_is_nearest_in_the_index(
    is_copy, search_by, name, folder, of_files, tmp_path
):
    table, page = tmp_path / "found.csv", tmp_path / "found.html"
    query = folder / "with_broken" / SOURCES[6]
    if is_copy:  # which is embedded, while the row of a file of the index is there
        query = shutil.copy(query, tmp_path / "copy.avi")
    asked = (f"--query={query}", f"--index={of_files}", "--nearest=3", "--find_itself")
    result = embed(*asked, *search_by, f"--csv={table}", f"--html={page}")
    assert result.returncode == 0, result.stderr
    head, *lines = result.stdout.splitlines()[:4]
    assert "among 10 videos" in head
    cosines = cosines_of(of_files, SOURCES[6], name)
    wanted = sorted(cosines, key=lambda source: -cosines[source])[:3]
    assert wanted[0] == SOURCES[6]
    assert [line.split()[2] for line in lines] == wanted
    assert all(line.endswith(f"({s[0]})") for line, s in zip(lines, wanted))
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["video"] for row in rows] == wanted
    for row in rows:
        assert float(row["cosine"]) == pytest.approx(cosines[row["video"]], abs=1e-3)
    html = page.read_text()
    assert html.count("data:image/jpeg") == 4 and "<script" not in html


def test_all_queries_of_a_folder_are_looked_up_at_once(folder, of_files):
    queries = f"{folder / 'with_broken' / 'a'},{folder / 'with_broken/b/broken.mp4'}"
    result = embed(f"--query={queries}", f"--index={of_files}", "--nearest=2")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    heads = [line for line in lines if line.startswith("Nearest to ")]
    assert len(heads) == 5
    for number, head in enumerate(heads):
        found = [line.split()[2] for line in lines[3 * number + 1 : 3 * number + 3]]
        assert not any(head.split()[2].endswith(source) for source in found)
    assert "broken.mp4 cannot be read: " in lines[-1]


def test_an_index_of_an_earlier_version_is_searched_by_the_embedding(folder, of_files):
    copy = folder / "of_earlier"
    shutil.copytree(of_files, copy)
    for name in (*search_space.NAMES, "search_features.npy"):
        (copy / name).unlink()
    index = json.loads((copy / "index.json").read_text())
    del index["arrays"]["search_features"], index["crc32c"]["search_features.npy"]
    del index["search_blocks"]
    (copy / "index.json").write_text(json.dumps(index))
    query = f"--query={folder / 'videos' / SOURCES[6]}"
    old = embed(query, f"--index={copy}")
    new = embed(query, f"--index={of_files}", "--search_by=embedding")
    assert old.returncode == 0, old.stderr
    assert old.stdout == new.stdout
    again = embed(
        *(f"--videos={folder / 'with_broken'}", f"--model_dir={folder / 'run'}"),
        *(f"--output={copy}", "--num_clips=2", "--num_processes=1"),
    )
    assert "Nothing to do" in again.stdout, again.stderr


def test_an_index_of_another_checkpoint_is_refused_unless_the_run_is_given(
    folder, of_files
):
    index = json.loads((of_files / "index.json").read_text())
    copy = folder / "of_another"
    shutil.copytree(of_files, copy)
    other = folder / "other_run"
    write_run(other, folder / "data", seed=1)
    (copy / "index.json").write_text(json.dumps({**index, "model_dir": str(other)}))
    query = folder / "videos" / SOURCES[0]
    error = error_of(f"--query={query}", f"--index={copy}")
    assert "step 0" in error and "--model_dir" in error
    result = embed(f"--query={query}", f"--index={copy}", f"--model_dir={other}")
    assert result.returncode == 0, result.stderr
    assert "of step 0" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["--model_dir=x", "--output=y"], "--videos"),
        (["--query=x"], "--index"),
        (["--query=x", "--index=y", "--videos=z"], "--videos"),
        (["--query=x", "--index=y"], "--output=y"),  # that makes an index
        (
            [*("--videos=x", "--model_dir=y", "--output=z"), "--endpoints=conv1,conv1"],
            "--endpoints=conv1,conv1",
        ),
        (["--videos=x", "--model_dir=y", "--output=z"], "--model_dir"),
    ],
)
def test_bad_flags_are_one_line(arguments, flag, capsys):
    assert embed_command.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert flag in error


def test_what_cannot_be_embedded_is_one_line(folder, tmp_path):
    run = f"--model_dir={folder / 'run'}"
    output = f"--output={tmp_path / 'output'}"
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "broken.mp4").write_bytes(b"")
    error = error_of(f"--videos={videos}", run, output, "--num_processes=1")
    assert ": 1 video refused, such as" in error and "broken.mp4: " in error
    assert (tmp_path / "output" / "refused.csv").exists()
    error = error_of(f"--videos={videos}", run, output, "--endpoints=conv9")
    assert "--endpoints=conv9" in error and "conv1" in error
    assert "nowhere" in error_of(f"--videos={tmp_path / 'nowhere'}", run, output)
