import os

import pytest

from vie_tf.storage import command_line
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import cell, printable


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


@pytest.mark.parametrize(
    ("text", "in_csv"),
    [
        ("=HYPERLINK(1).mp4", "'=HYPERLINK(1).mp4"),
        ("+1", "'+1"),
        ("-x.mp4", "'-x.mp4"),
        ("@sum", "'@sum"),
        ("a=b.mp4", "a=b.mp4"),
        ("\t=1", r"\t=1"),
        ("", ""),
    ],
)
def test_a_cell_of_a_csv_is_no_formula(text, in_csv):
    assert cell(text) == in_csv


def test_the_error_of_a_command_is_escaped(capsys):
    def work():
        raise UserError("no \x1b[31m\nvideo")

    assert command_line.exit_code_of(work) == 1
    assert capsys.readouterr().err == "error: no \\x1b[31m\\nvideo\n"
