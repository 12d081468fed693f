"""Search of an index of made-up vectors, and what is written of it."""

import csv

import numpy as np
import pytest
from collection_fixtures import EVIL, clustered, make_reader, write_index

from vie_tf.explore import answers, collection
from vie_tf.explore.answers import Answer
from vie_tf.explore.gallery import Found, Gallery, format_found
from vie_tf.explore.percentiles import Percentiles, format_percentile
from vie_tf.metrics.features import unit_norm
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.storage.errors import UserError


def gallery_of(folder, vectors, sources, **options):
    write_index(folder / "index", vectors, sources, **options)
    return Gallery(EmbeddingIndex.load(str(folder / "index")))


def names(count):
    return [f"{number}.mp4" for number in range(count)]


def test_what_is_near_does_not_depend_on_where_all_videos_lie(tmp_path):
    # In a narrow cone, where all cosines are above 0.99.
    axis = np.eye(8, dtype="f4")[0]
    spread = np.random.default_rng(0).normal(size=[40, 8]).astype("f4")
    cone = unit_norm(axis + 0.02 * spread)
    assert (cone @ cone.T).min() > 0.98
    gallery = gallery_of(tmp_path, cone, names(40))
    found = gallery.nearest(gallery.directions(cone[3][None]), 40)
    assert found[0].source == "3.mp4" and found[0].cosine == pytest.approx(1, abs=1e-4)
    assert found[-1].cosine < -0.3
    assert found[0].percentile == 100 and found[-1].percentile < 10


def test_percentiles_are_ranks_among_all_pairs():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], "f4")
    percentiles = Percentiles(vectors)  # of -1, -0.8, 0, 0, 0.6, 0.8
    np.testing.assert_allclose(
        percentiles(np.array([-2, -0.9, 0.0, 0.7, 1.0])),
        [0, 100 / 6, 200 / 6, 500 / 6, 100],
    )
    assert [*map(format_percentile, (100, 99.987, 95.55, 12.3))] == [
        *("100", "99.99", "95.5", "12")
    ]


def test_a_query_is_left_out_by_its_name(tmp_path):
    gallery = gallery_of(tmp_path, clustered(9), names(9))
    vectors = gallery.vectors_of("4.mp4")
    assert gallery.nearest(vectors, 3)[0].source == "4.mp4"
    found = gallery.nearest(vectors, 20, without="4.mp4")
    assert sorted(one.source for one in found) == sorted(set(names(9)) - {"4.mp4"})


def test_clips_answer_with_their_place_in_the_video(tmp_path):
    moments = clustered(30, num_classes=30)  # each clip shows something else
    gallery = gallery_of(tmp_path, moments, names(10), num_clips=3)
    # The third clip of the sixth video: frames 50 to 58, 25 a second.
    query = gallery.directions(np.stack([moments[17], moments[17]]))
    found = gallery.nearest(query, 4)
    assert (found[0].source, found[0].span) == ("5.mp4", (2.0, 59 / 25))
    assert len({one.source for one in found}) == 4
    lines = format_found(found, "q.mp4", gallery.num_videos)
    assert lines[0] == (
        "Nearest to q.mp4 among 10 videos, and how many of all pairs are farther apart:"
    )
    assert lines[1] == "   1  100.000%  5.mp4  from 2.0 s to 2.4 s"


def test_a_file_of_the_index_is_known_by_its_path(tmp_path, monkeypatch):
    gallery = gallery_of(tmp_path, clustered(4), ["a/x.mp4", *names(3)])
    (tmp_path / "videos" / "a").mkdir(parents=True)
    (tmp_path / "videos" / "a" / "x.mp4").write_bytes(b"")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "videos" / "a" / "x.mp4")
    monkeypatch.chdir(tmp_path / "videos")
    for path in ("a/x.mp4", tmp_path / "link.mp4", tmp_path / "videos/a/../a/x.mp4"):
        assert gallery.source_of(str(path)) == "a/x.mp4"
    assert gallery.source_of("x.mp4") is None


def test_one_video_is_found_and_layers_are_refused(tmp_path):
    gallery = gallery_of(tmp_path, clustered(1), ["one.mp4"])
    (found,) = gallery.nearest(clustered(1), 5)
    assert (found.source, found.percentile) == ("one.mp4", 100)
    layers = {"conv1": {"file": "conv1.npy", "shape": [1, 2, 2]}}
    write_index(tmp_path / "layers", clustered(1), ["one.mp4"], arrays=layers)
    with pytest.raises(UserError, match="embedding or pooled among"):
        Gallery(EmbeddingIndex.load(str(tmp_path / "layers")))


def test_names_are_text_in_table_and_page(tmp_path):
    found = (
        Found(0, EVIL, "=cmd()", 0.5, 99.5, (1.0, 2.0)),
        Found(1, "видео.mp4", "", 0.25, 75.0, (0.0, 1.0)),
    )
    all_answers = [Answer(EVIL, found), Answer("bad.mp4", (), "<b>")]
    answers.write_csv(str(tmp_path / "found.csv"), all_answers)
    with open(tmp_path / "found.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["video"] for row in rows] == [EVIL, "видео.mp4"]
    assert rows[0]["label"] == "'=cmd()"  # which no spreadsheet computes
    assert (rows[0]["percentile"], rows[1]["to_secs"]) == ("99.5", "1.0")
    page = str(tmp_path / "found.html")
    answers.write_page(page, all_answers, make_reader({1}), make_reader())
    html = (tmp_path / "found.html").read_text("utf-8")
    assert "<script" not in html and "<img" not in html and "<b>" not in html
    assert html.count("data:image/jpeg") == 3
    assert "closer than 99.50% of pairs, from 1.0 s to 2.0 s" in html


def test_the_collection_of_a_baseline_has_no_step(tmp_path):
    made_from = {"average": "clips", "num_clips": 5, "checkpoint": "abc"}
    for network, shown in (("run", "slow, step 7"), ("motion_map", "motion_map")):
        write_index(
            *(tmp_path / network, clustered(4), names(4)),
            model="slow" if network == "run" else network,
            made_from={**made_from, "network": network},
        )
        index = EmbeddingIndex.load(str(tmp_path / network))
        assert collection.of_index(index).network == shown
