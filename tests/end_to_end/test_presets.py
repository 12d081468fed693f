"""That no script of run_scripts/paper can rot."""

import pathlib
import subprocess
import sys

ROWS = pathlib.Path(__file__).parents[1] / "fixtures/preset_rows.py"


def test_every_row_of_the_papers_tables_takes_two_steps():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ROWS]
    command += ["-p", "no:xdist"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
