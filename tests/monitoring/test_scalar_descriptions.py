import pathlib
import re

import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator

from vie_tf.monitoring.scalar_descriptions import of_scalar
from vie_tf.monitoring.tensorboard import Summaries

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "watching_a_run.md"
NO_SCALARS = ("clips", "similarity_of_random_pairs", "sizes", "effective_number")


def scalars_of_the_page():
    cells = [
        line.split("|")[1] for line in PAGE.read_text().splitlines() if "| `" in line
    ]
    names = re.findall(r"`\w+/(\w+)`", " ".join(cells))
    return sorted({name for name in names if name not in NO_SCALARS})


@pytest.mark.parametrize("name", scalars_of_the_page())
def test_every_scalar_of_the_page_is_described(name):
    assert of_scalar(name)


def test_a_scalar_of_a_head_has_the_description_of_its_metric():
    assert of_scalar("conv3_top1") == of_scalar("top1")
    assert of_scalar("unheard_of") is None


def test_the_description_is_written_to_the_event_file(tmp_path):
    Summaries(str(tmp_path)).scalars("knn", {"top1": np.float32(0.5)}, 3)
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    metadata = events.SummaryMetadata("knn/top1")
    assert metadata.summary_description == of_scalar("top1")
