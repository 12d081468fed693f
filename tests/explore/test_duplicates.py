"""Near-duplicates and outliers: which are found, and which are not."""

import csv
import pathlib

import cv2
import numpy as np
import pytest
from collection_fixtures import EVIL, clustered, make_collection
from record_fixtures import write_data_set
from video_fixtures import write_pictures

from data_prep.thumbnails.read_files import reader_of_files
from vie_tf.config.explore import ExploreConfig
from vie_tf.drawing import frame_series
from vie_tf.drawing.frame_series import FrameSeries
from vie_tf.drawing.thumbnails import Thumbnails
from vie_tf.explore import duplicates, outliers, reports, same_frames, similar_frames
from vie_tf.explore.duplicates import Pair
from vie_tf.explore.pictures.record_thumbnails import reader_of_records
from vie_tf.metrics.features import unit_norm

ROOM = np.random.default_rng(7)
BACKGROUND = cv2.GaussianBlur(
    ROOM.integers(40, 200, (72, 96, 3)).astype(np.uint8), (0, 0), 4
)
BACKGROUND = cv2.normalize(BACKGROUND, None, 50, 190, cv2.NORM_MINMAX)


def take(seed, num_frames=40, pace=2.5):
    """A person (an ellipse) moves through the same room, [F, H, W, 3] uint8."""
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.normal(0, pace, (2, num_frames)), axis=1)
    start = rng.uniform(20, 75), rng.uniform(20, 50)
    frames = []
    for number in range(num_frames):
        frame = BACKGROUND.copy()
        middle = int(start[0] + x[number]) % 96, int(start[1] + y[number]) % 72
        cv2.ellipse(frame, middle, (6, 13), 0, 0, 360, (235, 230, 225), -1)
        frames.append(frame)
    return np.stack(frames)


def cropped(frames):
    windows = [frame[3:61, 14:91] for frame in frames]
    return np.stack([cv2.resize(window, (96, 72)) for window in windows])


def reencoded(frames):
    small = [cv2.resize(frame, (58, 43)) for frame in frames]
    coded = [cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 40])[1] for f in small]
    return np.stack([cv2.resize(cv2.imdecode(one, 1), (96, 72)) for one in coded])


COPIES = {
    "re-encoded": reencoded,
    "cropped": cropped,
    "brighter": lambda frames: np.stack(
        [cv2.convertScaleAbs(frame, alpha=1.25, beta=12) for frame in frames]
    ),
    "cut": lambda frames: frames[11:33],
    "squeezed": lambda frames: np.stack([cv2.resize(f, (64, 80)) for f in frames]),
}


def series(frames, moments=None):
    grays = [frame_series.small_gray(frame) for frame in frames]
    return FrameSeries.pack(grays, range(len(grays)) if moments is None else moments)


def difference(one, other):
    return same_frames.difference(series(one), series(other))


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_has_the_same_frames(kind):
    original = take(1)
    copy = COPIES[kind](original)
    assert difference(original, copy) < same_frames.SAME
    assert difference(copy, original) < same_frames.SAME


def test_a_copy_that_is_sampled_at_other_moments_is_found():
    fast = take(1, num_frames=80, pace=1.2)
    late = (fast[:-2].astype(int) + fast[1:-1]) // 2
    assert difference(fast, late.astype(np.uint8)) < same_frames.SAME


def test_other_takes_in_the_same_room_are_no_copies():
    found = [difference(take(0), take(seed)) for seed in range(1, 8)]
    assert min(found) > 1.5 * same_frames.SAME


def test_another_take_of_nearly_the_same_motion_is_no_copy():
    """The same walk through the same room, a little higher and later on."""

    def walk(shift, height):
        frames = []
        for number in range(60):
            frame = BACKGROUND.copy()
            x = int(10 + 1.2 * number + shift * np.sin(number / 9))
            cv2.ellipse(
                frame, (x, 36 + height), (6, 13), 0, 0, 360, (235, 230, 225), -1
            )
            frames.append(frame)
        return np.stack(frames)

    found = difference(walk(0, 0), walk(4, 3))
    assert same_frames.SAME < found < 1  # the pictures are much alike


def test_pictures_decide_where_nothing_moves():
    still = np.repeat(BACKGROUND[None], 40, axis=0)
    other = np.repeat(take(3)[:1], 40, axis=0)
    assert difference(still, reencoded(still)) < same_frames.SAME
    assert difference(still, other) > same_frames.SAME


def test_a_part_of_a_long_video_is_found_beyond_its_first_seconds():
    """A cut of 30 s from 41.3 s on, of which the original was read in stretches."""
    pictures = take(5, num_frames=2000, pace=1.5)

    def read(frames):
        moments = [
            moment
            for start, end in frame_series.stretches(len(frames) / 20)
            for moment in range(round(20 * start), min(round(20 * end), len(frames)))
        ]
        return series(frames[moments], moments)

    long, part = read(pictures), read(pictures[826 : 826 + 600])
    assert len(long.moments) < 0.45 * len(pictures)
    assert same_frames.difference(long, part) < same_frames.SAME
    assert same_frames.difference(read(take(6, 2000, 1.5)), part) > same_frames.SAME


def test_a_video_of_ten_minutes_is_read_in_stretches_and_a_longer_one_no_further():
    stretches = frame_series.stretches(600.0)
    assert stretches[0] == (0.0, 24.0) and stretches[1] == (40.0, 44.0)
    assert sum(end - start for start, end in stretches) <= 24 + 600 / 5
    assert frame_series.stretches(7200.0)[-1][1] <= 620
    assert frame_series.stretches(0.0) == [(0.0, 24.0)]
    # Any 24 s of it hold one whole stretch.
    starts = np.array([start for start, _ in stretches])
    assert np.diff(starts).max() <= 24.0 + 16.0


def test_frames_without_anything_cannot_be_compared_with_a_picture():
    black = np.zeros([10, 72, 96, 3], np.uint8)
    assert difference(black, take(0)) == same_frames.NO_MATCH
    assert difference(black[:0], take(0)) == same_frames.NO_MATCH


def test_copies_are_among_the_videos_whose_frames_look_alike():
    videos = [take(seed) for seed in range(8)]
    videos += [copy(videos[n]) for n, copy in enumerate(COPIES.values())]
    frames = {n: series(one).pixels() for n, one in enumerate(videos)}
    found = similar_frames.pairs(frames, 2)
    assert {(n, 8 + n) for n in range(len(COPIES))} <= set(found)


def reader(videos):
    def read(wanted, request):
        for video in wanted:
            yield video, Thumbnails(videos[video], 4.0, series=series(videos[video]))

    return read


def test_frames_decide_where_vectors_are_alike():
    """Two takes with one vector are no doubles, and a copy with another vector is."""
    videos = [take(seed) for seed in range(10)] + [reencoded(take(3))]
    vectors = clustered(11, num_classes=11)
    vectors[1] = vectors[0]
    pairs = duplicates.find(vectors, reader(videos))
    doubles = {(pair.one, pair.other) for pair in pairs if pair.is_double}
    assert doubles == {(3, 10)}
    assert any((pair.one, pair.other) == (0, 1) for pair in pairs)


def test_without_frames_only_vectors_that_are_far_closer_than_usual_count():
    rng = np.random.default_rng(0)
    vectors = unit_norm(rng.normal(size=[60, 32])).astype("f4")
    vectors[7] = unit_norm(vectors[3] + 0.002 * rng.normal(size=32))
    pairs = duplicates.find(vectors, None)
    assert [(p.one, p.other) for p in pairs if p.is_double] == [(3, 7)]


def test_of_a_large_collection_only_videos_with_close_vectors_are_read(monkeypatch):
    """A copy with a close vector is found; one with another vector is not looked at."""
    monkeypatch.setattr(duplicates, "MOST_ALIKE", 11)
    monkeypatch.setattr(duplicates, "_PAIRS_AT_ONCE", 1)
    originals = [take(seed) for seed in range(10)]
    videos = [*originals, reencoded(originals[3]), reencoded(originals[5])]
    vectors = clustered(12, num_classes=12, dim=64)
    vectors[10] = unit_norm(vectors[3] + 0.001 * vectors[7])
    asked, read = [], reader(videos)

    def counted(wanted, request):
        asked.append(list(wanted))
        return read(wanted, request)

    pairs = duplicates.find(vectors, counted)
    doubles = {(pair.one, pair.other) for pair in pairs if pair.is_double}
    assert doubles == {(3, 10)} and (5, 11) not in {(p.one, p.other) for p in pairs}
    assert [3, 10] in asked and max(map(len, asked)) == 2


def test_doubles_of_doubles_are_one_set():
    def pair(one, other, difference):
        return Pair(one, other, 0.9, -1.0, difference)

    pairs = [pair(1, 2, 0.1), pair(5, 9, 0.0), pair(2, 7, 0.12), pair(7, 9, 3.0)]
    assert duplicates.sets_of(pairs) == [[1, 2, 7], [5, 9]]


def test_doubles_are_written_with_one_to_keep(tmp_path):
    videos = [take(seed) for seed in range(6)] + [take(2)[5:35]]
    names = [EVIL, *(f"{n}.mp4" for n in range(1, 6)), "=copy.mp4"]
    collection = make_collection(names=names, vectors=clustered(7))
    path = str(tmp_path / "deep" / "doubles.csv")
    line = reports.write_duplicates(
        collection, reader(videos), ExploreConfig(duplicates=path)
    )
    assert "2 of 7 videos in 1 set" in line
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["video"], row["keep"]) for row in rows] == [
        ("2.mp4", "yes"),
        ("'=copy.mp4", "no"),
    ]
    assert float(rows[0]["difference"]) < same_frames.SAME


def test_a_video_far_from_all_is_an_outlier(tmp_path):
    vectors = clustered(40, num_classes=2, dim=8, spread=0.05)
    vectors[13] = -unit_norm(vectors[:2].sum(axis=0))
    found = outliers.find(vectors)
    assert found.order[0] == 13 and found.is_outlier[13]
    assert found.scores[13] > 3.5 and np.median(found.scores) == pytest.approx(0)
    collection = make_collection(40, vectors=clustered(40))
    path = str(tmp_path / "odd.csv")
    reports.write_outliers(collection, ExploreConfig(outliers=path))
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_one_video_and_equal_videos_are_no_outliers():
    assert not outliers.find(clustered(1)).is_outlier.any()
    assert not outliers.find(np.tile(clustered(1), [9, 1])).is_outlier.any()


def test_files_are_compared_whatever_their_frame_rate(tmp_path):
    pictures = take(4, num_frames=60)[..., ::-1]
    write_pictures(tmp_path / "a.avi", list(pictures), fps=20)
    write_pictures(tmp_path / "b.mp4", list(pictures[10::2]), fps=10)
    (tmp_path / "c.mp4").write_bytes(b"no video")
    read = reader_of_files([str(tmp_path / n) for n in ("a.avi", "b.mp4", "c.mp4")], 1)
    frames = duplicates.series_of(range(3), read)
    assert sorted(frames) == [0, 1]
    assert same_frames.difference(frames[0], frames[1]) < same_frames.SAME


def test_the_records_of_a_training_are_cleaned_of_planted_doubles(tmp_path):
    """The way of a memory bank: frames come from records, and the csv names doubles."""
    films = [take(seed, 60, 1.5) for seed in range(5)]
    films += [films[1][10:50], reencoded(films[3])]
    remaining = iter(films)

    def make_frames(video_id, num_frames):
        return [
            cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes()
            for frame in next(remaining)[:40]
        ]

    data_dir = str(tmp_path / "data")
    manifest = write_data_set(data_dir, 7, 0, num_frames=40, make_frames=make_frames)
    names = [video.source for video in manifest.videos]
    collection = make_collection(names=names, vectors=clustered(7))
    path = str(tmp_path / "doubles.csv")
    read = reader_of_records(data_dir, names)
    reports.write_duplicates(collection, read, ExploreConfig(duplicates=path))
    with open(path, newline="") as file:
        found = [(row["set"], row["video"]) for row in csv.DictReader(file)]
    assert found == [
        (str(n + 1), names[v]) for n, v in ((0, 1), (0, 5), (1, 3), (1, 6))
    ]


CLIPS = pathlib.Path(__file__).parents[3] / "shared" / "clips" / "yoga"


@pytest.mark.skipif(not CLIPS.exists(), reason="there are no clips")
def test_copies_of_a_film_are_told_from_other_takes(tmp_path):
    from benchmarks.doubles import make_copies

    films = sorted((CLIPS / "padmasana").glob("*.mp4"))[:3]
    paths = [*map(str, films)]
    for kind in ("reencoded", "cut"):
        make_copies.write_copy(kind, films[0], tmp_path / f"{kind}.avi")
        paths.append(str(tmp_path / f"{kind}.avi"))
    frames = duplicates.series_of(range(5), reader_of_files(paths, 1))
    found = [same_frames.difference(frames[0], frames[n]) for n in range(1, 5)]
    assert max(found[2:]) < same_frames.SAME < min(found[:2])
