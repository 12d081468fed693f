import pathlib

import cv2
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from vie_tf.drawing import fonts
from vie_tf.drawing.canvas import Canvas, fitted, text_width


def drawn(text: str) -> np.ndarray:
    canvas = Canvas(20, 80)
    canvas.write(text, 2, 2)
    return canvas.pixels


def test_letters_beyond_ascii_are_drawn():
    assert (drawn("é") != drawn("?")).any()
    assert (drawn("é") != drawn("e")).any()
    assert (drawn("ж") != drawn("é")).any()


def test_text_at_the_border_is_cut():
    canvas = Canvas(20, 30)
    canvas.write("much too long for it", 2, 12)
    assert canvas.pixels.shape == (20, 30, 3) and canvas.pixels.min() < 100


def test_long_text_is_shortened_to_a_width():
    name = "a very long name of a class that nobody can read"
    short = fitted(name, 200)
    assert text_width(short) <= 200 < text_width(name)
    assert short.startswith("a very") and short.endswith("read") and ".." in short
    assert fitted("pan", 200) == "pan"


def test_a_frame_is_pasted_in_the_middle_with_its_aspect_ratio():
    canvas = Canvas(40, 40)
    canvas.paste(np.full((10, 20, 3), (255, 0, 0), np.uint8), 0, 0, 40, 40)
    red = (canvas.pixels == (255, 0, 0)).all(axis=-1)
    assert red[10:30].all() and not red[:10].any() and not red[30:].any()


def test_a_saved_picture_has_the_same_colors(tmp_path):
    canvas = Canvas(4, 4)
    canvas.fill(0, 0, 2, 2, (200, 100, 0))
    canvas.save(str(tmp_path / "new" / "picture.png"))
    stored = cv2.imread(str(tmp_path / "new" / "picture.png"))[..., ::-1]
    np.testing.assert_array_equal(stored, canvas.pixels)


def drawn_by(font, monkeypatch, text):
    """Text as it is drawn where a font is the only one of the system."""
    found = [str(font)] if font else []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: found)
    fonts.forget()
    return [run.text for run in fonts.runs(text, 14)]


@pytest.fixture(autouse=True)
def fixture_fonts_of_this_machine():
    """The fonts of this machine again, after each test."""
    yield
    fonts.forget()


@pytest.fixture(name="font_of_one_letter")
def fixture_font_of_one_letter(tmp_path):
    """A font whose only letter, a rectangle, is that of the number 0x8D70."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "walk"])
    builder.setupCharacterMap({0x8D70: "walk"})
    pen = TTGlyphPen(None)
    for index, corner in enumerate([(50, 0), (50, 800), (950, 800), (950, 0)]):
        (pen.lineTo if index else pen.moveTo)(corner)
    pen.closePath()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "walk": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "walk": (1000, 50)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "One", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800)
    builder.setupPost()
    builder.save(tmp_path / "one.ttf")
    return tmp_path / "one.ttf"


def test_letters_of_other_scripts_are_drawn_by_a_font_of_the_system(
    font_of_one_letter, monkeypatch
):
    assert drawn_by(font_of_one_letter, monkeypatch, "a走b") == ["a", "走", "b"]
    pixels = drawn("走")
    assert (pixels < 60).all(axis=-1).sum() > 100  # a rectangle of 13 x 11 pixels
    assert text_width("走") == 14


def test_letters_that_no_font_has_are_escaped_and_not_question_marks(monkeypatch):
    assert drawn_by(None, monkeypatch, "a走é") == ["a\\u8d70é"]
    assert drawn_by(None, monkeypatch, "👩\u200d🚒") == ["\\U0001f469\u200d\\U0001f692"]
    assert drawn_by(None, monkeypatch, "\x1b[31m") == ["\\x1b[31m"]


@pytest.mark.parametrize(
    "text", ["Läufer", "Ελληνικά", "Кириллица", "עברית", "العربية"]
)
def test_the_font_of_matplotlib_has_five_alphabets(text, monkeypatch):
    assert drawn_by(None, monkeypatch, text) == [text]


def test_a_font_that_cannot_be_read_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert drawn_by(tmp_path / "broken.ttf", monkeypatch, "走") == ["\\u8d70"]


def test_only_the_canvas_draws_text():
    root = pathlib.Path(__file__).parents[2]
    for path in [*root.glob("vie_tf/**/*.py"), *root.glob("data_prep/**/*.py")]:
        assert "putText" not in path.read_text(), path
