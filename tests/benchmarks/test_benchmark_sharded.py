import re

import pytest
from commands import run_command

pytestmark = pytest.mark.process


def test_a_divided_bank_is_measured_beside_a_whole_one():
    result = run_command(
        *("-m", "benchmarks.bank.sharded", "--num_videos=4001", "--replicas=2"),
        *("--batch_size=4", "--background=9"),
    )
    assert result.returncode == 0, result.stderr
    lines = re.findall(r"^(whole|sharded) +([\d.]+) GB", result.stdout, re.MULTILINE)
    # 4001 and 2001 rows of 128 numbers of four bytes.
    assert lines == [("whole", "0.002"), ("sharded", "0.001")]
