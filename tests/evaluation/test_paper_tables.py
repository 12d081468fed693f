"""Own results below the rows of the paper that they reproduce, and the rows."""

import pathlib

import pytest
from report_fixtures import HMDB51, fine_tuned, part, scores_of, write_result

from vie_tf.evaluation.report import report_runs
from vie_tf.evaluation.report.paper_tables import PaperTables, augmentation
from vie_tf.storage.errors import UserError

SINGLE = {"model": "single", "scores": scores_of(*[0.3] * 5)}
SCRIPTS = pathlib.Path(__file__).parents[2] / "run_scripts" / "paper"


def own_lines(*runs):
    """The lines of own numbers beside the paper's; `runs` are (folder, row)."""
    folders, rows = zip(*runs)
    text = report_runs.report_runs(list(map(str, folders)), rows)
    lines = text.partition("## Beside the paper")[2].splitlines()
    others = ("|  |", "| ---")
    return [
        line
        for line in lines
        if line.startswith("| ")
        and not line.startswith(others)
        and ", paper |" not in line
        and ", own |" not in line
    ]


# ------------------------------------------------------------- which row a run is


def test_several_runs_of_a_row_have_a_line_each(tmp_path):
    for name, top1 in (("x", 0.25), ("y", 0.5)):
        write_result(tmp_path / name, "finetune", **fine_tuned(top1))
    runs = [(tmp_path / name, "slowfast_la") for name in "xy"]
    assert own_lines(*runs) == [
        "| SlowFast, VIE, x | not run | not run | 25.00 [1] | not run |",
        "| SlowFast, VIE, y | not run | not run | 50.00 [1] | not run |",
    ]


def test_a_second_split_of_a_network_does_not_hide_the_first(tmp_path):
    for split, top1 in (("ucf101_1", 0.25), ("ucf101_2", 0.5)):
        write_result(tmp_path / "x", "finetune", **fine_tuned(top1, [split]))
    of_hmdb = fine_tuned(0.75, ["hmdb51"], counts=HMDB51)
    write_result(tmp_path / "x", "finetune", **of_hmdb)
    assert own_lines((tmp_path / "x", "slowfast_la")) == [
        "| SlowFast, VIE, x | not run | not run | 25.00 [2] | 75.00 [1] |",
        "| SlowFast, VIE, x | not run | not run | 50.00 [3] | not run |",
    ]


def test_a_run_of_no_row_is_not_beside_the_paper(tmp_path):
    write_result(tmp_path, "linear", **SINGLE)
    write_result(tmp_path, "finetune", **fine_tuned(0.5, model="single"))
    text = report_runs.report_runs([str(tmp_path)])
    assert "## Linear probes on kinetics400" in text
    assert "## Fine-tuning" in text
    assert "## Beside the paper" not in text


def test_names_of_folders_do_not_matter(tmp_path):
    of_others = {**SINGLE, "data": "my_videos", "parts": [part("more_videos")]}
    write_result(tmp_path, "linear", **of_others)
    in_table_1, in_table_3 = own_lines((tmp_path, "single_la"))
    assert in_table_1.startswith(f"| VIE-Single, {tmp_path.name} | not run | 30.00 [1]")
    assert in_table_3.startswith(f"| VIE-Single, {tmp_path.name} | 30.00 [1]")


def test_rows_of_a_part_of_the_videos_are_rows_of_their_own(tmp_path):
    write_result(tmp_path, "linear", **SINGLE)
    (line,) = own_lines((tmp_path, "single_5bin_la"))
    assert line.startswith(f"| 5bin-VIE-Single, {tmp_path.name} | 30.00")


@pytest.mark.parametrize(
    "changed", [{"settings": {"subset": 0.5, "bin_frames": 0}}, {"crop_size": 112}]
)
def test_probes_of_fewer_labels_or_other_clips_are_no_row_of_the_paper(
    tmp_path, changed
):
    write_result(tmp_path, "linear", **changed, **SINGLE)
    assert own_lines((tmp_path, "single_la")) == []


def test_conv5_that_was_averaged_over_space_is_shown_as_such(tmp_path):
    settings = {"subset": 1, "bin_frames": 0, "pool_conv5": True}
    write_result(tmp_path, "linear", settings=settings, **SINGLE)
    (line, *_) = own_lines((tmp_path, "single_la"))
    assert "30.00 (averaged over space)" in line
    assert line.count("averaged over space") == 1


def test_what_was_measured_before_la_is_no_row_of_la(tmp_path):
    write_result(tmp_path, "linear", parts=[part(loss="ir")], **SINGLE)
    write_result(tmp_path, "knn", top1=0.2, top5=0.3, chance=0.1, model="single")
    assert own_lines((tmp_path, "single_la")) == []


@pytest.mark.parametrize(
    ("row", "named"),
    [("single", "single_la"), ("slow_la", "slow"), ("single_supervised", "la")],
)
def test_a_row_that_a_run_cannot_be_is_refused(tmp_path, row, named):
    write_result(tmp_path, "linear", **SINGLE)
    with pytest.raises(UserError, match=f"--paper_row={row}.*{named}"):
        report_runs.report_runs([str(tmp_path)], [row])


def test_there_is_one_row_for_each_run(tmp_path):
    write_result(tmp_path, "linear", **SINGLE)
    with pytest.raises(UserError, match="2 rows for 1 runs"):
        report_runs.report_runs([str(tmp_path)], ["single_la", "slow_la"])


@pytest.mark.parametrize(
    ("crop", "color", "shown"),
    [
        ("random_short_side_crop", "exact", "color jitter"),
        ("random_resize", "fast", "color jitter"),  # the name in earlier versions
        ("multi_scale_crop", "none", "multi-scale"),
        ("multi_scale_crop", "exact", "crop multi_scale_crop, color exact"),
        ("random_resized_crop", "fast", "crop random_resized_crop, color fast"),
    ],
)
def test_augmentations_that_are_not_the_papers_are_shown_as_what_they_are(
    tmp_path, crop, color, shown
):
    assert augmentation({"crop": crop, "color": color}) == shown
    write_result(tmp_path, "finetune", **fine_tuned(0.5, crop=crop, color=color))
    text = report_runs.report_runs([str(tmp_path)], ["slowfast_la"])
    assert f"| checkpoint | {shown} | 50.00 [1] |" in text
    assert ("### Table 2" in text) == (not shown.startswith("crop"))


def test_methods_of_others_have_no_line_for_own_numbers(tmp_path):
    write_result(tmp_path, "linear", **SINGLE)
    text = report_runs.report_runs([str(tmp_path)], all_tables=True)
    assert "| C3D, MoAp, paper | 61.2 (?) | 33.4 (?) |" in text
    assert "| 3DResNet, ST-Puzzle, paper | 65.8 | 33.7 | - | - |" in text
    for method in ("CMC", "OPN", "MoAp", "3DRotNet", "ST-Puzzle"):
        lines = [line for line in text.splitlines() if method in line]
        assert lines and all(", paper |" in line for line in lines)


# ------------------------------------------------------------------ the paper's rows


def cells_of(run, title):
    """The numbers of a row, in the table of this title."""
    (row,) = (
        row
        for one in PaperTables.load().tables
        for row in one.rows
        if one.title.startswith(title) and row.run == run
    )
    return list(row.cells.values())


def test_the_tables_hold_the_papers_numbers():
    rows = [len(one.rows) for one in PaperTables.load().tables]
    assert rows == [9, 5, 12, 5, 3, 5]
    slow = ["60.84", "24.80", "40.48", "46.36", "20.10", "37.02", "37.45"]
    assert cells_of("slow_la", "Table 1") == slow
    assert cells_of("single_30percent_la", "Table 3")[3:] == ["23.33", "38.49", "36.23"]
    assert cells_of("3dresnet_la", "Table 2: fine-tuning with both") == [
        *("72.3", "44.8", "75.5", "44.6"),
    ]
    assert cells_of("single_supervised", "Table 5") == ["22.32", "37.82", "38.26"]


def test_the_column_super_is_of_the_family():
    (table, *_) = PaperTables.load().tables
    found = {row.name: row.cells["Kinetics, Super."] for row in table.rows}
    single = dict.fromkeys(("VIE-Single (IR)", "VIE-Single"), "57.59")
    others = {"VIE-TRN": "59.43", "VIE-3DResNet": "53.22", "VIE-Slow": "60.84"}
    without = dict.fromkeys(("Random", "VIE-TwoStream-S", "VIE-TwoStream-SF"), "-")
    assert found == {**single, **others, "VIE-Slowfast": "62.36 (?)", **without}


def test_every_row_is_a_script_and_fills_its_columns():
    tables = PaperTables.load()
    scripts = {path.stem for path in SCRIPTS.glob("*.sh")}
    for run in tables.runs():
        is_finetuned = run.endswith("_scratch")
        assert (f"finetune_ucf101_{run}" if is_finetuned else run) in scripts
    for one in tables.tables:
        assert all(tuple(row.cells) == one.columns for row in one.rows)
