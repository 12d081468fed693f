import cv2
import numpy as np

from vie_tf.storage.canvas import Canvas, fitted, text_width


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
