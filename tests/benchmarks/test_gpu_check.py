"""What the look at a new machine says about its own figures."""

import pytest

from benchmarks.gpu_check import Row, advice


def rows(**changed):
    """Rows of a machine on which nothing is wrong."""
    found = {
        "parity": Row("parity", "96 passed in 60.00s"),
        "single float32": Row("step", "100 clips/s", 100.0, 0.32),
        "single mixed_bfloat16": Row("step", "190 clips/s", 190.0, 0.17),
        "single input": Row("input", "400 clips/s", 400.0),
        "bank": Row("bank", "", seconds=0.01),
    }
    found.update({key.replace("_", " ", 1): row for key, row in changed.items()})
    return found


def test_a_machine_on_which_nothing_is_wrong_has_its_fastest_step_named():
    assert advice(rows(), ["single"]) == ["single: the fastest step is mixed_bfloat16."]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parity": Row("parity", "1 failed, 95 passed")}, "Trust no figure"),
        ({"single_input": Row("input", "", 150.0)}, "(150 clips/s) is slower"),
        ({"single_mixed_bfloat16": Row("step", "", 110.0, 0.3)}, "bfloat16 gains 10%"),
        ({"bank": Row("bank", "", seconds=0.16)}, "exact search is 50% of a float32"),
        ({"bank": Row("", "", None, 0.16, 0.1)}, "Try --la_search=clusters"),
        ({"bank": Row("", "", None, 0.16, 0.2)}, "gain nothing by --la_search=clus"),
        ({"single_float32": Row("step", "failed: OOM")}, "Not measured: single f"),
    ],
)
def test_what_is_wrong_is_said(changed, said):
    assert any(said in line for line in advice(rows(**changed), ["single"]))
