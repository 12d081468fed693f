import os
import pathlib
import subprocess
import sys

import pytest

from vie_tf.storage.errors import UserError
from vie_tf.terminal import command_line, streams

ROOT = pathlib.Path(__file__).parents[2]
COMMANDS = (
    *("train.py", "evaluate.py", "embed.py", "-m data_prep.convert"),
    *("-m data_prep.describe", "-m data_prep.synthesize"),
    *("-m data_prep.download_kinetics", "-m vie_tf", "-m vie_tf compare_run"),
    *("-m vie_tf report", "-m vie_tf projector", "-m vie_tf models"),
    *("-m vie_tf input_service", "-m vie_tf tf1_checkpoint"),
)
LINES = """
import sys
from vie_tf.terminal import command_line
def work():
    for number in range(10_000):
        print("line", number)
    print("Läufer 走る")
sys.exit(command_line.exit_code_of(work))
"""


def run_python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, text=True, check=False, **options
    )


def lines_to(stdout, **options):
    return run_python("-c", LINES, stdout=stdout, stderr=subprocess.PIPE, **options)


def pipe_without_reader():
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_quietly_when_its_reader_has_left(command):
    done = run_python(
        *(*command.split(), "--help"),
        stdout=pipe_without_reader(),
        stderr=subprocess.PIPE,
    )
    assert (done.returncode, done.stderr) == (141, "")


def test_a_command_whose_reader_leaves_ends_as_a_killed_pipe_does():
    done = lines_to(pipe_without_reader())
    assert (done.returncode, done.stderr) == (141, "")


def test_a_reader_that_leaves_stops_the_work_as_ctrl_c_does():
    assert issubclass(streams.ReaderLeft, KeyboardInterrupt)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no full device")
def test_a_full_disk_behind_standard_output_is_one_line():
    with open("/dev/full", "w") as full:
        done = lines_to(full)
    reason = "error: Standard output cannot be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, reason)


def test_letters_that_an_encoding_lacks_are_escaped():
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = run_python(
        "-c", LINES, capture_output=True, env=environment, encoding="latin-1"
    )
    assert done.returncode == 0
    assert done.stdout.endswith("\\u8d70\\u308b\n")


@pytest.mark.parametrize("closed", ["1", "2", "1 2", "0 1 2"])
def test_a_command_does_without_closed_streams(closed, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys, tqdm\n"
        "from vie_tf.terminal import command_line\n"
        "def work():\n"
        "    print('to output'); print('to errors', file=sys.stderr)\n"
        "    list(tqdm.tqdm(range(3)))\n"
        "    with open('made', 'w') as file:\n"
        "        assert file.fileno() > 2\n"
        "sys.exit(command_line.exit_code_of(work))\n"
    )
    shut = " ".join(f"{number}>&-" for number in closed.split())
    done = subprocess.run(
        f"{sys.executable} {script} {shut}",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert (tmp_path / "made").read_text() == ""


def test_nothing_that_is_printed_steers_the_terminal(capsys):
    def work():
        print("a \x1b[2Jb\tc\nd \x9b31m\r")
        print("\rbar \x1b]0;title\x07", file=sys.stderr)

    assert command_line.exit_code_of(work) == 0
    printed = capsys.readouterr()
    assert printed.out == "a \\x1b[2Jb\tc\nd \\x9b31m\\r\n"
    assert printed.err == "\rbar \\x1b]0;title\\x07\n"


def test_commands_that_call_each_other_share_their_streams(capsys):
    def inner():
        raise UserError("no video")

    assert command_line.exit_code_of(lambda: command_line.exit_code_of(inner)) == 0
    assert capsys.readouterr().err == "error: no video\n"
    assert not isinstance(sys.stdout, streams.Stream)


@pytest.mark.parametrize(
    ("bar", "before"),
    [
        ("\r 40%|####", "\r 40%|####\n"),
        ("\r 40%|####\n", "\r 40%|####\n"),
        # What tqdm writes to wipe a bar away.
        ("\r 40%|####\r          \r", "\r 40%|####\r          \r"),
    ],
)
@pytest.mark.parametrize("error", [UserError("no video"), KeyboardInterrupt()])
def test_an_error_after_a_bar_has_its_own_line(capsys, bar, before, error):
    def work():
        print(bar, end="", file=sys.stderr)
        raise error

    assert command_line.exit_code_of(work) in (1, 130)
    printed = capsys.readouterr().err
    assert printed.startswith(before)
    assert printed[len(before) :].startswith(("error: no video\n", "Interrupted;"))


def test_a_stack_trace_after_a_bar_has_its_own_line(capsys):
    def work():
        print("\r 40%|####", end="", file=sys.stderr)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command_line.exit_code_of(work)
    assert capsys.readouterr().err == "\r 40%|####\n"
