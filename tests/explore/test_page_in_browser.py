"""The page of a collection in a real browser; `test_page` needs none."""

import time

import cv2
import numpy as np
import pytest
from chromium import Chromium, path_of_chromium
from collection_fixtures import EVIL, clustered, gray_of, make_collection, make_reader

from vie_tf.explore import layout
from vie_tf.explore.page import write_page

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not path_of_chromium(), reason="there is no Chromium"),
]
READY = "document.documentElement.dataset.ready"


@pytest.fixture(name="browser", scope="module")
def fixture_browser():
    with Chromium(1280, 800) as browser:
        yield browser


@pytest.fixture(name="page", scope="module")
def fixture_page(tmp_path_factory):
    """Thirty videos, one with markup in its name and one without a picture."""
    folder = tmp_path_factory.mktemp("page")
    names = [f"v{number:03d}.mp4" for number in range(30)]
    names[4] = EVIL
    collection = make_collection(names=names)
    write_page.write(collection, make_reader(unreadable={7}), str(folder), 3)
    return f"file://{folder}/index.html"


@pytest.fixture(autouse=True)
def fixture_open(request):
    """Opens the page again for every test that takes it; no script of it may fail."""
    browser = request.getfixturevalue("browser")
    browser.errors.clear()
    browser.resize(1280, 800)
    browser.open("about:blank")
    if "page" in request.fixturenames:
        browser.open(request.getfixturevalue("page"), READY)
    yield
    assert not browser.errors


def place_of(browser, video):
    """Where a video is drawn, in the window."""
    return browser.run(
        f"(() => {{ const box = canvas.getBoundingClientRect();"
        f" const [x, y] = toScreen({video}); return [x + box.x, y + box.y]; }})()"
    )


def text_of(browser, selector):
    return browser.run(f"document.querySelector('{selector}').innerText")


def test_the_map_shows_the_pictures(browser, page, tmp_path):
    browser.wait("[...images.values()].every((one) => one.complete) && !isDue")
    video = browser.run("priority[0]")
    x, y = map(round, place_of(browser, video))
    browser.screenshot(tmp_path / "window.png")
    pixel = cv2.imread(str(tmp_path / "window.png"))[y - 5, x]
    assert np.abs(pixel.astype(int) - gray_of(video)).max() <= 8


def test_a_click_shows_the_nearest_videos_with_percentiles(browser, page):
    browser.click(*place_of(browser, browser.run("priority[0]")))
    chosen = browser.run("state.chosen")
    assert chosen == browser.run("priority[0]")
    assert text_of(browser, "#view h2") == browser.run("shortName(state.chosen)")
    cards = browser.run("document.querySelectorAll('#view .card').length")
    assert cards == 12
    assert "closer than" in text_of(browser, "#view .card .line")
    # The nearest is of the same class, and a click on it goes there.
    browser.run("document.querySelector('#view .card').click()")
    assert browser.run("state.chosen") % 3 == chosen % 3
    assert browser.run("state.chosen") != chosen
    assert browser.run("location.hash") == f"#{browser.run('state.chosen')}"


def test_all_is_done_by_keys_and_said_aloud(browser, page):
    browser.run("canvas.focus()")
    browser.press("ArrowRight")
    first = browser.run("state.chosen")
    browser.press("ArrowLeft")
    browser.press("ArrowUp")
    assert first >= 0 and browser.run("state.chosen") >= 0
    said = browser.run("byId('live').textContent")
    assert "Nearest: " in said and "% of all pairs" in said
    scale = browser.run("view.scale")
    browser.press("+")
    assert browser.run("view.scale") > scale
    browser.press("0")
    assert browser.run("view.scale") == 1
    browser.press("Escape")
    assert browser.run("state.chosen") == -1
    browser.press("/")
    assert browser.run("document.activeElement.id") == "find"


def test_every_control_has_a_name(browser, page):
    nameless = browser.run(
        "[...document.querySelectorAll('button, input, select, canvas')]"
        ".filter((one) => !(one.innerText || one.ariaLabel || one.title"
        " || one.labels?.[0]?.innerText"
        " || one.closest('[hidden]'))).map((one) => one.outerHTML)"
    )
    assert nameless == []
    roles = browser.run("[...document.querySelectorAll('[role=tab]')].length")
    assert roles == 4


def test_a_name_with_markup_is_text(browser, page):
    browser.run("choose(4)")
    assert "<script>" in text_of(browser, "#view dl")
    foreign = "document.querySelectorAll('#view script, #view img').length"
    assert browser.run(foreign) == 0
    browser.run("find.value = '<script>'; find.dispatchEvent(new Event('input'))")
    assert browser.run("[...state.shown]") == [4]
    assert text_of(browser, "#view .note") == "1 video with this name or label."


def test_a_video_without_a_picture_says_why(browser, page):
    browser.run("choose(7)")
    assert text_of(browser, "#view .fault") == "No picture: the file is empty."


def test_strips_play_under_the_mouse(browser, page):
    x, y = place_of(browser, browser.run("priority[0]"))
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    browser.wait("hover.style.display == 'block'")
    position = "hover.querySelector('.player').style.backgroundPosition"
    first = browser.run(position)
    browser.wait(f"{position} != '{first}'")


@pytest.mark.parametrize("tab", ["groups", "duplicates", "outliers", "videos"])
def test_every_tab_fits_on_a_phone(tab, browser, page):
    browser.resize(390, 844, is_phone=True)
    browser.run(f"byId('tab-{tab}').click()")
    assert browser.run("document.documentElement.scrollWidth") == 390
    assert browser.run("byId('stage').getBoundingClientRect().height") > 250


def test_the_map_lies_above_its_legend(browser, page):
    lowest = browser.run(
        "Math.max(...[...Array(count).keys()].map((video) => toScreen(video)[1]))"
    )
    top = browser.run("byId('legend').offsetTop")
    assert lowest + browser.run("thumbSize()[1]") / 2 < top


def test_names_of_copies_are_shown_whole(browser, tmp_path):
    names = [f"v{number:03d}.mp4" for number in range(8)]
    names[:2] = "the_same_long_name_of_a_recording.mp4", "the_same_long_name_cut.mp4"
    vectors = clustered(8, num_classes=8)
    vectors[1] = vectors[0]
    collection = make_collection(names=names, vectors=vectors)
    folder = str(tmp_path / "page")
    write_page.write(collection, make_reader(), folder, 3, check_frames=False)
    browser.open(f"file://{folder}/index.html", READY)
    browser.run("byId('tab-duplicates').click()")
    shown = text_of(browser, "#view .cards").split("\n")
    assert set(names[:2]) <= set(shown) and shown.count("2.5 s") == 2


def test_zoom_keeps_what_is_under_the_mouse(browser, page):
    x, y = place_of(browser, 3)
    browser.run(
        f"zoom(2, ...(() => {{ const b = canvas.getBoundingClientRect();"
        f" return [{x} - b.x, {y} - b.y]; }})())"
    )
    assert place_of(browser, 3) == pytest.approx([x, y], abs=0.01)


def test_both_layouts_and_themes_can_be_chosen(browser, page):
    browser.run("byId('layout').value = 'pca'")
    browser.run("byId('layout').dispatchEvent(new Event('change'))")
    browser.wait("Math.abs(places[0] - data.maps.pca[0] / 10000) < 1e-9")
    before = browser.run("document.documentElement.dataset.theme")
    browser.run("byId('theme').click()")
    assert browser.run("document.documentElement.dataset.theme") != before


def test_a_page_of_thousands_opens_quickly(browser, tmp_path, monkeypatch):
    collection = make_collection(1500, vectors=clustered(1500))
    # The map by t-SNE takes a minute.
    monkeypatch.setattr(layout, "tsne_map", layout.pca_map)
    folder, read = str(tmp_path / "page"), make_reader()
    write_page.write(collection, read, folder, check_frames=False)
    start = time.monotonic()
    browser.open(f"file://{tmp_path}/page/index.html", READY)
    browser.wait("!isDue")
    # Far above what it takes, as machines of tests are busy.
    assert time.monotonic() - start < 20
