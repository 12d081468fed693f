"""The schedule of every row of the paper, as the authors' settings have it.

The tables are data: steps that the authors' settings publish, or that follow from them
by the rules in docs/decisions/training.md.
"""

import os
import pathlib
import subprocess

import pytest

from vie_tf.config import presets
from vie_tf.flags import cli
from vie_tf.flags import evaluate as evaluate_flags
from vie_tf.flags import train as train_flags

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "run_scripts" / "paper"
SCRIPTS = {path.stem for path in FOLDER.glob("*.sh")} - {"row", "all"}

# Drops and last step of pre-training.
PRETRAINING = {
    "single_ir": (845011, 1280011, 1380000),
    "single_la": (1020011, 1220011, 1375000),
    "single_70percent_ir": (875011, 1080011, 1180000),
    "single_70percent_la": (860011, 1060011, 1160000),
    "single_30percent_ir": (865011, 1080011, 1180000),
    "single_30percent_la": (860011, 1060011, 1160000),
    "single_5bin_ir": (1125011, 1535011, 1635000),
    "single_5bin_la": (1220011, 1505011, 1605000),
    "single_2bin_ir": (1350011, 1960011, 2060000),
    "single_2bin_la": (1375011, 1600011, 1700000),
    "slow_ir": (1280011, 1480011, 1580000),
    "slow_la": (1170011, 1380011, 1440000),
    "slowfast_la": (1120011, 1294998, 1350000),
    "3dresnet_la": (974946, 1304998, 1450000),
    "trn_la": (1455011, 1570011, 1670000),
}
AT_PLATEAUS = {
    *("3dresnet_ir", "slowfast_ir", "trn_ir"),
    *("single_supervised", "trn_supervised", "3dresnet_supervised"),
    *("slow_supervised", "slowfast_supervised"),
}
# Other methods of table 2: their objective, by the preset that the row has.
OTHERS = {
    "other_3drotnet": ("rotation", "3drotnet"),
    "other_opn": ("order", "opn"),
    "other_st_puzzle": ("puzzle", "stpuzzle"),
    "other_st_puzzle_c3d": ("puzzle", "stpuzzle"),
    "other_moap": ("statistics", "moap"),
    "other_cmc": ("cmc", None),
}
# Drops of linear probes, counted from their start.
SINGLE_KINETICS, SINGLE_IMAGENET = (235099, 519998), (116301, 516691)
PROBES_ON_KINETICS = {
    "random": (409998, 664998),
    "single_la": SINGLE_KINETICS,
    "slow_la": (99998, 274998),
    "slowfast_la": (119998, 244998),
    "3dresnet_la": (80011, 254998),
    "two_stream_s": (104998, 244998),
    "two_stream_sf": (134998, 259998),
    "input_single_slow": (154998, 344998),
    "input_single_trn": (149998, 324998),
    "input_single_slowfast": (94998, 209999),
}
PROBES_ON_IMAGENET = {
    "random": (370011, 524998),
    "single_la": SINGLE_IMAGENET,
    "slow_la": (250011, 500011),
    "slowfast_la": (200011, 460011),
    "3dresnet_la": (290011, 940011),
    "two_stream_s": (230011, 570011),
    "two_stream_sf": (160011, 460011),
    "single_supervised": (90001, 190001),
    "slowfast_supervised": (200011, 460011),
    # Those of the family's row of VIE, as the authors' start is not published.
    "slow_supervised": (250011, 500011),
    "trn_supervised": (310011, 980011),
    "3dresnet_supervised": (290011, 940011),
}
# Drops in the authors' settings, which count the steps of pre-training.
TOTAL_STEPS = {
    "single_ir": ((1740011, 2120011), (1840011, 2192191)),
    "single_70percent_la": ((1409998, 1804998), (1370011, 1600011)),
    "single_30percent_la": ((1444998, 2079998), (1330011, 1730011)),
    "single_5bin_la": ((1811011, 2050011), (1811011, 2100011)),
    "single_2bin_la": ((1900011, 2100011), (1900011, 2300011)),
    "trn_la": ((1854998, 2049998), (1980011, 2650011)),
}
# Drops of fine-tuning with color jitter, and with multi-scale crops.
FINE_TUNING = {
    "ucf101_single": ((15000, 35000), (15000, 35000)),
    "ucf101_slowfast": ((10000, 20000), (10000, 20000)),
    "ucf101_3dresnet": ((40000, 60000), (40000, 60000)),
    "ucf101_two_stream_sf": ((10000, 20000), (10000, 20000)),
    "ucf101_single_scratch": ((9000, 13000), (9000, 13000)),
    "ucf101_slowfast_scratch": ((10000, 14000), (10000, 14000)),
    "ucf101_3dresnet_scratch": ((10000, 16000), (10000, 16000)),
    "ucf101_single_supervised": ((15000, 35000), (15000, 35000)),
    "ucf101_slowfast_supervised": ((15000,), (15000,)),
    "ucf101_3dresnet_supervised": ((40000, 60000), (40000, 60000)),
    "hmdb51_single": ((10000, 20000), (10000, 20000)),
    "hmdb51_slowfast": ((15000, 30000), (20000, 30000)),
    "hmdb51_3dresnet": ((40000, 60000), (40000, 60000)),
    "hmdb51_two_stream_sf": ((10000, 20000), (10000, 20000)),
    "hmdb51_single_scratch": ((7000, 10000), (7000, 10000)),
    "hmdb51_slowfast_scratch": ((9000, 13000), (13000, 18000)),
    "hmdb51_3dresnet_scratch": ((10000, 15000), (10000, 15000)),
    "hmdb51_single_supervised": ((10000, 20000), (15000, 35000)),
    "hmdb51_slowfast_supervised": ((15000,), (10000,)),
    "hmdb51_3dresnet_supervised": ((40000, 60000), (40000, 60000)),
}


@pytest.fixture(name="roots", scope="module")
def fixture_roots(tmp_path_factory):
    """Variables of the environment: a Python that shows what it would be given."""
    folder = tmp_path_factory.mktemp("schedules")
    shows = folder / "python"
    shows.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    shows.chmod(0o755)
    return {"DATA_ROOT": "/data", "RUN_ROOT": str(folder), "PYTHON": str(shows)}


def words_of(row, roots, *arguments):
    """Flags of the last command that a script starts."""
    result = subprocess.run(
        [FOLDER / f"{row}.sh", *arguments],
        env={**os.environ, **roots},
        capture_output=True,
        text=True,
        check=True,
    )
    words = result.stdout.splitlines()
    last = max(n for n, word in enumerate(words) if word.endswith(".py"))
    return words[last + 1 :]


def training_of(row, roots, *arguments):
    """Settings of the pre-training of a row."""
    flags = cli.Flags(train_flags.GROUPS)
    flags.parse(words_of(row, roots, *arguments))
    return train_flags.config(flags)


def evaluation_of(row, roots, *arguments):
    """Settings of the evaluation of a row."""
    flags = cli.Flags(evaluate_flags.GROUPS)
    flags.parse(words_of(row, roots, *arguments))
    return evaluate_flags.config(flags)


def test_the_tables_have_every_row():
    rows = {f"finetune_{row}" for row in FINE_TUNING}
    rows |= {*PRETRAINING, *PROBES_ON_KINETICS, *PROBES_ON_IMAGENET, *AT_PLATEAUS}
    rows |= {*OTHERS}
    assert rows == SCRIPTS


@pytest.mark.parametrize("row", PRETRAINING)
def test_pre_training_has_the_authors_steps(row, roots):
    *drops, last = PRETRAINING[row]
    train = training_of(row, roots).train
    assert train.lr_schedule == "boundaries"
    assert train.lr_boundaries == tuple(drops)
    assert train.train_steps == last


@pytest.mark.parametrize("row", sorted(AT_PLATEAUS))
def test_the_others_drop_at_plateaus(row, roots):
    assert training_of(row, roots).train.lr_schedule == "plateau"


@pytest.mark.parametrize("row", OTHERS)
def test_other_methods_have_their_presets(row, roots):
    loss, preset = OTHERS[row]
    if preset is None:
        assert training_of(row, roots).loss.name == loss
        return
    assert f"--preset={preset}" in words_of(row, roots)
    choices = presets.PRESETS[preset](presets.Collection(240_000, 250), {})
    values = {name: one for choice in choices for name, one in choice.values.items()}
    assert values["loss"] == loss


def test_trn_la_starts_before_its_first_drop(roots):
    start = training_of("single_la", roots).train.train_steps
    trn = training_of("trn_la", roots).train
    assert trn.init_from == f"{roots['RUN_ROOT']}/single_la"
    assert start < trn.lr_boundaries[0]


@pytest.mark.parametrize("name", ["kinetics400", "imagenet"])
@pytest.mark.parametrize("row", sorted(SCRIPTS))
def test_linear_probes_have_the_authors_steps(row, name, roots):
    if row.startswith("finetune_"):
        return
    linear = evaluation_of(row, roots, f"--linear_probes={name}").linear
    known = PROBES_ON_KINETICS if name == "kinetics400" else PROBES_ON_IMAGENET
    otherwise = SINGLE_KINETICS if name == "kinetics400" else SINGLE_IMAGENET
    drops = known.get(row, otherwise)
    if row in TOTAL_STEPS:
        start = training_of(row, roots).train.train_steps
        total = TOTAL_STEPS[row][name == "imagenet"]
        drops = tuple(drop - start for drop in total)
    assert linear.lr_boundaries == drops
    assert linear.train_steps == drops[-1] + 50_000
    assert (linear.lr_schedule, linear.batch_size) == ("boundaries", 128)
    assert (linear.learning_rate, linear.weight_decay) == (0.01, 1e-4)


@pytest.mark.parametrize("row", ["single_la", "3dresnet_la", "two_stream_sf"])
def test_probes_of_pictures_have_the_authors_augmentation_of_pictures(row, roots):
    (pictures,) = evaluation_of(row, roots, "--linear_probes=imagenet").data
    assert (pictures.crop, pictures.min_crop_area) == ("random_resized_crop", 0.2)
    assert (pictures.gray_probability, pictures.gray_first) == (0.2, True)
    assert pictures.static_video
    (videos,) = evaluation_of(row, roots, "--linear_probes=kinetics400").data
    assert (videos.crop, videos.gray_first) == ("random_short_side_crop", False)
    assert not videos.static_video


@pytest.mark.parametrize("row", FINE_TUNING)
def test_fine_tuning_has_the_authors_steps(row, roots):
    color, multi_scale = FINE_TUNING[row]
    for drops, arguments in ((color, ()), (multi_scale, ("--multi_scale",))):
        tuning = evaluation_of(f"finetune_{row}", roots, *arguments).finetune
        assert tuning.lr_schedule == "boundaries"
        assert tuning.lr_boundaries == drops
        assert tuning.train_steps == drops[-1] + 10_000
        assert tuning.batch_size == (64 if "two_stream" in row else 128)


@pytest.mark.parametrize("row", ["two_stream_s", "two_stream_sf"])
def test_the_static_stream_sees_all_frames_of_videos(row, roots):
    on_videos = evaluation_of(row, roots, "--linear_probes=kinetics400")
    on_pictures = evaluation_of(row, roots, "--linear_probes=imagenet")
    assert on_videos.settings.static_frames == "all"
    assert on_pictures.settings.static_frames == "one"  # which are all the same
    assert evaluation_of(row, roots).settings.static_frames == "all"


@pytest.mark.parametrize("data", ["ucf101", "hmdb51"])
def test_the_static_stream_sees_all_frames_in_fine_tuning(data, roots):
    evaluation = evaluation_of(f"finetune_{data}_two_stream_sf", roots)
    assert evaluation.settings.static_frames == "all"


@pytest.mark.parametrize("row", sorted(AT_PLATEAUS | {"single_la", "trn_la"}))
def test_table_5_averages_conv5_over_space(row, roots):
    linear = evaluation_of(row, roots, "--linear_probes=imagenet").linear
    averaged = {f"{model}_supervised" for model in ("single", "slow", "slowfast")}
    assert linear.pool_conv5 == (row in averaged)


def cells_of(row):
    """Cells of a row in the page on how long everything takes."""
    page = (ROOT / "docs" / "reproduce_the_paper.md").read_text()
    (line,) = [line for line in page.splitlines() if line.startswith(f"| `{row}` |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


@pytest.mark.parametrize("row", sorted({*PROBES_ON_KINETICS, *TOTAL_STEPS}))
def test_the_page_has_the_steps_of_pre_training_and_probes(row, roots):
    first, _, _, *probes = cells_of(row)
    if row in PRETRAINING:
        start = 1_375_000 if row == "trn_la" else 0
        assert first == f"{PRETRAINING[row][-1] - start:,}"
    for cell, name in zip(probes, ("kinetics400", "imagenet")):
        steps = evaluation_of(row, roots, f"--linear_probes={name}").linear.train_steps
        assert not cell or cell.startswith(f"{steps:,}, ")


@pytest.mark.parametrize("row", FINE_TUNING)
def test_the_page_has_the_steps_of_fine_tuning(row, roots):
    for cell, drops in zip(cells_of(f"finetune_{row}"), FINE_TUNING[row]):
        assert cell.startswith(f"{drops[-1] + 10_000:,}, ")
