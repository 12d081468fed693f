"""`~` is the folder of the user in every flag that is a path."""

from __future__ import annotations

import argparse
import os
import re

import pytest

from data_prep.config import (
    ConversionConfig,
    DescriptionConfig,
    KineticsConfig,
    SynthesisConfig,
)
from data_prep.synthesize import __main__ as synthesize
from vie_tf.__main__ import COMMANDS
from vie_tf.config import settings_of
from vie_tf.config.setting import local_path
from vie_tf.flags import embed, evaluate, train
from vie_tf.flags.cli import Flags

GROUPS = {
    "train": train.GROUPS,
    "evaluate": evaluate.GROUPS,
    "embed": embed.GROUPS,
    "convert": {"": ConversionConfig},
    "describe": {"": DescriptionConfig},
    "synthesize": {"": SynthesisConfig},
    "download_kinetics": {"": KineticsConfig},
}
_WORDS = "program|folder|local folder|data set|annotation"
PATH_WORDS = re.compile(rf"^(The )?({_WORDS})", re.I)
# Arguments of `python -m vie_tf` that are paths, and values that they take.
PATHS_OF_COMMANDS = {
    "compare_run": {"model_dir": "~/run", "plot": "~/a.png"},
    "input_service": {"data_dir": "~/data"},
    "models": {},
    "projector": {"model_dir": "~/run", "data_dir": "~/data"},
    "report": {"runs": "~/run", "output": "~/report.md"},
    "import_tf1": {"checkpoint": "~/c", "model_dir": "~/r", "data_dir": "~/d"},
}


def _settings(groups):
    for group in groups.values():
        for config in group.values() if isinstance(group, dict) else [group]:
            yield from settings_of(config).values()


def _paths():
    return sorted(
        {
            (command, setting.flag)
            for command, groups in GROUPS.items()
            for setting in _settings(groups)
            if setting.is_path
        }
    )


@pytest.mark.parametrize(("command", "flag"), _paths())
def test_the_folder_of_the_user_may_be_written_as_a_tilde(command, flag):
    flags = Flags(GROUPS[command])
    flags.parse([f"--{flag}=~/x y"])
    home = os.path.expanduser("~")
    value = flags.all_given()[flag]
    assert value in (f"{home}/x y", (f"{home}/x y",))


def test_every_one_of_several_folders_may_begin_with_a_tilde():
    flags = Flags(evaluate.GROUPS)
    flags.parse(["--splits=~/a,~/b"])
    home = os.path.expanduser("~")
    assert flags.all_given()["splits"] == (f"{home}/a", f"{home}/b")


def test_a_folder_that_is_called_so_and_other_texts_stay_as_they_are():
    flags = Flags(evaluate.GROUPS)
    flags.parse(["--model_dir=./~", "--data_dir=s3://bucket/~/data"])
    given = flags.all_given()
    assert (given["model_dir"], given["data_dir"]) == ("./~", "s3://bucket/~/data")
    flags = Flags(train.GROUPS)
    flags.parse(["--data_service=~/x"])
    assert flags.all_given()["data_service"] == "~/x"


@pytest.mark.parametrize("command", GROUPS)
def test_every_setting_that_means_a_path_is_declared_as_one(command):
    for setting in _settings(GROUPS[command]):
        if setting.kind.startswith("str") and PATH_WORDS.match(setting.help):
            assert setting.is_path, setting.label
        ends = ("_dir", "_path", "_from", "videos", "output", "index", "query")
        if setting.kind.startswith("str") and setting.name.endswith(ends):
            assert setting.is_path, setting.label


@pytest.mark.parametrize("command", PATHS_OF_COMMANDS)
def test_arguments_of_other_commands_may_begin_with_a_tilde(command, monkeypatch):
    parsers = []

    def remember(parser, arguments=None, namespace=None):
        parsers.append(parser)
        raise SystemExit

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", remember)
    module = pytest.importorskip(COMMANDS[command])
    with pytest.raises(SystemExit):
        module.main([])
    actions = list(_actions(parsers[0]))
    paths = PATHS_OF_COMMANDS[command]
    for action in actions:
        if action.dest in paths:
            value = action.type(paths[action.dest])
            assert value == os.path.expanduser(paths[action.dest])
    assert set(paths) <= {action.dest for action in actions}
    unlisted = {a.dest for a in actions if re.search("dir|path|file|folder", a.dest)}
    assert unlisted <= set(paths)


def _actions(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for of_role in action.choices.values():
                yield from _actions(of_role)
        else:
            yield action


def test_a_command_writes_into_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    flags = ("--num_videos=2", "--num_classes=2", "--seconds=0.2", "--num_processes=1")
    assert synthesize.main(["--output_dir=~/my videos", "--size=32", *flags]) == 0
    assert len(list((tmp_path / "home" / "my videos").rglob("*.mp4"))) == 2
    assert not (tmp_path / "~").exists()
    assert local_path("~/x") == str(tmp_path / "home" / "x")
