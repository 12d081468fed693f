"""The upload of a query in a real browser, to a real server."""

import shutil

import pytest
from chromium import Chromium, path_of_chromium
from collection_fixtures import EVIL, make_collection, make_reader
from served_fixtures import serving, write_index_of_squares

from vie_tf.explore.page import write_page

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not path_of_chromium(), reason="there is no Chromium"),
]
READY = "document.documentElement.dataset.ready"
ANSWERED = "query.file && !query.asking"


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squares")
    write_index_of_squares(folder)
    (folder / "asked").mkdir()
    shutil.copy(folder / "videos" / "down" / "2.avi", folder / "asked" / "mine.avi")
    name = EVIL.replace("/", "")  # of a file
    shutil.copy(folder / "videos" / "right" / "0.avi", folder / "asked" / name)
    (folder / "asked" / "notes.mp4").write_text("no video")
    return folder


@pytest.fixture(name="address", scope="module")
def fixture_address(folder):
    flags = "--nearest=4", "--max_upload_mb=1"
    output = folder / "output.txt"
    with serving(folder / "index", output, *flags) as (_, port):
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(name="browser", scope="module")
def fixture_browser():
    with Chromium(1280, 800) as browser:
        yield browser


@pytest.fixture(name="opened")
def fixture_opened(browser, address):
    """A browser with the served page, of which no script fails."""
    browser.errors.clear()
    browser.resize(1280, 800)
    browser.open("about:blank")
    browser.open(address, READY)
    yield browser
    assert not browser.errors


def choose_file(browser, path):
    """Opens the form, gives its file input a file, and waits for the answer."""
    browser.run("byId('tab-query').click()")
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    found = browser.send("DOM.querySelector", nodeId=root, selector="#upload")
    browser.send("DOM.setFileInputFiles", files=[str(path)], nodeId=found["nodeId"])
    browser.wait(ANSWERED)


def text_of(browser, selector):
    return browser.run(f"document.querySelector('{selector}').innerText")


def test_a_chosen_file_shows_the_nearest_videos(opened, folder):
    choose_file(opened, folder / "asked" / "mine.avi")
    assert text_of(opened, "#view h2") == "mine.avi"
    cards = "[...document.querySelectorAll('#view .card')]"
    videos = opened.run(f"{cards}.map((one) => one.title)")
    assert len(videos) == 4 and videos[0] == "down/2.avi"
    assert "closer than 100%" in text_of(opened, "#view .card")
    assert opened.run("document.querySelectorAll('#view .film .thumb').length") == 3
    assert "down/2.avi" not in text_of(opened, "#live")
    assert "Nearest: 2.avi, closer than 100%" in opened.run("byId('live').textContent")
    # On the map they stand out, and a click on one leads to it and back.
    assert opened.run("fade.size") == 4
    opened.run("document.querySelector('#view .card').click()")
    assert opened.run("state.chosen") == 2
    opened.run("document.querySelector('#view .back').click()")
    assert text_of(opened, "#view h2") == "mine.avi"


def test_the_form_is_reached_and_left_by_keys(opened, folder):
    opened.run("byId('tab-query').focus()")
    opened.press("Enter")
    assert opened.run("document.activeElement.id") == "upload"
    names = (
        "[byId('upload').labels[0].innerText, byId('upload').ariaDescribedByElements]"
    )
    assert "nearest" in opened.run(names)[0]
    assert "1 MB" in opened.run("byId('upload-note').innerText")
    assert opened.run("byId('tab-groups').tabIndex") == 0
    assert text_of(opened, "#tab-query") == "Search with a video"


def test_a_name_with_markup_is_text(opened, folder):
    choose_file(opened, folder / "asked" / EVIL.replace("/", ""))
    assert "<script>" in text_of(opened, "#view h2")
    foreign = "document.querySelectorAll('#view script, #view img').length"
    assert opened.run(foreign) == 0


def test_what_is_no_video_says_so(browser, opened, folder):
    choose_file(opened, folder / "asked" / "notes.mp4")
    assert text_of(opened, "#view .fault") == (
        "It cannot be searched with: it is not a video."
    )
    # The browser itself reports the status of the answer.
    assert all("422" in error for error in browser.errors)
    browser.errors.clear()


def test_too_large_a_file_is_not_sent(opened, tmp_path):
    (tmp_path / "large.mp4").write_bytes(bytes(1_000_001))
    choose_file(opened, tmp_path / "large.mp4")
    assert "1 MB" in text_of(opened, "#view .fault")


def test_a_dropped_file_is_asked_for(opened, folder):
    content = list((folder / "asked" / "mine.avi").read_bytes())
    opened.run(
        "(() => { const data = new DataTransfer();"
        f" data.items.add(new File([new Uint8Array({content})], 'dropped'));"
        " dispatchEvent(new DragEvent('drop', { dataTransfer: data })); })()"
    )
    opened.wait(ANSWERED)
    assert text_of(opened, "#view h2") == "dropped"
    assert opened.run("query.answer.found[0].video") == 2


def test_it_fits_on_a_phone(opened, folder):
    opened.resize(390, 844, is_phone=True)
    choose_file(opened, folder / "asked" / "mine.avi")
    assert opened.run("document.documentElement.scrollWidth") == 390


def test_a_page_from_the_disk_has_no_upload(browser, tmp_path):
    write_page.write(make_collection(), make_reader(), str(tmp_path))
    browser.errors.clear()
    browser.open(f"file://{tmp_path}/index.html", READY)
    assert browser.run("byId('tab-query') === null && byId('upload') === null")
    assert not browser.errors
