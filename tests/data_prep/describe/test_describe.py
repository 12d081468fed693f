from __future__ import annotations

import dataclasses
import errno
import hashlib
import pathlib

import numpy as np
import pytest
import video_fixtures as videos

from data_prep.config import DescriptionConfig
from data_prep.decode.opencv import cv2
from data_prep.describe import __main__ as command
from data_prep.describe import describe_data_set, statistics, verify
from data_prep.describe.contact_sheet import sample_videos
from data_prep.describe.description import describe
from vie_tf.storage import files
from vie_tf.storage.errors import FileError, UserError
from vie_tf.storage.frame_spool import FrameSpool
from vie_tf.storage.manifest import Manifest, RefusedEntry, ShardEntry, VideoEntry
from vie_tf.storage.records import write_record

GOLDEN = pathlib.Path(__file__).with_name("golden")
CLASSES = ("run", "walk")


def _jpegs(first: int, count: int = 30) -> list[bytes]:
    pictures = map(videos.numbered_picture, range(first, first + count))
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]


def _video(source: str, split: str, frames: list[bytes], label: int | None = None):
    """Split and contents of a record; by default, the folder is the class."""
    if label is None:
        label = CLASSES.index(source.split("/")[0])
    metadata = {"label": label, "source": source, "fps": 25.0}
    return split, {**metadata, "height": 48, "width": 64, "frames": frames}


def _four_videos() -> list:
    return [
        _video("run/0.avi", "train", _jpegs(0)),
        _video("walk/0.avi", "train", _jpegs(100)),
        _video("run/1.avi", "train", _jpegs(200, 40)),
        _video("walk/1.avi", "val", _jpegs(300)),
    ]


def _write(data_dir: pathlib.Path, content: list, refused=()) -> Manifest:
    """Writes a data set with one shard for each split."""
    entries, shards = [], []
    data_dir.mkdir(exist_ok=True)
    for split in ("train", "val"):
        path = data_dir / f"{split}-00000.tfrecord"
        members = [(n, video) for n, (of, video) in enumerate(content) if of == split]
        if not members:
            continue
        with open(path, "wb") as file:
            for video_id, metadata in members:
                sizes = {"frames": len(metadata["frames"]), "shard": path.name}
                sizes["bytes"] = sum(map(len, metadata["frames"]))
                sizes["split"] = split
                entry = VideoEntry(**{**metadata, **sizes, "id": video_id})
                write_record(file, FrameSpool(metadata["frames"]), entry)
                entries.append(entry)
        shards.append(_shard_entry(path, split, len(members)))
    entries.sort(key=lambda entry: entry.id)
    manifest = Manifest(
        CLASSES, tuple(entries), tuple(shards), tuple(refused), settings={}
    )
    manifest.save(str(data_dir))
    return manifest


def _shard_entry(path: pathlib.Path, split: str, count: int) -> ShardEntry:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return ShardEntry(path.name, split, count, len(content), digest)


@pytest.fixture(scope="module")
def shared_dir(tmp_path_factory) -> pathlib.Path:
    """A data set as it should be; not to be changed."""
    data_dir = tmp_path_factory.mktemp("shared") / "data"
    _write(data_dir, _four_videos())
    return data_dir


@pytest.fixture
def data_dir(shared_dir, tmp_path) -> pathlib.Path:
    """A copy that a test may spoil."""
    copy = tmp_path / "data"
    copy.mkdir()
    for path in shared_dir.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def _verify(data_dir: pathlib.Path, num_processes: int = 1) -> list[str]:
    manifest = Manifest.load(str(data_dir))
    problems, _ = verify.verify(str(data_dir), manifest, num_processes)
    return [str(problem) for problem in problems]


def _verified_lines(tmp_path: pathlib.Path, content: list) -> list[str]:
    manifest = _write(tmp_path / "data", content)
    problems, contents = verify.verify(str(tmp_path / "data"), manifest, 1)
    assert problems == []
    return list(describe(manifest, contents))


def _many(num_classes: int, counts: dict[int, int]) -> Manifest:
    """A manifest without shards; `counts` says how many videos a class has."""
    labels = [
        label for label in range(num_classes) for _ in range(counts.get(label, 2))
    ]
    metadata = {"split": "train", "shard": "", "fps": 25.0, "height": 48, "width": 64}
    entries = [
        VideoEntry(
            id=n, label=label, source=f"{n}.avi", frames=50, bytes=1000, **metadata
        )
        for n, label in enumerate(labels)
    ]
    names = tuple(f"class {label:03d}" for label in range(num_classes))
    return Manifest(names, tuple(entries), (), (), {})


def test_numbers_fall_into_bins_of_a_round_width():
    histogram = statistics.histogram_of_numbers("", [0.1, 0.3, 0.35, 1.2])
    assert histogram.bars[0] == ("0.1 to 0.2", 1)
    assert histogram.bars[1:3] == (("0.2 to 0.3", 0), ("0.3 to 0.4", 2))
    assert sum(count for _, count in histogram.bars) == 4


def test_one_long_video_does_not_flatten_the_rest():
    seconds = [*np.linspace(1, 10, 999), 3600.0]
    bars = statistics.histogram_of_numbers("", seconds).bars
    assert bars[0] == ("1 to 2", 111)
    assert bars[-1][0] == "from 9"
    assert sum(count for _, count in bars) == 1000


def test_equal_numbers_are_one_bar():
    bars = statistics.histogram_of_numbers("", [4.0, 4.0]).bars
    assert bars == (("4", 2),)


def test_rare_values_share_a_bar():
    values = [*["48 x 64"] * 5, *(f"{n} x 9" for n in range(12))]
    bars = statistics.histogram_of_values("", values).bars
    assert bars[0] == ("48 x 64", 5)
    assert bars[-1] == ("3 others", 3)


def test_reasons_that_differ_in_numbers_are_counted_together():
    reasons = ["3 frames, fewer than 11", "no picture", "5 frames, fewer than 11"]
    refused = [RefusedEntry(str(n), why) for n, why in enumerate(reasons)]
    counts = statistics.refusals_by_reason(refused)
    assert counts == [("N frames, fewer than N", 2), ("no picture", 1)]


def test_the_text_counts_videos_per_split_and_class(shared_dir):
    lines = list(describe(Manifest.load(str(shared_dir)), None))
    table = [line.split() for line in lines]
    assert ["train", "val", "all"] in table
    assert ["videos", "3", "1", "4"] in table
    assert ["frames", "100", "30", "130"] in table
    assert ["run", "2", "train", "0", "val"] in table
    assert ["walk", "1", "train", "1", "val"] in table
    assert "  without a video in val (1): run" in lines


def test_the_text_draws_bars_and_says_that_rates_are_those_of_the_records(shared_dir):
    lines = list(describe(Manifest.load(str(shared_dir)), None))
    assert "frames per second of the records (not of the sources)" in lines
    assert f"  25  {'#' * 40}         4" in lines
    assert f"  48 x 64  {'#' * 40}         4" in lines
    assert any(line.startswith("duplicates:") and "--verify" in line for line in lines)


def test_of_many_classes_the_largest_the_smallest_and_the_empty_are_named():
    manifest = _many(100, {7: 9, 50: 1, 60: 0, 61: 0})
    lines = list(describe(manifest, None))
    names = [line[2:11] for line in lines if line.startswith("  class ")]
    assert len(names) == 24
    assert names[0] == "class 007"
    assert names[-3:] == ["class 050", "class 060", "class 061"]
    assert "  ... 76 classes between ..." in lines
    assert "  without any video (2): class 060, class 061" in lines


def test_videos_without_labels_are_described():
    manifest = _many(1, {0: 3})
    videos_ = [dataclasses.replace(video, label=-1) for video in manifest.videos]
    manifest = dataclasses.replace(manifest, class_names=(), videos=tuple(videos_))
    assert "classes: none, the videos have no labels" in describe(manifest, None)


def test_short_videos_are_listed_without_reading_a_frame():
    manifest = _many(1, {0: 2})
    short = dataclasses.replace(manifest.videos[1], frames=24)
    manifest = dataclasses.replace(manifest, videos=(manifest.videos[0], short))
    assert "  1.avi: 24 frames, 0.96 s" in describe(manifest, None)
    images = dataclasses.replace(manifest, settings={"media": "images"})
    assert statistics.near_empty(images) == []


def test_black_and_still_videos_are_listed_with_verify(tmp_path):
    black = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    moving = np.zeros((48, 64, 3), np.uint8)
    moving[20:24, 30:34] = 200
    moving = cv2.imencode(".jpg", moving)[1].tobytes()
    content = [
        _video("run/black.avi", "train", [black] * 30),
        _video("run/still.avi", "train", _jpegs(200, 1) * 30),
        _video("run/moves.avi", "train", [black] * 15 + [moving] * 15),
    ]
    lines = _verified_lines(tmp_path, content)
    start = lines.index("near-empty videos (shorter than 1 s, black or still): 2")
    assert lines[start + 1 : start + 3] == [
        "  run/black.avi: all frames are black",
        "  run/still.avi: all frames look the same",
    ]


def test_duplicates_across_splits_and_labels_are_warned_of(tmp_path):
    content = [
        _video("run/0.avi", "train", _jpegs(0)),
        _video("run/again.avi", "val", _jpegs(0)),
        _video("run/1.avi", "train", _jpegs(100)),
        _video("walk/1.avi", "train", _jpegs(100)),
        _video("run/2.avi", "train", _jpegs(200)),
        _video("run/3.avi", "train", _jpegs(200)),
        _video("walk/other.avi", "val", _jpegs(200, 31)),
    ]
    lines = _verified_lines(tmp_path, content)
    (start,) = (n for n, line in enumerate(lines) if line.startswith("duplicates"))
    assert "6 videos in 3 groups" in lines[start]
    assert lines[start + 1 :] == [
        "  WARNING: the same frames in several splits (1):",
        "    run/0.avi (train, run) = run/again.avi (val, run)",
        "  WARNING: the same frames with different labels (1):",
        "    run/1.avi (train, run) = walk/1.avi (train, walk)",
        "  run/2.avi (train, run) = run/3.avi (train, run)",
    ]


def test_the_command_prints_the_golden_text(shared_dir, capsys, tmp_path):
    config = DescriptionConfig(
        str(shared_dir), str(tmp_path), verify=True, num_processes=1
    )
    assert describe_data_set.describe(config) == []
    out = capsys.readouterr().out.replace(str(tmp_path), "OUT")
    assert out == (GOLDEN / "describe.txt").read_text()


def test_what_was_found_is_printed_where_no_picture_can_be_written(
    data_dir, capsys, monkeypatch
):
    path = data_dir / "train-00000.tfrecord"
    path.write_bytes(path.read_bytes()[:-9])

    def fail(path, content):
        raise FileError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr(files, "write_atomically", fail)
    config = DescriptionConfig(str(data_dir), verify=True, num_processes=1)
    with pytest.raises(UserError, match="Read-only file system.*problems are listed"):
        describe_data_set.describe(config)
    assert "PROBLEM train-00000.tfrecord: " in capsys.readouterr().out


def test_a_damaged_index_is_a_problem_and_is_mended_by_the_next_reader(data_dir):
    config = DescriptionConfig(str(data_dir), verify=True, num_processes=1)
    assert describe_data_set.describe(config) == []
    (data_dir / "train-00000.index").write_bytes(b"damaged")
    (problem,) = describe_data_set.describe(config)
    assert "train-00000.index is damaged" in str(problem)
    assert describe_data_set.describe(config) == []


def test_a_data_set_without_videos_is_refused(data_dir):
    manifest = Manifest.load(str(data_dir))
    dataclasses.replace(manifest, videos=()).save(str(data_dir))
    with pytest.raises(UserError):
        describe_data_set.describe(DescriptionConfig(str(data_dir)))


def test_pictures_that_cannot_be_written_are_the_users_error(shared_dir, tmp_path):
    (tmp_path / "file").touch()
    config = DescriptionConfig(str(shared_dir), str(tmp_path / "file" / "x"))
    with pytest.raises(UserError, match="--output_dir"):
        describe_data_set.describe(config)


def test_a_missing_shard_is_one_problem(data_dir):
    (data_dir / "val-00000.tfrecord").unlink()
    assert _verify(data_dir) == ["val-00000.tfrecord: the file is missing"]


def test_a_changed_byte_is_found_and_the_videos_after_it_are_named(data_dir):
    path = data_dir / "train-00000.tfrecord"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # In the second of three records.
    path.write_bytes(content)
    checksum, cut, *missing = _verify(data_dir)
    assert "sha256" in checksum and "record 2" in cut
    assert [line.split(": ")[1] for line in missing] == ["walk/0.avi", "run/1.avi"]


def test_a_shard_that_is_cut_off_is_found(data_dir):
    path = data_dir / "val-00000.tfrecord"
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    problems = _verify(data_dir)
    assert f" {len(content) - 10:,} " in problems[0]
    assert problems[0].endswith(f" {len(content):,}")
    assert "record 1" in problems[1]


def test_frames_that_do_not_decode_or_have_another_size_are_named(tmp_path):
    frames = _jpegs(0)
    frames[3] = frames[3][: len(frames[3]) // 2]
    frames[7] = b"no JPEG"
    small = videos.numbered_picture(5, width=32, height=48)
    odd = [*_jpegs(0, 29), cv2.imencode(".jpg", small)[1].tobytes()]
    content = [_video("run/0.avi", "train", frames), _video("run/1.avi", "train", odd)]
    _write(tmp_path / "data", content)
    assert _verify(tmp_path / "data") == [
        "train-00000.tfrecord: run/0.avi: frame 3 does not decode (and 1 more frames)",
        "train-00000.tfrecord: run/1.avi: frame 29 is 48 x 32, not 48 x 64",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"label": 1}, "label is 0, the manifest says 1"),
        ({"frames": 31}, "frames is 30, the manifest says 31"),
        ({"fps": 30.0}, "fps is 25.0, the manifest says 30.0"),
        ({"bytes": 1}, "the manifest says 1"),
        ({"source": "x"}, "source is 'run/0.avi', the manifest says 'x'"),
        ({"height": 50}, "height is 48, the manifest says 50"),
        ({"shard": "val-00000.tfrecord"}, "run/0.avi: not found in the shard"),
    ],
)
def test_a_manifest_that_disagrees_with_the_records_is_found(data_dir, change, problem):
    manifest = Manifest.load(str(data_dir))
    first = dataclasses.replace(manifest.videos[0], **change)
    videos_ = (first, *manifest.videos[1:])
    dataclasses.replace(manifest, videos=videos_).save(str(data_dir))
    assert any(problem in line for line in _verify(data_dir))


@pytest.mark.parametrize("change", [{"id": 77}, {"shard": "gone"}])
def test_a_manifest_that_contradicts_itself_is_not_loaded(data_dir, change):
    manifest = Manifest.load(str(data_dir))
    first = dataclasses.replace(manifest.videos[0], **change)
    videos_ = (first, *manifest.videos[1:])
    dataclasses.replace(manifest, videos=videos_).save(str(data_dir))
    with pytest.raises(UserError, match="manifest.json.*damaged"):
        _verify(data_dir)


def test_two_processes_find_the_same_as_one(data_dir):
    (data_dir / "val-00000.tfrecord").write_bytes(b"short")
    problems = _verify(data_dir, num_processes=2)
    assert problems == _verify(data_dir)
    assert problems[1] == "val-00000.tfrecord: walk/1.avi: not found in the shard"


def test_the_pictures_show_the_histograms_and_the_middle_frames(shared_dir, tmp_path):
    config = DescriptionConfig(str(shared_dir), str(tmp_path), num_shown=3)
    assert describe_data_set.describe(config) == []
    chart = cv2.imread(str(tmp_path / "description.png"))
    assert chart.shape[1] == 1280 and len(np.unique(chart)) > 2
    sheet = cv2.imread(str(tmp_path / "contact_sheet.png"))
    cells = [sheet[12:162, 12 + 212 * n : 212 + 212 * n] for n in range(3)]
    assert sheet.shape[1] == 3 * 212 + 12
    # run, walk, run: the frames 15, 115 and 220.
    numbers = [videos.picture_number(cv2.imencode(".png", c)[1]) for c in cells]
    assert numbers == [15, 115, 220]


def test_what_cannot_be_read_leaves_an_empty_cell_and_is_a_problem(data_dir, tmp_path):
    (data_dir / "val-00000.tfrecord").write_bytes(b"short")
    problems = describe_data_set.describe(DescriptionConfig(str(data_dir)))
    assert [problem.source for problem in problems] == ["walk/1.avi"]
    assert (data_dir / "contact_sheet.png").exists()


def test_without_verify_and_contact_sheet_only_the_manifest_is_read(data_dir, capsys):
    for path in data_dir.glob("*.tfrecord"):
        path.unlink()
    config = DescriptionConfig(str(data_dir), num_shown=0)
    assert describe_data_set.describe(config) == []
    assert "duplicates:" in capsys.readouterr().out
    assert not (data_dir / "contact_sheet.png").exists()


def test_classes_take_turns_on_the_contact_sheet():
    manifest = _many(10, {0: 50})
    labels = [video.label for video in sample_videos(manifest, 12)]
    assert labels == [*range(10), 0, 1]
    assert [video.label for video in sample_videos(manifest, 5)] == [0, 2, 4, 6, 8]
    assert len(sample_videos(manifest, 1000)) == len(manifest.videos)
    assert sample_videos(manifest, 0) == []


def test_the_command_lists_all_problems_and_ends_with_one_line(data_dir, capsys):
    (data_dir / "val-00000.tfrecord").unlink()
    flags = [f"--data_dir={data_dir}", "--verify", "--num_processes=1"]
    assert command.main(flags) == 1
    captured = capsys.readouterr()
    assert "PROBLEM val-00000.tfrecord: the file is missing" in captured.out
    *progress, last = captured.err.splitlines()
    assert last.startswith("error: ") and " 1 " in last
    assert all(line.startswith("verifying: ") for line in progress)
