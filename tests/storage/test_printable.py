import os

import pytest

from vie_tf.storage.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.mp4", "plain name.mp4"),
        ("Läufer 走る 👩\u200d🚒\u3000x.mp4", "Läufer 走る 👩\u200d🚒\u3000x.mp4"),
        ("\x1b]0;title\x07a\rb\nc\td", r"\x1b]0;title\x07a\rb\nc\td"),
        ("\x9b31m", r"\x9b31m"),
        ("gnp.\u202e4pm", r"gnp.\u202e4pm"),
        ("a\u2028b", r"a\u2028b"),
        (os.fsdecode(b"caf\xe9"), r"caf\udce9"),
    ],
)
def test_what_a_terminal_obeys_is_escaped(text, shown):
    assert printable(text) == shown
