import subprocess
import sys

import pytest

SCRIPT = """
import sys, types
from vie_tf.terminal.process_exit import run_and_exit
if {uses_s3}:  # stands for tensorflow-io, which aborts at the interpreter's shutdown
    import atexit, os
    sys.modules["tensorflow_io"] = types.ModuleType("tensorflow_io")
    atexit.register(os.abort)
def work():
    print("done", end="")
    {ending}
run_and_exit(work)
"""


@pytest.mark.parametrize("uses_s3", [False, True])
@pytest.mark.parametrize(
    ("ending", "code", "error"),
    [
        ("pass", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no such folder')", 1, "no such folder\n"),
        ("raise KeyError('fault')", 1, "KeyError: 'fault'\n"),
    ],
    ids=["returns", "exit code", "exit message", "stack trace"],
)
def test_the_exit_code_survives_a_shutdown_that_would_abort(
    uses_s3, ending, code, error
):
    script = SCRIPT.format(uses_s3=uses_s3, ending=ending)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (code, "done")
    assert done.stderr.endswith(error)
    assert ("Traceback" in done.stderr) == error.startswith("KeyError")
