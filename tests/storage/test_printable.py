import errno
import os
import pathlib

import jinja2
import pytest
import tensorflow as tf
from markupsafe import Markup

from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import cell, csv_text, in_page, printable, text_of_cell
from vie_tf.terminal import command_line


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


def test_every_text_of_a_csv_is_a_cell_and_numbers_stay():
    rows = [("id", "source"), (-3, "=a\x1b.mp4"), (2.5, "b,c.mp4")]
    assert csv_text(rows) == 'id,source\n-3,\'=a\\x1b.mp4\n2.5,"b,c.mp4"\n'


@pytest.mark.parametrize("text", ["=a.mp4", "-x", "a=b", "", "'quoted'", "+1", "@"])
def test_a_text_comes_back_from_its_cell(text):
    assert text_of_cell(cell(text)) == text
    assert cell(cell(text)) == cell(text)


def test_only_one_function_writes_csv():
    root = pathlib.Path(__file__).parents[2]
    paths = [*root.glob("vie_tf/**/*.py"), *root.glob("data_prep/**/*.py")]
    users = {path.name for path in paths if "csv.writer" in path.read_text()}
    assert users == {"printable.py"}


def test_a_page_shows_control_characters_escaped():
    environment = jinja2.Environment(autoescape=True, finalize=in_page)
    page = environment.from_string("<p>{{ name }}</p>{{ markup }}{{ number }}")
    shown = page.render(name="<a>\x1b\u202e", markup=Markup("<b>\n</b>"), number=3)
    assert shown == "<p>&lt;a&gt;\\x1b\\u202e</p><b>\n</b>3"


def test_what_the_system_refuses_is_one_line(capsys):
    def no_memory():
        raise MemoryError("Unable to allocate 90 GiB")

    def no_room():
        raise OSError(errno.ENOSPC, "No space left on device", "out/videos.csv")

    assert command_line.exit_code_of(no_memory) == 1
    assert command_line.exit_code_of(no_room) == 1
    memory, room = capsys.readouterr().err.splitlines()
    assert memory.startswith("error: There is not enough memory (Unable to allocate")
    assert room == "error: out/videos.csv: No space left on device"


def test_memory_that_tensorflow_lacks_is_one_line(capsys):
    def work():
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    assert command_line.exit_code_of(work) == 1
    assert "not enough memory (OOM when allocating)" in capsys.readouterr().err


def test_a_full_disk_is_named_with_its_folder():
    with pytest.raises(UserError, match="disk that holds 'out' is full .No space"):
        with files.full_disk_errors("out"):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_library_that_the_system_lacks_is_one_line(capsys):
    def work():
        reason = "libGL.so.1: cannot open shared object file: No such file or directory"
        raise ImportError(reason, name="cv2")

    assert command_line.exit_code_of(work) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: cv2 cannot be loaded, as the system has no libGL")
    assert "apt-get install libgl1" in error and "opencv-python-headless" in error


def test_a_package_that_is_not_installed_is_one_line(capsys):
    def work():
        import no_such_package  # noqa: F401

    assert command_line.exit_code_of(work) == 1
    assert "package no_such_package is missing" in capsys.readouterr().err


def test_a_missing_module_of_our_own_is_a_fault(capsys):
    def work():
        from vie_tf import no_such_module  # noqa: F401

    with pytest.raises(ImportError):
        command_line.exit_code_of(work)
