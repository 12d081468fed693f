import argparse

import numpy as np
import pytest
from record_fixtures import write_data_set

from benchmarks import motion_study
from vie_tf.input.instances import Instances
from vie_tf.training.setup import complete_settings


def study_scores():
    return {
        (family, training): dict.fromkeys(motion_study.COLUMNS, 0.1 * (place + 1))
        for family in ("single", "slow")
        for place, training in enumerate(motion_study.TRAININGS)
    }


def test_the_table_of_the_motion_study_has_a_row_for_each_network():
    lines = motion_study.table(study_scores()).splitlines()
    columns = [cell.strip() for cell in lines[0].split("|")[1:-1]]
    assert columns[:4] == ["family", "trained by", "kNN", "read-out conv3"]
    assert len(lines) == 2 + 8
    assert lines[-1] == "| `slow` | supervised | 40.0 | 40.0 | 40.0 | 40.0 |"


def test_the_bars_of_the_motion_study_are_as_high_as_the_scores():
    picture = motion_study.draw(study_scores(), chance=0.125)
    _, height = motion_study._PANEL
    for training, share in (("random", 0.1), ("supervised", 0.4)):
        is_bar = np.all(picture == motion_study._COLORS[training], axis=-1)
        first_panel = is_bar[: motion_study._TOP + height + 1]
        longest = first_panel.sum(axis=0).max()
        assert abs(longest - share * height) <= 2


@pytest.mark.parametrize("family", list(motion_study.FAMILIES))
def test_the_study_has_settings_that_a_run_takes(family, tmp_path):
    manifest = write_data_set(tmp_path / "data", num_train=100)
    arguments = argparse.Namespace(
        data_dir=str(tmp_path / "data"), output_dir="none", seed=0
    )
    for training in motion_study.TRAININGS:
        config = motion_study.config_of(family, training, arguments)
        instances = Instances.from_config(config.data, manifest)
        assert complete_settings(config, manifest, instances).train.batch_size == 32
