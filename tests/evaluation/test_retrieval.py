import base64
import dataclasses
import html.parser
import re

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from run_fixtures import unit_rows

from vie_tf.drawing.canvas import Canvas
from vie_tf.evaluation.neighbors import page as retrieval_page
from vie_tf.evaluation.neighbors import picture as retrieval_picture
from vie_tf.evaluation.neighbors.picture import (
    BAR_HEIGHT,
    CELL_WIDTH,
    FRAME_HEIGHT,
    FRAME_WIDTH,
    LINE_HEIGHT,
    MARGIN,
    left_of,
    top_of,
)
from vie_tf.evaluation.neighbors.retrieved import (
    Retrieved,
    choose_queries,
    middle_frames,
)
from vie_tf.metrics import nearest

# Tags that have no end.
VOID = ("meta",)


def retrieved_from(data_dir, manifest, predicted):
    """Neighbors among the videos of a data set, of embeddings from nowhere."""
    queries, gallery = manifest.split("val"), manifest.split("train")
    found = nearest.search(unit_rows(len(gallery)), unit_rows(len(queries), seed=1), 3)
    return Retrieved(
        data_dir=str(data_dir),
        manifest=manifest,
        queries=queries,
        gallery=gallery,
        neighbor_index=found.neighbor_index,
        similarities=found.similarities,
        predicted=predicted,
        num_voters=10,
    )


def right_labels(manifest):
    return np.array([video.label for video in manifest.split("val")])


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(name="manifest", scope="module")
def fixture_manifest(data_dir):
    return write_data_set(data_dir)


@pytest.fixture(name="retrieved", scope="module")
def fixture_retrieved(data_dir, manifest):
    return retrieved_from(data_dir, manifest, right_labels(manifest))


@pytest.fixture(name="with_a_wrong_one", scope="module")
def fixture_with_a_wrong_one(data_dir, manifest, retrieved):
    """The prediction of query 1 is wrong."""
    predicted = retrieved.predicted.copy()
    predicted[1] = 1 - predicted[1]
    return retrieved_from(data_dir, manifest, predicted)


def red_pixels(canvas):
    """Lines of pixels that hold a red one; the frames are gray."""
    red, green, blue = np.moveaxis(canvas.pixels.astype(int), -1, 0)
    return np.flatnonzero(np.any((red > green + 60) & (red > blue + 60), axis=1))


class Page(html.parser.HTMLParser):
    """A page read by the standard library: its tags, texts and attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.attributes, self.red = [], [], [], []
        self._open = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class", "")))

    def handle_endtag(self, tag):
        assert self._open and self._open.pop()[0] == tag, f"</{tag}> closes another"

    def handle_data(self, data):
        if data.strip() and self._open[-1][0] != "style":
            self.texts.append(data.strip())
            if "wrong" in self._open[-1][1].split():
                self.red.append(data.strip())

    def strips(self):
        """The JPEG strips of all clips, [H, W, 3] uint8 each."""
        styles = [value for name, value in self.attributes if name == "style"]
        return [
            tf.io.decode_jpeg(base64.b64decode(style.split("base64,")[1][:-1])).numpy()
            for style in styles
        ]


def page_of(retrieved, shown):
    return retrieval_page.page(retrieved, shown, "slow at step 2, data", "by cosine")


def test_queries_are_chosen_by_turns_from_every_class():
    # The first of classes 0, 1, 2, then the second of 0 and 1, then the third of 0.
    assert choose_queries([0, 0, 0, 0, 1, 1, 2], 6) == [0, 4, 6, 1, 5, 2]
    assert choose_queries([1, 0, 1], 2) == [1, 0]


def test_queries_without_labels_are_the_first_ones():
    assert choose_queries([-1] * 9, 6) == [0, 1, 2, 3, 4, 5]


def test_a_query_is_described_with_its_label_and_its_neighbors(retrieved):
    content = retrieved.describe(2)
    query = retrieved.queries[2]
    assert content["query"] == query.source
    assert content["label"] == content["predicted"] == f"class_{query.label}"
    for number, neighbor in enumerate(content["nearest"]):
        index = retrieved.neighbor_index[2, number]
        assert neighbor["video"] == retrieved.gallery[index].source
        assert neighbor["similarity"] == pytest.approx(
            retrieved.similarities[2, number], abs=1e-4
        )


def test_the_picture_has_a_row_for_every_query(retrieved):
    height, width, _ = retrieval_picture.draw(retrieved, [0, 2, 3]).pixels.shape
    assert height == top_of(3) + MARGIN
    assert width == left_of(3) + CELL_WIDTH + MARGIN


def test_ten_neighbors_stand_in_two_rows(retrieved):
    ten = dataclasses.replace(
        retrieved,
        neighbor_index=np.tile(np.arange(10), [4, 1]),
        similarities=np.ones([4, 10]),
    )
    height, width, _ = retrieval_picture.draw(ten, [0, 1]).pixels.shape
    assert height == top_of(4) + MARGIN
    assert width == left_of(5) + CELL_WIDTH + MARGIN


def test_a_bar_below_the_frames_says_what_is_right(with_a_wrong_one):
    picture = retrieval_picture.draw(with_a_wrong_one, [0, 1, 2]).pixels.astype(int)
    marks = marks_of(with_a_wrong_one, [0, 1, 2])
    for number, (_, is_right) in enumerate(marks):
        row, column = divmod(number, 4)
        top = top_of(row) + FRAME_HEIGHT + BAR_HEIGHT // 2 + 1
        red, green, _ = picture[top, left_of(column) + CELL_WIDTH // 2]
        assert (green > red + 60) if is_right else (red > green + 60)


def test_the_headline_is_on_the_page(retrieved):
    text = retrieval_page.page(retrieved, [0], "slow", "by cosine", "R@1 50.0%")
    assert "R@1 50.0%" in Page(text).texts


def marks_of(retrieved, shown):
    """Lines that name a class, with their marks, in the order of the page."""
    names = retrieved.manifest.class_names
    lines = []
    for query in shown:
        own, predicted = retrieved.queries[query].label, retrieved.predicted[query]
        lines.append(("predicted: " + names[predicted], predicted == own))
        neighbors = videos_of(retrieved, query)[1:]
        lines += [(names[one.label], one.label == own) for one in neighbors]
    return lines


def test_classes_other_than_that_of_the_query_are_red(with_a_wrong_one):
    page = Page(page_of(with_a_wrong_one, [0, 1, 2]))
    marks = marks_of(with_a_wrong_one, [0, 1, 2])
    assert page.red == [f"\u2717 {text}" for text, is_right in marks if not is_right]
    right = [text for text in page.texts if text.startswith("\u2713 ")]
    assert right == [f"\u2713 {text}" for text, is_right in marks if is_right]
    assert {is_right for _, is_right in marks} == {True, False}


def test_the_prediction_of_a_query_is_red_where_it_is_wrong(with_a_wrong_one):
    picture = retrieval_picture.draw(with_a_wrong_one, [0, 1, 2])
    captions = Canvas(1, 1)
    captions.pixels = picture.pixels[:, : left_of(1)].copy()  # of the queries
    for row in range(3):
        bar = top_of(row) + FRAME_HEIGHT
        captions.pixels[bar : bar + BAR_HEIGHT] = 255
    red = red_pixels(captions)
    # The second line of the caption of the second query.
    top = top_of(1) + FRAME_HEIGHT + BAR_HEIGHT + LINE_HEIGHT
    assert len(red)
    assert top <= red.min() <= red.max() < top + LINE_HEIGHT


def test_picture_and_page_say_who_votes(retrieved):
    legend = "the vote of the 10 nearest, of which 3 are shown"
    assert legend in retrieved.legend()
    assert legend in page_of(retrieved, [0])


def videos_of(retrieved, query):
    """The query and its neighbors."""
    return [
        retrieved.queries[query],
        *(retrieved.gallery[index] for index in retrieved.neighbor_index[query]),
    ]


def test_the_picture_shows_frames_of_its_videos(retrieved):
    picture = retrieval_picture.draw(retrieved, [3]).pixels
    top = top_of(0)
    for column, video in enumerate(videos_of(retrieved, 3)):
        frames = picture[top : top + FRAME_HEIGHT, left_of(column) :][:, :CELL_WIDTH]
        # Frames 3, 9 and 15 of the 20 are white up to as many of 48 pixels.
        for number in range(3):
            frame = frames[:, number * FRAME_WIDTH :][:, : FRAME_WIDTH - 2]
            white = (3 + 6 * number) / 48 * FRAME_WIDTH
            gray = frame[FRAME_HEIGHT // 2, round(white) + 4 :]
            assert gray.mean() == pytest.approx(5 * (video.id % 50), abs=3)
            assert frame[FRAME_HEIGHT // 2, : round(white) - 4].min() > 240


@pytest.mark.parametrize(
    ("fps", "num_frames", "indices", "seconds"),
    [
        (25.0, 100, [43, 49, 55], 18 / 25),
        (12.0, 100, [46, 49, 52], 9 / 12),
        (2.0, 100, [48, 49, 50], 3 / 2),  # slower than four a second
        (50.0, 4, [0, 12, 24], 36 / 50),  # shorter than the strip
    ],
)
def test_strips_show_as_much_time_whatever_the_frame_rate(
    retrieved, fps, num_frames, indices, seconds
):
    video = dataclasses.replace(retrieved.queries[0], fps=fps, frames=num_frames)
    assert middle_frames(video, 3, 4) == (indices, pytest.approx(seconds))


def test_the_page_plays_every_video_at_its_own_rate(retrieved):
    slow = tuple(dataclasses.replace(v, fps=5.0) for v in retrieved.gallery)
    fast = tuple(dataclasses.replace(v, fps=50.0) for v in retrieved.queries)
    mixed = dataclasses.replace(retrieved, queries=fast, gallery=slow)
    durations = re.findall(r"animation-duration: ([0-9.]+)s", page_of(mixed, [0]))
    # Of 50 frames a second every sixth is taken, 16 times; of 5 every one.
    assert list(map(float, durations)) == [16 * 6 / 50] + 3 * [16 / 5]


def test_without_labels_picture_and_page_have_no_red(tmp_path):
    manifest = write_data_set(tmp_path, num_classes=0)
    retrieved = retrieved_from(tmp_path, manifest, None)
    assert not len(red_pixels(retrieval_picture.draw(retrieved, [0, 1])))
    page = Page(page_of(retrieved, [0, 1]))
    assert not page.red
    assert retrieved.queries[0].source in page.texts
    assert "label" not in retrieved.describe(0)


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(retrieved):
    text = page_of(retrieved, [0, 2, 3])
    page = Page(text)  # checks that every tag is closed, in order
    assert text.startswith("<!DOCTYPE html>")
    assert page.tags.count("section") == 3
    assert page.tags.count("li") == 3 * 3
    assert not {"script", "link", "img", "iframe", "a"} & set(page.tags)
    assert not re.search(r"https?:|//|@import|src=|href=", _without_strips(text))
    targets = re.findall(r"url\(([^)]{0,23})", text)
    assert targets == ["data:image/jpeg;base64,"] * 12


def _without_strips(text):
    return re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)


def test_the_strips_of_the_page_show_the_frames_of_their_videos(retrieved):
    strips = Page(page_of(retrieved, [3])).strips()
    width, height = retrieval_page.WIDTH, retrieval_page.HEIGHT
    for video, strip in zip(videos_of(retrieved, 3), strips):
        assert strip.shape == (height, width * retrieval_page.NUM_FRAMES, 3)
        for number in range(retrieval_page.NUM_FRAMES):
            window = strip[:, number * width : (number + 1) * width].mean(axis=(0, 2))
            # Frames 0, 3, 6 ... of the 20, white up to as many of 48 pixels.
            white = 3 * number % 20 / 48 * width
            gray = window[int(white) + 8 :].mean()
            assert gray == pytest.approx(5 * (video.id % 50), abs=4)
            if white > 16:
                assert window[: int(white) - 8].min() > 245


def test_what_moves_goes_through_the_whole_strip(retrieved):
    text = page_of(retrieved, [0])
    total = retrieval_page.WIDTH * retrieval_page.NUM_FRAMES
    assert f"steps({retrieval_page.NUM_FRAMES})" in text
    assert f"--end: -{total}px" in text and "background-position: var(--end) 0" in text


def test_names_that_hold_markup_are_text_on_the_page(tmp_path):
    manifest = write_data_set(tmp_path, num_classes=0)
    evil = "a\"><script>alert(1)</script><img src=http://x onerror=y>'.mp4"
    videos = tuple(
        dataclasses.replace(video, source=f"{video.id}{evil}")
        for video in manifest.videos
    )
    manifest = dataclasses.replace(manifest, videos=videos)
    text = page_of(retrieved_from(tmp_path, manifest, None), [0])
    page = Page(text)
    assert "<script" not in text
    assert not {"script", "img"} & set(page.tags)
    assert sum(evil in line for line in page.texts) == 4
    titles = [value for name, value in page.attributes if name == "title"]
    assert len(titles) == 4 and all(title.endswith(evil) for title in titles)


def test_class_names_and_titles_that_hold_markup_are_text_on_the_page(tmp_path):
    manifest = write_data_set(tmp_path)
    manifest = dataclasses.replace(manifest, class_names=("<b>x</b>", "&amp;"))
    retrieved = retrieved_from(tmp_path, manifest, right_labels(manifest))
    page = Page(retrieval_page.page(retrieved, [0, 1], "<i>title</i>", "a < b"))
    assert not {"b", "i"} & set(page.tags)
    assert {"<b>x</b>", "&amp;", "Nearest videos: <i>title</i>"} <= set(page.texts)
