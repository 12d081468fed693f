"""Rendered worlds as files: people and objects."""

from __future__ import annotations

import csv
import importlib.util
import json
import pathlib
import sys

import numpy as np
import pytest
from commands import start_command
from process_fixtures import wait_until

from data_prep.config import ConversionConfig, SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.index import index_videos
from data_prep.synthesize.objects.plan import OBJECTS
from data_prep.synthesize.people import plan
from data_prep.synthesize.people.plan import ACTIONS
from data_prep.synthesize.rendering import pybullet_session
from data_prep.synthesize.write_videos import synthesize
from vie_tf.storage.errors import UserError

renders = pytest.mark.skipif(
    importlib.util.find_spec("pybullet") is None,
    reason="needs pybullet, the extra [world]",
)


def config(output_dir, world="people", **settings) -> SynthesisConfig:
    defaults = {"num_videos": 15, "size": 32, "seconds": 0.32, "num_processes": 1}
    if world == "objects":
        defaults.update(num_videos=6, num_classes=3)
    chosen = {**defaults, **settings}
    return SynthesisConfig(output_dir=str(output_dir), world=world, **chosen)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def media_of(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        name: data
        for name, data in contents(folder).items()
        if name.endswith((".mp4", ".png"))
    }


def rows(path: pathlib.Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def found_by(list_name: str, folder: pathlib.Path) -> dict[str, tuple]:
    """What data_prep.convert finds in a list: label and split of each file."""
    listed = str(folder / list_name) if list_name else ""
    settings = ConversionConfig(videos=str(folder), output_dir="data", list_path=listed)
    return {
        pathlib.Path(video.source).as_posix(): (video.label, video.split)
        for video in index_videos.read(settings)
    }


@pytest.fixture(name="people", scope="module")
def fixture_people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    synthesize(config(folder))
    return folder


@pytest.fixture(name="objects", scope="module")
def fixture_objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    synthesize(config(folder, "objects"))
    return folder


@renders
def test_every_action_has_a_folder_of_videos_of_that_size_and_length(people):
    assert sorted(media_of(people)) == sorted(
        f"{action}/00000.mp4" for action in ACTIONS
    )
    capture = cv2.VideoCapture(str(people / "walk" / "00000.mp4"))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    assert [frame.shape for frame in frames] == [(32, 42, 3)] * 4
    assert capture.get(cv2.CAP_PROP_FPS) == plan.FPS
    # Something moves, and no frame is of one color.
    assert np.abs(np.diff(np.stack(frames).astype(int), axis=0)).mean() > 0.5
    assert min(frame.std() for frame in frames) > 5


@renders
def test_world_csv_says_what_is_in_every_file(people):
    found = rows(people / "world.csv")
    assert {row["file"] for row in found} == set(media_of(people))
    for row in found:
        video = plan.draw(0, row["action"], 0, 4)
        assert row["file"].split("/")[0] == row["action"]
        assert (row["person"], row["split"]) == (video.person, video.split)
        shown = [row["scene"], row["second_scene"]][: len(video.shots)]
        assert shown == [shot.scene for shot in video.shots]
        assert bool(row["second_scene"]) == (len(video.shots) == 2)


@renders
@pytest.mark.parametrize(
    ("name", "column"),
    [("world.csv", "action"), ("scenes.csv", "scene"), ("persons.csv", "person")],
)
def test_each_table_is_a_list_that_convert_takes(people, name, column):
    known = {
        row["file"]: (row[column], row["split"]) for row in rows(people / "world.csv")
    }
    assert found_by(name, people) == known


@renders
def test_without_a_list_the_folders_are_the_labels(people):
    labels = {file: label for file, (label, _) in found_by("", people).items()}
    assert labels == {f"{action}/00000.mp4": action for action in ACTIONS}


@renders
@pytest.mark.parametrize("world", ["people", "objects"])
def test_same_seed_same_bytes_for_any_number_of_processes(world, request, tmp_path):
    first = contents(request.getfixturevalue(world))
    few = {"num_videos": 3, "num_classes": 3}
    synthesize(config(tmp_path / "two", world, num_processes=2, **few))
    second = media_of(tmp_path / "two")
    assert len(second) == 3 and second.items() <= first.items()
    synthesize(config(tmp_path / "other", world, seed=1, **few))
    third = media_of(tmp_path / "other")
    assert all(third[name] != second[name] for name in second)


@renders
def test_a_killed_command_goes_on_and_ends_with_the_same_bytes(people, tmp_path):
    words = "--world=people --num_videos=8 --num_classes=8 --size=32 --seconds=0.32"
    command = ["-m", "data_prep.synthesize", *words.split(), "--num_processes=1"]
    folder = tmp_path / "killed"
    arguments = [*command, f"--output_dir={folder}"]
    process = start_command(*arguments, output=tmp_path / "log")
    wait_until(lambda: len(media_of(folder)) >= 2, 200)
    process.kill()
    process.join()
    assert len(media_of(folder)) < 8
    (folder / "jump" / ".123.00000.mp4").write_bytes(b"half of a video")
    (folder / "world.csv.tmp").write_text("half of a table")
    synthesize(config(folder, num_videos=8, num_classes=8))
    finished = media_of(folder)
    assert len(finished) == 8 and finished.items() <= contents(people).items()
    assert not [*folder.glob("*/.*"), *folder.glob("*.tmp")]


@renders
def test_more_videos_are_added_and_the_tables_grow(tmp_path):
    synthesize(config(tmp_path, num_videos=2, num_classes=2))
    before = media_of(tmp_path)
    synthesize(config(tmp_path, num_videos=4, num_classes=2))
    found = media_of(tmp_path)
    assert sorted(found) == sorted(row["file"] for row in rows(tmp_path / "world.csv"))
    assert len(found) == 4 and before.items() <= found.items()


@renders
def test_pictures_of_objects_are_videos_of_one_frame_to_convert(objects):
    expected = [f"{name}/{number:03d}.png" for name in OBJECTS[:3] for number in (0, 1)]
    assert sorted(media_of(objects)) == expected
    picture = cv2.imread(str(objects / expected[0]))
    assert picture.shape == (32, 42, 3) and picture.std() > 5
    settings = ConversionConfig(videos=str(objects), output_dir="data", media="images")
    found = {video.source: video.label for video in index_videos.read(settings)}
    assert found == {name: name.split("/")[0] for name in expected}
    table = rows(objects / "world.csv")
    assert [row["file"] for row in table] == sorted(expected, key=lambda n: n[-7:])


@renders
def test_a_folder_of_another_world_is_left_alone(objects, people):
    before = contents(objects), contents(people)
    with pytest.raises(UserError, match="--output_dir"):
        synthesize(config(objects, "people"))
    with pytest.raises(UserError, match="--output_dir"):
        synthesize(config(people, "motions", num_videos=8, scenes=1))
    assert (contents(objects), contents(people)) == before


@renders
def test_videos_of_an_earlier_version_do_not_mix_with_those_of_this_one(tmp_path):
    earlier = {"world": "people", "size": 32, "seconds": 0.32, "seed": 0}
    (tmp_path / ".synthesis.json").write_text(json.dumps(earlier))
    with pytest.raises(UserError, match="'version': 2.*--output_dir"):
        synthesize(config(tmp_path))


@pytest.mark.parametrize(
    ("world", "settings", "message"),
    [
        ("people", {"num_videos": 14}, "--num_classes=15"),
        ("people", {"num_classes": 16, "num_videos": 20}, "1 to 15.*walk"),
        ("people", {"size": 30}, "--size=30"),
        ("objects", {"num_classes": 65, "num_videos": 65}, "1 to 64"),
        ("objects", {"num_classes": 0, "num_videos": 63}, "--num_classes=64"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    tmp_path, world, settings, message
):
    with pytest.raises(UserError, match=message):
        synthesize(config(tmp_path, world, **settings))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("world", ["people", "objects"])
def test_the_extra_that_is_missing_is_named_before_anything_is_written(
    world, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pybullet", None)
    pybullet_session.load.cache_clear()
    with pytest.raises(UserError, match=r"pip install .*\[world\]"):
        synthesize(config(tmp_path, world))
    assert not list(tmp_path.iterdir())
