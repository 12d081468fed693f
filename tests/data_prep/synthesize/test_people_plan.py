"""Plans of videos of people: what is drawn from a seed, and how often."""

import collections
import math

import numpy as np
import pytest

from data_prep.synthesize.people import plan
from data_prep.synthesize.people.persons import PERSONS
from data_prep.synthesize.people.plan import ACTIONS, HOMES
from data_prep.synthesize.rendering.camera import CAMERAS
from data_prep.synthesize.rendering.meshes import turn_about_y
from data_prep.synthesize.scenery.scenes import SCENES


@pytest.fixture(name="plans", scope="module")
def fixture_plans():
    return [plan.draw(0, action, n, 38) for action in ACTIONS for n in range(200)]


def share(plans, condition):
    return sum(map(condition, plans)) / len(plans)


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    assert plan.draw(3, "kick", 5, 38) == plan.draw(3, "kick", 5, 38)
    others = plan.draw(4, "kick", 5, 38), plan.draw(3, "kick", 6, 38)
    assert all(other != plan.draw(3, "kick", 5, 38) for other in others)


def test_a_small_pool_of_looks_is_shared_by_all_videos(plans):
    assert len(PERSONS) == len(SCENES) == 10 and len(CAMERAS) == 8
    for names, of in (
        (PERSONS, lambda video: video.person),
        (CAMERAS, lambda video: video.shots[0].camera),
    ):
        counts = collections.Counter(map(of, plans))
        assert set(counts) == set(names)
        assert min(counts.values()) > 0.75 * len(plans) / len(names)


def test_five_actions_are_mostly_at_home_and_the_others_anywhere(plans):
    assert len(HOMES) == 5 and len(set(HOMES.values())) == 5
    for action in ACTIONS:
        videos = [video for video in plans if video.action == action]
        scenes = collections.Counter(video.shots[0].scene for video in videos)
        (most, number), *_ = scenes.most_common()
        if action in HOMES:
            assert most == HOMES[action] and 0.7 < number / len(videos) < 0.92
        else:
            assert number / len(videos) < 0.2


def test_a_share_of_the_videos_has_two_scenes_and_passers_by(plans):
    assert 0.25 < share(plans, lambda video: len(video.shots) == 2) < 0.35
    assert 0.15 < share(plans, lambda video: bool(video.passers)) < 0.25
    for video in plans:
        assert video.cut >= 38 / 2  # the first scene is the longer one
        assert len({shot.scene for shot in video.shots}) == len(video.shots)
        assert video.person not in {passer.person for passer in video.passers}


def test_half_of_the_bodies_are_mirrored_and_a_fifth_is_for_validation(plans):
    assert 0.45 < share(plans, lambda video: video.mirrored) < 0.55
    assert share(plans, lambda video: video.split == "val") == 0.2


def test_people_are_seen_from_their_left_or_right_within_35_degrees(plans):
    sides = []
    for shot in (shot for video in plans for shot in video.shots):
        azimuth = math.radians(CAMERAS[shot.camera].azimuth)
        to_camera = np.array([math.cos(azimuth), 0.0, math.sin(azimuth)])
        looks_along, _, right = turn_about_y(shot.heading).T
        assert abs(looks_along @ to_camera) <= math.sin(math.radians(35)) + 1e-9
        sides.append(right @ to_camera > 0)
    assert 0.45 < sum(sides) / len(sides) < 0.55


def test_the_speed_does_not_depend_on_the_action(plans):
    speeds = collections.defaultdict(list)
    for video in plans:
        speeds[video.action].append(video.speed)
    means = [sum(values) / len(values) for values in speeds.values()]
    assert max(means) - min(means) < 0.1
