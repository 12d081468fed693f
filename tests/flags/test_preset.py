"""--preset: values for flags that are not given."""

import dataclasses

import pytest
from record_fixtures import write_data_set

from vie_tf.commands import train
from vie_tf.config import Preset, PresetConfig, RunConfig, presets, settings_of
from vie_tf.config.run import GROUPS
from vie_tf.flags import train as train_flags
from vie_tf.flags.cli import Flags
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest


@pytest.fixture(name="config_of")
def fixture_config_of(data_dir, tmp_path):
    """Settings of a call of train.py on ten training videos of 20 frames."""

    def config_of(*arguments, data_dir=data_dir):
        flags = Flags(train_flags.GROUPS)
        places = (f"--data_dir={data_dir}", f"--model_dir={tmp_path / 'run'}")
        flags.parse([*places, *arguments])
        return train.settings_of_run(flags)

    return config_of


def test_without_a_preset_the_defaults_are_the_papers(config_of):
    config = config_of()
    assert config.model.num_filters == 64
    assert config == config_of("--preset=paper")
    assert config.preset == Preset("paper", {})


def test_a_preset_takes_the_place_of_defaults(config_of):
    config = config_of("--preset=small")
    assert config.model.name == "3dresnet"
    assert config.model.num_filters == 16
    assert config.loss.ir_normalizer == "batch"
    assert config.train.batch_size == 8  # of ten videos
    assert config.preset.name == "small"
    assert config.preset.values["num_filters"] == 16


@pytest.mark.parametrize(
    "arguments",
    [("--num_filters=8", "--preset=small"), ("--preset=small", "--num_filters=8")],
)
def test_a_flag_that_is_given_wins_wherever_it_stands(config_of, arguments):
    config = config_of(*arguments)
    assert (config.model.num_filters, config.model.name) == (8, "3dresnet")
    assert "num_filters" not in config.preset.values


def test_other_values_follow_from_flags_that_are_given(config_of):
    config = config_of("--preset=small", "--loss=la", "--train_steps=80")
    assert (config.train.train_steps, config.loss.ir_steps) == (80, 60)
    assert config_of("--preset=small", "--model=slow").model.num_frames is None


def values_of(num_videos, num_frames, **given):
    videos = presets.Collection(num_videos, num_frames)
    return {
        name: value
        for choice in presets.small(videos, given)
        for name, value in choice.values.items()
    }


@pytest.mark.parametrize(
    ("num_videos", "steps"), [(12, 800), (400, 1200), (750, 2250), (5000, 2400)]
)
def test_steps_follow_from_the_number_of_videos(num_videos, steps):
    assert values_of(num_videos, 100)["train_steps"] == steps


@pytest.mark.parametrize(("num_frames", "interval"), [(20, 1), (37, 1), (38, 2)])
def test_clips_of_short_videos_are_shorter(num_frames, interval):
    assert values_of(50, num_frames)["frame_interval"] == interval
    assert "frame_interval" not in values_of(50, num_frames, model="slow")


def test_differences_are_taken_where_there_is_motion():
    assert values_of(50, 100)["input"] == "differences"
    assert values_of(50, 100, model="two_stream_s")["input"] == "both"
    for appearance in ({"model": "single"}, {"static_video": True}):
        assert "input" not in values_of(50, 100, **appearance)
    assert "input" not in values_of(50, 1)


def test_values_and_reasons_are_printed_but_what_was_given(config_of, capsys):
    config_of("--preset=small", "--num_filters=8")
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("--preset=small for 10 videos of 0.8 s")
    (line,) = [line for line in lines if "--batch_size=8" in line]
    assert line.endswith(": at most 32 of 10 videos")
    assert not any("num_filters" in line for line in lines)
    assert any("--la_num_clusters=auto" in line for line in lines)


def begin(config, data_dir):
    directory = RunDirectory(config.train.model_dir)
    directory.save_config(config, Manifest.load(str(data_dir)))


def test_a_run_keeps_the_values_that_it_began_with(config_of, data_dir, tmp_path):
    begun = config_of("--preset=small")
    begin(begun, data_dir)
    more = tmp_path / "more"
    write_data_set(more, num_train=30)
    appended = config_of("--preset=small", "--log_steps=7", data_dir=more)
    assert appended.train.batch_size == begun.train.batch_size == 8
    assert appended.train.log_steps == 7
    assert appended.preset == dataclasses.replace(begun.preset)


def test_an_untrained_run_can_be_trained_with_its_preset(config_of, data_dir):
    begin(config_of("--preset=small", "--train_steps=0"), data_dir)
    assert config_of("--preset=small").train.train_steps > 0


def test_the_preset_is_in_config_json_and_none_in_those_of_earlier_runs(config_of):
    config = config_of("--preset=small")
    assert RunConfig.from_json(config.to_json()) == config
    paper = config_of()
    text = paper.to_json().replace('"preset"', '"of_another_version"')
    assert RunConfig.from_json(text) == paper


def test_the_authors_training_of_another_method_is_a_preset(config_of):
    config = config_of("--preset=3drotnet")
    assert (config.model.name, config.loss.name) == ("3dresnet", "rotation")
    assert (config.train.learning_rate, config.train.batch_size) == (0.1, 32)
    assert config.train.lr_boundaries == (25_000, 50_000, 75_000)
    assert config.model.frame_rate == 16
    assert (config.data.crop, config.data.color) == ("random_squeezed_crop", "none")


def test_the_authors_training_of_order_prediction_is_a_preset(config_of):
    config = config_of("--preset=opn")
    assert (config.model.name, config.loss.name) == ("single", "order")
    assert config.train.lr_boundaries == (279_998, 344_998)
    assert config.train.batch_size == 128


def test_puzzles_and_statistics_are_presets(config_of):
    config = config_of("--preset=stpuzzle")
    assert (config.model.name, config.loss.name) == ("3dresnet", "puzzle")
    assert (config.model.crop_size, config.data.color) == (112, "none")
    config = config_of("--preset=moap")
    assert (config.model.name, config.loss.name) == ("c3d", "statistics")
    assert (config.train.learning_rate, config.train.batch_size) == (0.001, 30)
    assert config.train.lr_boundaries == (20_000, 40_000, 60_000)


def test_an_unknown_preset_is_refused(config_of):
    with pytest.raises(UserError, match="one of paper, small"):
        config_of("--preset=large")


@pytest.mark.parametrize("num_videos", [1, 2, 9, 30, 90, 500, 2000, 20_000])
@pytest.mark.parametrize("num_frames", [1, 8, 75, 250, 7500])
@pytest.mark.parametrize("given", [{}, {"loss": "la"}, {"model": "single"}])
def test_all_values_are_allowed(num_videos, num_frames, given):
    settings = {
        one.flag: one
        for config in GROUPS.values()
        for one in settings_of(config).values()
    }
    collection = presets.Collection(num_videos, num_frames)
    for choice in presets.small(collection, given):
        assert choice.reason
        for flag, value in choice.values.items():
            setting = settings[flag]
            text = setting.none if value is None else str(value)
            if isinstance(value, tuple):
                text = ",".join(map(str, value))
            if not isinstance(value, bool):
                assert setting.parse(text) == value


def test_presets_are_choices_of_the_flag():
    choices = settings_of(PresetConfig)["preset"].choices
    assert choices == tuple(presets.PRESETS)
