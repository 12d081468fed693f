"""One more field of a config is one more flag, one more entry of config.json ..."""

from __future__ import annotations

import dataclasses
import json

import pytest
from run_fixtures import run_config, with_settings

from vie_tf.config import (
    DataConfig,
    FinetuneConfig,
    LabelConfig,
    LossConfig,
    Role,
    RunConfig,
    TrainConfig,
    run,
    settings_of,
)
from vie_tf.config.setting import setting
from vie_tf.flags.cli import Flags
from vie_tf.input.augmentation import crops
from vie_tf.models import MODELS
from vie_tf.monitoring import hyper_parameters
from vie_tf.training import agreement


class Videos:
    """Stands for a manifest."""

    def fingerprint(self):
        return "0" * 64


@dataclasses.dataclass(frozen=True)
class LongerLossConfig(LossConfig):
    """One more setting."""

    margin: float = setting(0.2, "Margin of the loss.", lower=0, old_names=["gap"])


@pytest.fixture(name="longer")
def fixture_longer(monkeypatch):
    """Settings of a run with one more, which has another value than its default."""
    monkeypatch.setitem(run.GROUPS, "loss", LongerLossConfig)
    return dataclasses.replace(run_config("data"), loss=LongerLossConfig(margin=0.5))


def test_a_new_setting_is_a_flag_with_help_and_bounds():
    flags = Flags({"Loss": LongerLossConfig})
    assert "--margin=VALUE (default 0.2)\n      Margin of the loss." in flags.help()
    flags.parse(["--margin=0.5"])
    assert flags.config(LongerLossConfig) == LongerLossConfig(margin=0.5)
    with pytest.raises(ValueError, match="--margin=-1: give a number, at least 0"):
        flags.parse(["--margin=-1"])


def test_a_new_setting_is_an_entry_of_config_json(longer):
    text = longer.to_json()
    assert json.loads(text)["loss"]["margin"] == 0.5
    assert RunConfig.from_json(text) == longer
    assert RunConfig.from_json(text.replace('"margin"', '"gap"')) == longer
    without = json.loads(text)
    del without["loss"]["margin"]  # as in a run of an earlier version
    assert RunConfig.from_json(json.dumps(without)).loss.margin == 0.2


def test_workers_agree_on_a_new_setting(longer):
    facts = agreement.from_config(longer, Videos(), None)
    assert facts["--margin"] == 0.5


def test_a_change_of_a_new_setting_is_logged_and_shown(longer):
    before = with_settings(longer, "loss", margin=0.1)
    assert longer.changes(before) == ["--margin was 0.1, is now 0.5"]
    assert hyper_parameters.flat(longer)["loss/margin"] == 0.5


# ------------------------------------------------------------------ the settings


def test_no_two_settings_of_a_run_share_a_flag():
    labels = [one.label for _, one, _ in run_config("data").settings()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("group", "name", "label"),
    [
        ("knn", "k", "--knn_k"),
        ("knn", "temperature", "--knn_temperature"),
        ("loss", "temperature", "--temperature"),
        ("loss", "name", "--loss"),
    ],
)
def test_a_change_is_told_by_the_name_of_the_flag(group, name, label):
    old = run_config("data")
    new = with_settings(old, group, **{name: 9})
    before = getattr(getattr(old, group), name)
    assert new.changes(old) == [f"{label} was {before!r}, is now 9"]


def test_workers_with_another_temperature_of_the_loss_do_not_agree():
    config = run_config("data")
    other = with_settings(config, "loss", temperature=0.5)
    facts = [agreement.from_config(c, Videos(), None) for c in (config, other)]
    assert facts[0] != facts[1]
    assert facts[1]["--temperature"] == 0.5


def test_places_may_differ_from_worker_to_worker():
    config, other = (run_config(f"data{n}", f"run{n}") for n in range(2))
    facts = [agreement.from_config(c, Videos(), None) for c in (config, other)]
    assert facts[0] == facts[1]


def test_a_run_logs_neither_where_it_is_nor_how_long():
    old = run_config("data", "run", train_steps=5, log_steps=1)
    new = run_config("other", "place", train_steps=6, log_steps=2)
    assert new.changes(old) == []


def test_config_json_of_an_earlier_version_is_read():
    config = run_config("data", lr_boundaries=(3, 5), plateau_min_delta=0.25)
    config = with_settings(config, "data", crop="random_resized_crop")
    content = json.loads(config.to_json())
    content["train"]["plateau_gain"] = content["train"].pop("plateau_min_delta")
    tolerance = content["loss"].pop("la_kmeans_tolerance")
    content["loss"]["la_settled_share"] = tolerance
    content["data"]["crop"] = "random_area"
    del content["distribution"]
    assert RunConfig.from_json(json.dumps(content)) == config


@pytest.mark.parametrize("text", ["", "{}", '{"data": {"no_such": 1}}', "[]"])
def test_what_are_no_settings_is_refused(text):
    with pytest.raises(ValueError, match="Not the settings of a VIE-TF run"):
        RunConfig.from_json(text)


def test_a_subclass_changes_a_default_alone():
    base, label = (
        settings_of(c)["plateau_patience"] for c in (TrainConfig, LabelConfig)
    )
    assert (base.default, label.default) == (35, 3)
    assert (base.help, base.lower) == (label.help, label.lower)
    assert settings_of(FinetuneConfig)["learning_rate"].default == 0.0005


def test_choices_are_those_of_the_tables():
    settings = {one.label: one for _, one, _ in run_config("data").settings()}
    assert set(settings["--crop"].choices) == set(crops.CROPS)
    # Input-Single is an evaluation of single, by --clips_of.
    trained = {name for name in MODELS if not name.startswith("input_single")}
    assert set(settings["--model"].choices) == trained


def test_old_crops_are_accepted_in_code():
    assert DataConfig("data", crop="random_resize") == DataConfig("data")


def test_what_decides_the_network_or_the_bank_is_fixed():
    fixed = {o.label for _, o, _ in run_config("d").settings() if o.role is Role.FIXED}
    assert fixed == {
        *("--subset", "--subset_seed", "--bin_frames"),
        *("--model", "--input", "--resnet_size", "--num_filters", "--embedding_dim"),
        *("--trn_head", "--static_frames", "--precision"),
        *("--num_frames", "--frame_interval", "--frame_rate"),
        *("--loss", "--bank_dtype", "--la_num_clusterings"),
        *("--init_from", "--network_from", "--single_from", "--dynamic_from"),
        *("--seed", "--batch_size"),
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("lr_boundaries", "5,8", (5, 8)),
        ("lr_boundaries", "", ()),
        ("profile_steps", "100,110", (100, 110)),
        ("learning_rate", "1e-3", 0.001),
        ("init_from", "run", "run"),
    ],
)
def test_values_are_read_by_the_type_of_the_field(name, text, value):
    assert settings_of(TrainConfig)[name].parse(text) == value


def test_auto_stands_for_none():
    clusters = settings_of(LossConfig)["la_num_clusters"]
    assert (clusters.parse("auto"), clusters.parse("7")) == (None, 7)
