import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from commands import run_command
from run_fixtures import random_clips, run_config, with_settings

from vie_tf.commands import compare_run as command
from vie_tf.monitoring.published import curve_plot, curves
from vie_tf.monitoring.published.comparison import (
    ABOVE,
    BELOW,
    ON_TRACK,
    TOO_EARLY,
    verdict,
)
from vie_tf.monitoring.published.curves import PublishedRun
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.manifest import Manifest

ROOT = pathlib.Path(__file__).parents[2]
REFERENCE = ROOT / "../shared/reference/published_curves.json"
EXPECTED = ROOT / "tests/fixtures/expected_compare_run.txt"
PUBLISHED = PublishedRun.load()
# A run that does as the published one at steps 5,000 to 40,000, rounded.
HEALTHY = {5000: 0.003, 20_000: 0.006, 30_000: 0.013, 40_000: 0.042}
KINETICS = 239_888


def write_curve(model_dir, curve, group="knn"):
    """Validations as train_loop writes them, in an event file of their own."""
    summaries = Summaries(str(model_dir))
    summaries.clips(random_clips(), 0)  # among events that are no text
    for step, accuracy in curve.items():
        summaries.scalars("train", {"loss": 8.0}, step)
        summaries.scalars(group, {"top1": accuracy, "top5": 2 * accuracy}, step)


def write_run(
    model_dir,
    curve,
    *,
    model=None,
    loss=None,
    knn=None,
    num_classes=400,
    num_videos=None,
    **train,
):
    """The folder of a run with the published settings, but for those that are given."""
    settings = PUBLISHED.settings
    config = run_config(
        "data",
        model_dir,
        model={**settings["model"], **(model or {})},
        loss={**settings["loss"], **(loss or {})},
        **{**settings["train"], "train_steps": 1_600_000, **train},
    )
    config = with_settings(config, "knn", **{**settings["knn"], **(knn or {})})
    names = tuple(f"class {number}" for number in range(num_classes))
    manifest = Manifest(names, videos=(), shards=(), refused=(), settings={})
    RunDirectory(str(model_dir)).save_config(config, manifest)
    if num_videos:
        bank = MemoryBank(np.zeros(num_videos, np.int64), 1, seed=0)
        prefix = str(model_dir / "checkpoints" / "step")
        tf.train.Checkpoint(bank=bank).save(prefix)
    if curve:
        write_curve(model_dir, curve)


def printed(capsys, model_dir, *arguments):
    """What the command prints, with one space for each white space."""
    assert command.main([f"--model_dir={model_dir}", *arguments]) == 0
    return " ".join(capsys.readouterr().out.split())


def error_of(capsys, model_dir, *arguments):
    assert command.main([f"--model_dir={model_dir}", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    return line


# The published numbers.


def test_shipped_numbers_are_the_published_ones():
    if not REFERENCE.exists():
        pytest.skip("the published file is not on this machine")
    shipped = json.loads((ROOT / "vie_tf/monitoring/published/curves.json").read_text())
    published = json.loads(REFERENCE.read_text())
    assert {key: shipped[key] for key in published} == published


def test_shipped_numbers_say_their_source():
    assert "authors" in PUBLISHED.source
    assert "VIE-3DResNet on Kinetics-400" in PUBLISHED.source


def test_the_published_curve_is_one_value_every_5000_steps():
    np.testing.assert_array_equal(PUBLISHED.steps, np.arange(5000, 1_470_001, 5000))
    assert PUBLISHED.top1.shape == (294,)


def test_accuracy_between_validations_is_interpolated():
    # 0.0685057 at 50,000 (the last of IR) and 0.08489414 at 55,000 (the first of LA).
    assert PUBLISHED.at(50_000) == pytest.approx(0.0685057)
    assert PUBLISHED.at(51_000) == pytest.approx(
        0.0685057 + (0.08489414 - 0.0685057) / 5
    )


def test_nothing_is_published_before_step_5000_and_the_end_is_kept():
    assert PUBLISHED.at(4999) is None
    assert PUBLISHED.expected_range(4999) is None
    assert PUBLISHED.at(2_000_000) == pytest.approx(0.32074511)
    assert PUBLISHED.expected_range(2_000_000) == PUBLISHED.expected_range(1_470_000)


def test_expected_range_is_that_of_the_window_and_two_standard_errors():
    # Within 15% of 40,000: 35,000 (0.02921417) to 45,000 (0.05725774).
    # sqrt(0.02921417 * 0.97078583 / 19653) = 0.0012013
    # sqrt(0.05725774 * 0.94274226 / 19653) = 0.0016573
    low, high = PUBLISHED.expected_range(40_000)
    assert low == pytest.approx(0.02921417 - 2 * 0.0012013, abs=1e-6)
    assert high == pytest.approx(0.05725774 + 2 * 0.0016573, abs=1e-6)


def test_expected_range_stays_on_one_side_of_a_drop_of_the_learning_rate():
    # The rate drops at 974,946: 25% before, 28% and more after.
    assert PUBLISHED.expected_range(975_000)[1] < 0.275
    assert PUBLISHED.expected_range(980_000)[0] > 0.275


def test_99_in_100_published_values_are_expected_by_the_others():
    inside = []
    for left_out, (step, accuracy) in enumerate(zip(PUBLISHED.steps, PUBLISHED.top1)):
        kept = np.arange(len(PUBLISHED.steps)) != left_out
        others = dataclasses.replace(
            PUBLISHED, steps=PUBLISHED.steps[kept], top1=PUBLISHED.top1[kept]
        )
        expected = others.expected_range(int(step))
        inside.append(expected and expected[0] <= accuracy <= expected[1])
    assert np.mean(inside[1:]) > 0.99  # the first has none before it


def test_final_linear_probes_are_the_last_published():
    assert PUBLISHED.linear_probes["kinetics"]["conv5"] == pytest.approx(0.43464984)
    assert PUBLISHED.linear_probes["imagenet"]["conv4"] == pytest.approx(0.3537932)


# Verdicts.


@pytest.mark.parametrize(
    ("step", "accuracy", "expected"),
    [
        (1000, 0.5, TOO_EARLY),  # nothing is published so early
        (5000, 0.0025, TOO_EARLY),
        (25_000, 0.0025, TOO_EARLY),  # chance
        (25_000, 0.05, ABOVE),
        (30_000, 0.0025, BELOW),
        (40_000, 0.042, ON_TRACK),
        (40_000, 0.026, BELOW),  # the range is 2.7% to 6.1%
        (40_000, 0.062, ABOVE),
        (1_600_000, 0.32, ON_TRACK),
    ],
)
def test_verdict(step, accuracy, expected):
    assert verdict(step, accuracy, PUBLISHED) == expected


def test_near_zero_is_normal_until_25000():
    assert PUBLISHED.near_zero_until == 25_000  # 0.90%; 1.26% at 30,000


# The curve of a run.


def test_curve_is_read_as_it_was_written(tmp_path):
    write_curve(tmp_path, HEALTHY)
    curve = curves.read(str(tmp_path))
    np.testing.assert_array_equal(curve.steps, list(HEALTHY))
    np.testing.assert_allclose(curve.top1, list(HEALTHY.values()), rtol=1e-6)


def test_a_step_that_was_validated_twice_has_its_newest_value(tmp_path):
    write_curve(tmp_path, {5000: 0.1, 10_000: 0.2})
    write_curve(tmp_path, {10_000: 0.3, 15_000: 0.4})
    curve = curves.read(str(tmp_path))
    np.testing.assert_array_equal(curve.steps, [5000, 10_000, 15_000])
    np.testing.assert_allclose(curve.top1, [0.1, 0.3, 0.4], rtol=1e-6)


def test_validations_of_weights_that_are_gone_are_left_out(tmp_path):
    write_curve(tmp_path, {5000: 0.1, 10_000: 0.2, 15_000: 0.9})
    write_curve(tmp_path, {10_000: 0.3})  # went on from 5,000
    np.testing.assert_array_equal(curves.read(str(tmp_path)).steps, [5000, 10_000])


def test_a_file_that_is_being_written_is_read_as_far_as_it_is(tmp_path):
    write_curve(tmp_path, {5000: 0.1, 10_000: 0.2})
    (path,) = (tmp_path / "tensorboard").iterdir()
    path.write_bytes(path.read_bytes()[:-200])  # within the validation at 10,000
    np.testing.assert_array_equal(curves.read(str(tmp_path)).steps, [5000])


# The report.


def test_a_run_like_the_published_one_is_on_track(tmp_path, capsys):
    write_run(tmp_path, HEALTHY, num_videos=KINETICS)
    assert command.main([f"--model_dir={tmp_path}"]) == 0
    assert capsys.readouterr().out.replace(str(tmp_path), "RUN") == EXPECTED.read_text()


def test_a_run_below_the_range_learns_where_the_published_one_was(tmp_path, capsys):
    write_run(tmp_path, {**HEALTHY, 100_000: 0.08})
    text = printed(capsys, tmp_path)
    assert "Below: at step 100,000 this run has 8.0%" in text
    # 6.9% at 50,000, 8.5% at 55,000.
    assert "at step 55,000" in text


def test_a_run_above_everything_is_told_so(tmp_path, capsys):
    write_run(tmp_path, {100_000: 0.5})
    text = printed(capsys, tmp_path)
    assert "Above: at step 100,000 this run has 50.0%" in text


def test_it_is_too_early_to_judge_a_young_run(tmp_path, capsys):
    write_run(tmp_path, {5000: 0.0025, 20_000: 0.0025})
    text = printed(capsys, tmp_path)
    assert "Too early to say: at step 20,000 this run has 0.2%" in text


def test_a_run_before_the_first_published_step_is_compared_with_nothing(
    tmp_path, capsys
):
    write_run(tmp_path, {400: 0.3})
    text = printed(capsys, tmp_path)
    assert "400 30.0% - - too early to say" in text
    assert text.endswith("at step 5,000.")


def test_a_run_longer_than_the_published_one_is_set_beside_its_end(tmp_path, capsys):
    write_run(tmp_path, {1_500_000: 0.32})
    text = printed(capsys, tmp_path)
    assert "On track: at step 1,500,000 this run has 32.0%" in text
    assert "30.4% to 32.9%" in text and "at step 1,470,000" in text


def test_a_long_table_is_thinned_and_ends_with_the_last_validation(tmp_path, capsys):
    write_run(tmp_path, {step: 0.2 for step in range(5000, 205_001, 5000)})
    text = printed(capsys, tmp_path)
    assert "14 of 41 validations; --rows=0" in text
    assert "205,000 20.0%" in text and " 200,000 20.0%" not in text
    assert " 200,000 20.0%" in printed(capsys, tmp_path, "--rows=0")


# Runs that are not like the published one.


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"model": {"name": "slow"}}, "--model=slow (published: 3dresnet)"),
        ({"num_videos": 480}, "480 training videos (published: 239,888)"),
        ({"num_classes": 8}, "8 classes (published: 400)"),
        ({"batch_size": 128}, "--batch_size=128 (published: 64)"),
        ({"knn": {"k": 5}}, "--knn_k=5 (published: 10)"),
    ],
)
def test_what_differs_makes_the_curve_a_rough_guide(tmp_path, capsys, changes, line):
    write_run(tmp_path, HEALTHY, **changes)
    text = printed(capsys, tmp_path)
    assert "ROUGH GUIDE" in text and line in text
    assert "on track: at step 40,000" in text


def test_losing_5_videos_in_100_makes_no_difference(tmp_path, capsys):
    write_run(tmp_path, HEALTHY, num_videos=round(0.951 * KINETICS))
    assert "ROUGH GUIDE" not in printed(capsys, tmp_path)
    write_run(tmp_path, {}, num_videos=round(0.949 * KINETICS))
    assert "ROUGH GUIDE" in printed(capsys, tmp_path)


def test_another_network_is_told_its_row_of_the_paper(tmp_path, capsys):
    write_run(tmp_path, HEALTHY, model={"name": "slow"})
    text = printed(capsys, tmp_path)
    assert "--crop_size" not in text  # comes with the network
    assert "VIE-Slow" in text and "24.80 40.48 46.36" in text


def test_settings_of_la_matter_when_la_has_begun(tmp_path, capsys):
    write_run(tmp_path, HEALTHY, loss={"la_num_clusters": 8000})
    assert "ROUGH GUIDE" not in printed(capsys, tmp_path)
    write_curve(tmp_path, {55_000: 0.085})
    assert "--la_num_clusters=8000 (published: 10000)" in printed(capsys, tmp_path)


def test_a_run_of_ir_alone_differs_once_the_published_one_is_at_la(tmp_path, capsys):
    write_run(tmp_path, HEALTHY, loss={"name": "ir", "la_num_clusters": 8000})
    assert "ROUGH GUIDE" not in printed(capsys, tmp_path)
    write_curve(tmp_path, {55_000: 0.085})
    text = printed(capsys, tmp_path)
    assert "--loss=ir (published: la)" in text and "--la_num" not in text


def test_drops_of_the_learning_rate_matter_when_they_have_come(tmp_path, capsys):
    write_run(tmp_path, {970_000: 0.25}, lr_boundaries=())
    assert "ROUGH GUIDE" not in printed(capsys, tmp_path)
    write_curve(tmp_path, {980_000: 0.25})
    text = printed(capsys, tmp_path)
    assert "--lr_boundaries=(none) (published: 974946,1304998)" in text


def test_rounded_boundaries_make_no_difference(tmp_path, capsys):
    write_run(tmp_path, {980_000: 0.285}, lr_boundaries=(975_000, 1_305_000))
    assert "ROUGH GUIDE" not in printed(capsys, tmp_path)


def test_what_is_not_known_is_said(tmp_path, capsys):
    write_run(tmp_path, HEALTHY)
    assert "Unknown: the number of training videos" in printed(capsys, tmp_path)


# The picture and TensorBoard.


def test_the_chart_is_written_as_png(tmp_path, capsys):
    write_run(tmp_path, HEALTHY)
    path = tmp_path / "pictures" / "curve.png"
    assert str(path) in printed(capsys, tmp_path, f"--plot={path}")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_chart_has_the_run_the_published_curve_and_the_range():
    steps, top1 = np.array([20_000, 50_000]), np.array([0.05, 0.1])
    figure = curve_plot.draw(curves.KnnCurve(steps, top1), PUBLISHED, "3dresnet")
    (axes,) = figure.axes
    assert axes.get_xlim() == (0, 100_000)
    published, own = axes.lines
    np.testing.assert_array_equal(own.get_xdata(), steps)
    np.testing.assert_array_equal(own.get_ydata(), top1)
    np.testing.assert_array_equal(published.get_xdata(), PUBLISHED.steps[:20])
    np.testing.assert_allclose(published.get_ydata(), PUBLISHED.top1[:20])
    corners = axes.collections[0].get_paths()[0].vertices
    low, high = PUBLISHED.expected_range(40_000)
    at_40_000 = corners[corners[:, 0] == 40_000, 1]
    assert (at_40_000.min(), at_40_000.max()) == (low, high)


def test_tensorboard_is_given_the_published_curve_once(tmp_path, capsys):
    write_run(tmp_path, HEALTHY)
    for _ in range(2):
        folder = tmp_path / "tensorboard" / "published"
        assert f"Wrote {folder}." in printed(capsys, tmp_path, "--tensorboard")
    (path,) = folder.iterdir()
    values = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            assert value.tag == "knn/top1"
            values[event.step] = float(tf.make_ndarray(value.tensor))
    np.testing.assert_array_equal(list(values), PUBLISHED.steps)
    np.testing.assert_allclose(list(values.values()), PUBLISHED.top1, rtol=1e-6)
    # The run's own curve is still its own.
    np.testing.assert_array_equal(curves.read(str(tmp_path)).steps, list(HEALTHY))


# Bad input.


def test_a_missing_folder_is_said(tmp_path, capsys):
    line = error_of(capsys, tmp_path / "nowhere")
    assert "nowhere" in line and "--model_dir" in line


def test_a_folder_without_a_run_is_said(tmp_path, capsys):
    line = error_of(capsys, tmp_path)
    assert "config.json" in line


def test_a_supervised_run_is_said(tmp_path, capsys):
    write_run(tmp_path, {}, loss={"name": "supervised"})
    line = error_of(capsys, tmp_path)
    assert "supervised" in line and "--loss=ir or la" in line


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"eval_steps": 5000}, "step 5,000 (--eval_steps)"),
        ({"eval_steps": 0}, "step 1,600,000"),
        ({"num_classes": 0}, "no labels"),
    ],
)
def test_a_run_without_knn_is_told_why(tmp_path, capsys, changes, remedy):
    write_run(tmp_path, {}, **changes)
    write_curve(tmp_path, {100: 0.5}, group="softmax")
    line = error_of(capsys, tmp_path)
    assert "no kNN validation" in line and remedy in line


def test_a_run_without_its_event_files_is_told_to_have_them(tmp_path, capsys):
    write_run(tmp_path, {}, num_videos=10, eval_steps=1)  # its checkpoint is of step 1
    line = error_of(capsys, tmp_path)
    assert "step 1" in line and str(tmp_path / "tensorboard") in line


def test_a_damaged_event_file_is_said(tmp_path, capsys):
    write_run(tmp_path, HEALTHY)
    (path,) = (tmp_path / "tensorboard").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    line = error_of(capsys, tmp_path)
    assert str(path) in line


def test_a_plot_that_is_no_png_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as ending:
        command.main([f"--model_dir={tmp_path}", "--plot=curve.jpg"])
    assert ending.value.code == 1
    line = capsys.readouterr().err
    assert "--plot" in line and "curve.jpg" in line


def test_a_plot_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys):
    write_run(tmp_path, HEALTHY)
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "curve.png"
    assert command.main([f"--model_dir={tmp_path}", f"--plot={path}"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ") and str(path.parent) in line


def test_the_command_works_from_a_terminal(tmp_path):
    write_run(tmp_path, HEALTHY)
    result = run_command("-m", "vie_tf", "compare_run", f"--model_dir={tmp_path}")
    assert (result.returncode, result.stderr) == (0, "")
    assert "On track: at step 40,000" in result.stdout
