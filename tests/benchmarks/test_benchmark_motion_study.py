import argparse

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
    assert columns[:4] == ["family", "trained by", "kNN", "probe conv3"]
    assert len(lines) == 2 + 8
    assert lines[-1] == "| `slow` | supervised | 40.0 | 40.0 | 40.0 | 40.0 |"


def test_the_bars_of_the_motion_study_are_as_high_as_the_scores():
    panels = motion_study.draw(study_scores(), chance=0.125).axes
    assert len(panels) == len(motion_study.COLUMNS)
    for axes in panels:
        heights = [round(bar.get_height(), 6) for bar in axes.patches]
        # Both families of a training, then the next training.
        assert heights == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4]
        assert set(axes.lines[0].get_ydata()) == {0.125}


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
