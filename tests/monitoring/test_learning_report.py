import pytest

from vie_tf.monitoring import alarms
from vie_tf.monitoring.learning_report import LearningReport, SameScene

SCENES_ALONE = SameScene(0.9, 0.1, 0.12, 0.11, 0.01)
MORE_THAN_SCENES = SameScene(0.9, 0.1, 0.30, 0.11, 0.01)
FEW_OF_THE_SCENE = SameScene(0.25, 0.1, 0.11, 0.11, 0.01)


def report(run=0.8, motion_map=0.7, pixels=0.6, discordant=(20, 5), scene=None):
    accuracies = {"run": run, "untrained": 0.3}
    accuracies.update(pixels=pixels, motion_map=motion_map)
    return LearningReport(
        num_videos=90,
        chance=1 / 6,
        values={
            name: {"knn": value, "agreement": 0.5, "uniformity": -2.0}
            for name, value in accuracies.items()
        },
        discordant={name: discordant for name in ("untrained", "pixels", "motion_map")},
        scene=scene,
    )


def unlabeled(scene=None):
    names = ("run", "untrained", "pixels", "motion_map")
    values = {name: {"agreement": 0.4, "uniformity": -1.5} for name in names}
    return LearningReport(300, None, values, {}, scene)


def names(report):
    return [alarm.name for alarm in alarms.learning_alarms(report)]


def test_the_verdict_is_the_comparison_with_the_best_baseline():
    better = report()
    assert better.best_baseline == "motion_map" and better.is_better
    line = better.verdict()
    assert line.startswith("Better than pixels and motion map: yes")
    for number in ("80.0%", "30.0%", "60.0%", "70.0%", "16.7%", "20 videos"):
        assert number in line
    assert "chance explains" not in line
    assert "motion map: no" in report(run=0.7).verdict()
    assert report(pixels=0.9).best_baseline == "pixels"
    assert not report(pixels=0.9).is_better


def test_a_lead_of_a_few_videos_is_what_chance_explains():
    # 2 sqrt(9 + 5) = 7.5
    assert "chance explains" in report(discordant=(9, 5)).verdict()
    assert "chance explains" not in report(discordant=(15, 2)).verdict()


def test_without_labels_the_halves_of_videos_are_compared():
    found = unlabeled()
    assert found.is_better is None
    assert "unknown without labels" in found.verdict()
    assert "40.0%" in found.describe() and "-1.50" in found.describe()


def test_scalars_have_a_name_for_every_embedding():
    found = report(scene=SCENES_ALONE).scalars()
    assert found["knn_run"] == 0.8 and found["knn_motion_map"] == 0.7
    assert found["same_scene"] == 0.9


@pytest.mark.parametrize("scene", [None, SCENES_ALONE])
def test_a_run_that_is_better_raises_no_alarm(scene):
    assert names(report(scene=scene)) == []


def test_a_run_that_is_no_better_raises_an_alarm_with_a_cure():
    (alarm,) = alarms.learning_alarms(report(run=0.5))
    assert alarm.name == "no_better_than_baseline"
    for part in ("50.0%", "70.0%", "--input=differences", "--network=motion_map"):
        assert part in alarm.message


def test_classes_that_a_baseline_solves_leave_nothing_to_be_better_at():
    assert names(report(run=0.9, pixels=1.0, scene=SCENES_ALONE)) == []


def test_neighbors_of_the_same_scene_alone_raise_an_alarm():
    assert names(unlabeled(SCENES_ALONE)) == ["same_scene"]
    both = ["no_better_than_baseline", "same_scene"]
    assert names(report(run=0.5, scene=SCENES_ALONE)) == both
    assert names(unlabeled(MORE_THAN_SCENES)) == []
    assert names(unlabeled(FEW_OF_THE_SCENE)) == []
    assert names(unlabeled()) == []
