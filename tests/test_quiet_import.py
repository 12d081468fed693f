"""TensorFlow is silent while it is imported, and nothing else is."""

import os
import subprocess
import sys

import pytest

TENSORFLOW = """
import os, sys
def say(line): os.write(2, line.encode() + b"\\n")
say("WARNING: All log messages before absl::InitializeLog() is called are written")
say("I0000 00:00:1795868927.905256   17762 port.cc:153] oneDNN is on.")
say("W0000 00:00:1795868927.905256   17762 x.h:1] a warning")
say("E0000 00:00:1795868927.905256   17762 cuda_dnn.cc:9] an error")
say("F0000 00:00:1795868927.905256   17762 check.cc:9] fatal")
print("a line of Python", file=sys.stderr)
if "FAIL" in os.environ:
    raise ImportError("no library")
"""


@pytest.fixture(name="stderr_of")
def fixture_stderr_of(tmp_path):
    """What `import tensorflow` prints, if that is a module that writes log lines."""
    (tmp_path / "tensorflow.py").write_text(TENSORFLOW)

    def stderr_of(code="import vie_tf, tensorflow", **variables):
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}
        environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), os.getcwd()])
        result = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
        )
        return result.stderr.splitlines()

    return stderr_of


def test_log_lines_are_dropped_and_others_stay(stderr_of):
    fatal, line = stderr_of()
    assert fatal.startswith("F0000")
    assert line == "a line of Python"


@pytest.mark.parametrize(("level", "first"), [("1", "W0000"), ("2", "E0000")])
def test_the_level_says_which_lines_are_dropped(stderr_of, level, first):
    assert stderr_of(TF_CPP_MIN_LOG_LEVEL=level)[0].startswith(first)


def test_level_0_shows_everything(stderr_of):
    assert len(stderr_of(TF_CPP_MIN_LOG_LEVEL="0")) == 6


def test_an_import_that_fails_says_why_and_leaves_stderr_as_it_was(stderr_of):
    code = "import vie_tf\ntry:\n import tensorflow\nexcept ImportError as error:\n"
    code += " import os; os.write(2, str(error).encode())"
    assert stderr_of(code, FAIL="1")[-1] == "no library"


def test_data_preparation_is_silent_too(stderr_of):
    assert len(stderr_of("import data_prep, tensorflow")) == 2
