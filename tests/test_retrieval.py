import numpy as np
import pytest
from record_fixtures import write_data_set
from run_fixtures import run_config, unit_rows

from vie_tf.config import DataConfig
from vie_tf.evaluation import retrieval
from vie_tf.evaluation.restored_run import RestoredRun

# Five unit vectors at these angles in degrees.
ANGLES = np.radians([0, 10, 25, 90, 160])
GALLERY = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype("float32")

# A strip is 84 pixels high and 3 x 112 wide, and has two lines of text (22 each) and
# a gap (14) below.  Right of the query, a gap of 28; between neighbours, of 14.  Line
# of headings 22, margin 12.
WIDTH = 4 * 336 + 28 + 2 * 14 + 2 * 12
HEAD, ROW = 22 + 2 * 12, 84 + 2 * 22 + 14


def restored(data_dir, manifest):
    """A run on this data, without what the picture does not need."""
    return RestoredRun(
        eval_dir="unused",
        directory=None,
        config=run_config(data_dir),
        data=DataConfig(str(data_dir)),
        manifest=manifest,
        is_training_data=True,
        model=None,
        step=0,
    )


@pytest.fixture(name="run", scope="module")
def fixture_run(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    return restored(data_dir, write_data_set(data_dir))


@pytest.fixture(name="neighbors", scope="module")
def fixture_neighbors():
    return retrieval.nearest_videos(unit_rows(10), unit_rows(4, seed=1), None)


def red_pixels(picture):
    """Rows of the picture that hold a red pixel; the frames are gray."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    return np.flatnonzero(np.any((red > green + 60) & (red > blue + 60), axis=1))


def right_labels(run):
    return np.array([video.label for video in run.queries])


def test_the_nearest_videos_come_first():
    query = np.array([[np.cos(np.radians(12)), np.sin(np.radians(12))]], "float32")
    neighbors = retrieval.nearest_videos(GALLERY, query, None)
    np.testing.assert_array_equal(neighbors.rows, [[1, 0, 2]])  # 2, 12 and 13 away
    wanted = np.cos(np.radians([[2, 12, 13]]))
    np.testing.assert_allclose(neighbors.similarities, wanted, rtol=1e-5)


def test_a_query_in_the_gallery_is_not_its_own_neighbor():
    neighbors = retrieval.nearest_videos(GALLERY, GALLERY, np.arange(5))
    wanted = [[1, 2, 3], [0, 2, 3], [1, 0, 3], [2, 4, 1], [3, 2, 1]]
    np.testing.assert_array_equal(neighbors.rows, wanted)


def test_a_small_gallery_gives_all_there_is():
    neighbors = retrieval.nearest_videos(GALLERY[:3], GALLERY[:3], np.arange(3))
    np.testing.assert_array_equal(neighbors.rows, [[1, 2], [0, 2], [1, 0]])


def test_blocks_of_queries_do_not_change_the_neighbors(monkeypatch):
    gallery, own_rows = unit_rows(30), np.arange(30)
    whole = retrieval.nearest_videos(gallery, gallery, own_rows)
    monkeypatch.setattr(retrieval, "_QUERIES_AT_ONCE", 7)
    blocks = retrieval.nearest_videos(gallery, gallery, own_rows)
    np.testing.assert_array_equal(blocks.rows, whole.rows)


def test_queries_are_chosen_by_turns_from_every_class():
    # The first of classes 0, 1, 2, then the second of 0 and 1, then the third of 0.
    assert retrieval.choose_queries([0, 0, 0, 0, 1, 1, 2]) == [0, 4, 6, 1, 5, 2]
    assert retrieval.choose_queries([1, 0, 1], count=2) == [1, 0]


def test_queries_without_labels_are_the_first_ones():
    assert retrieval.choose_queries([-1] * 9) == [0, 1, 2, 3, 4, 5]


def test_a_query_is_described_with_its_label_and_its_neighbors(run, neighbors):
    content = retrieval.describe(run, neighbors, 2, right_labels(run))
    assert content["query"] == run.queries[2].source
    assert content["label"] == content["predicted"] == f"class_{run.queries[2].label}"
    for number, nearest in enumerate(content["nearest"]):
        row = neighbors.rows[2, number]
        assert nearest["video"] == run.gallery[row].source
        assert nearest["similarity"] == pytest.approx(
            neighbors.similarities[2, number], abs=1e-4
        )


def test_the_picture_has_a_row_for_every_query(run, neighbors):
    picture = retrieval.draw(run, neighbors, [0, 2, 3], right_labels(run))
    assert picture.shape == (HEAD + 3 * ROW, WIDTH, 3)
    assert picture.dtype == np.uint8


def test_a_right_prediction_has_no_red(run, neighbors):
    picture = retrieval.draw(run, neighbors, [0, 1, 2, 3], right_labels(run))
    assert not len(red_pixels(picture))


def test_a_wrong_prediction_alone_is_red(run, neighbors):
    predicted = right_labels(run)
    predicted[1] = 1 - predicted[1]
    rows = red_pixels(retrieval.draw(run, neighbors, [0, 1, 2], predicted))
    second_line = HEAD - 12 + ROW + 84 + 22  # of the second query
    assert len(rows)
    assert second_line <= rows.min() <= rows.max() < second_line + 22


def test_the_picture_shows_frames_of_its_videos(run, neighbors):
    picture = retrieval.draw(run, neighbors, [3], right_labels(run))
    videos = [run.queries[3], *(run.gallery[row] for row in neighbors.rows[3])]
    lefts = [12, *(12 + 336 + 28 + n * (336 + 14) for n in range(3))]
    for video, left in zip(videos, lefts):
        # Video right of the white part: frame 10 - 6, white up to pixel 4 of 48.
        strip = picture[HEAD - 12 + 30 : HEAD - 12 + 50, left + 30 : left + 100]
        assert strip.mean() == pytest.approx(5 * (video.id % 50), abs=3)


def test_without_labels_the_picture_has_no_red(tmp_path, neighbors):
    run = restored(tmp_path, write_data_set(tmp_path, num_classes=0))
    picture = retrieval.draw(run, neighbors, [0, 1], None)
    assert picture.shape == (HEAD + 2 * ROW, WIDTH, 3)
    assert not len(red_pixels(picture))
    assert "label" not in retrieval.describe(run, neighbors, 0, None)
