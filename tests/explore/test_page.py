"""The page of a collection: its content, and its files."""

import json
import re

import cv2
import numpy as np
import pytest
from collection_fixtures import EVIL, clustered, gray_of, make_collection, make_reader

from vie_tf.explore.page import write_page
from vie_tf.storage.errors import UserError


def write(folder, collection, unreadable=(), **options):
    path, faults = write_page.write(
        collection, make_reader(unreadable), str(folder), **options
    )
    assert path == str(folder / "index.html")
    return (folder / "index.html").read_text("utf-8"), faults


def content_of(html):
    (text,) = re.findall(r'id="content">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def test_the_nearest_videos_of_each_come_with_percentiles(tmp_path):
    html, faults = write(tmp_path, make_collection(30), num_groups=3)
    content = content_of(html)
    assert not faults and content["numNeighbors"] == 12
    nearest = np.reshape(content["neighbors"], [30, 12])
    # Nine others of the same class come before all of another class.
    assert all(set(row[:9] % 3) == {video % 3} for video, row in enumerate(nearest))
    assert not any(video in row for video, row in enumerate(nearest))
    percentiles = np.reshape(content["percentiles"], [30, 12])
    assert np.all(np.diff(percentiles, axis=1) <= 0)
    # 135 of 435 pairs are within a class: the other 69% are farther apart.
    assert np.all(percentiles[:, :9] >= 6890) and np.all(percentiles[:, 9:] < 6900)


def test_groups_have_the_names_of_their_majority(tmp_path):
    content = content_of(write(tmp_path, make_collection(30), num_groups=3)[0])
    assert {group["name"] for group in content["groups"]} == {"walk", "run", "jump"}
    assert [group["purity"] for group in content["groups"]] == [1, 1, 1]
    assert sorted(v for g in content["groups"] for v in g["members"]) == [*range(30)]


def test_places_of_both_maps_lie_within_the_unit_square(tmp_path):
    maps = content_of(write(tmp_path, make_collection(30))[0])["maps"]
    for places in maps.values():
        assert len(places) == 60 and 0 <= min(places) and max(places) <= 10_000
        assert max(places) - min(places) > 5000


def test_sheets_hold_the_picture_of_every_video_at_its_place(tmp_path):
    write(tmp_path, make_collection(30))
    stills = cv2.imread(str(tmp_path / "stills" / "0000.jpg"))
    assert stills.shape == (2 * 72, 20 * 96, 3)
    for video in (0, 19, 29):
        row, column = divmod(video, 20)
        middle = stills[row * 72 + 36, column * 96 + 48]
        assert np.abs(middle.astype(int) - gray_of(video)).max() <= 4
    strips = cv2.imread(str(tmp_path / "strips" / "0001.jpg"))
    assert strips.shape == (14 * 120, 8 * 160, 3)
    middle = strips[3 * 120 + 60, 80]
    assert np.abs(middle.astype(int) - gray_of(19)).max() <= 4


def test_markup_in_a_name_is_text_everywhere(tmp_path):
    names = [EVIL, "видео/日本語 ملف.mp4", *(f"{n}.mp4" for n in range(8))]
    labels = [EVIL, "<b>", *["a", "b"] * 4]
    collection = make_collection(names=names, labels=labels)
    html, _ = write(tmp_path, collection)
    assert html.count("<script") == 2 and "<img" not in html and "<b>" not in html
    content = content_of(html)
    assert content["names"] == names and EVIL in content["labelNames"]


def test_the_policy_allows_the_one_script_of_the_page(tmp_path):
    import base64
    import hashlib

    html, _ = write(tmp_path, make_collection(3))
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search('content="(default-src[^"]*)"', html)[1]
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert not re.search(r"https?://", html)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_videos_without_labels_make_a_page(count, tmp_path):
    collection = make_collection(count, labels=[""] * count)
    content = content_of(write(tmp_path, collection)[0])
    assert content["numNeighbors"] == count - 1
    assert content["labelNames"] == [] and content["groups"][0]["purity"] is None
    assert len(content["maps"]["tsne"]) == 2 * count


def test_videos_that_cannot_be_read_have_no_picture_and_a_reason(tmp_path):
    html, faults = write(tmp_path, make_collection(6), unreadable={2})
    assert faults == {2: "the file is empty"}
    content = content_of(html)
    assert content["faults"] == {"2": "the file is empty"}
    assert content["frames"] == [4, 4, 0, 4, 4, 4]


def test_videos_at_one_point_make_a_page(tmp_path):
    vectors = np.tile(clustered(1), [12, 1])
    content = content_of(write(tmp_path, make_collection(12, vectors=vectors))[0])
    assert set(content["maps"]["tsne"]) == {5000}


def test_too_many_videos_and_foreign_folders_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(write_page, "MOST_VIDEOS", 5)
    with pytest.raises(UserError, match="up to 5 videos, and the index has 6"):
        write(tmp_path / "page", make_collection(6))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="other files, such as 'notes.txt'"):
        write(tmp_path, make_collection(3))
