"""Which of the paper's rows own results stand below, and the rows themselves."""

import pytest
from report_fixtures import HMDB51, fine_tuned, part, read_outs, write_result

from vie_tf.evaluation.report import command
from vie_tf.monitoring.published import tables as published_tables
from vie_tf.monitoring.published.tables import PublishedTables

SINGLE = {"model": "single", "scores": read_outs(*[0.3] * 5)}


def own_lines(*run_dirs):
    """The lines of own numbers in the part beside the paper."""
    text = command.of_runs([str(run_dir) for run_dir in run_dirs])
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


# --------------------------------------------------------------------- who is below


def test_several_runs_of_a_row_have_a_line_each(tmp_path):
    for name, top1 in (("x", 0.25), ("y", 0.5)):
        write_result(tmp_path / name, "finetune", **fine_tuned(top1))
    assert own_lines(tmp_path / "x", tmp_path / "y") == [
        "| SlowFast, VIE, x | not run | not run | 25.00 [1] | not run |",
        "| SlowFast, VIE, y | not run | not run | 50.00 [1] | not run |",
    ]


def test_a_second_split_of_a_network_does_not_hide_the_first(tmp_path):
    for split, top1 in (("ucf101_1", 0.25), ("ucf101_2", 0.5)):
        write_result(tmp_path / "x", "finetune", **fine_tuned(top1, [split]))
    of_hmdb = fine_tuned(0.75, ["hmdb51"], from_data=HMDB51)
    write_result(tmp_path / "x", "finetune", **of_hmdb)
    assert own_lines(tmp_path / "x") == [
        "| SlowFast, VIE, x | not run | not run | 25.00 [2] | 75.00 [1] |",
        "| SlowFast, VIE, x | not run | not run | 50.00 [3] | not run |",
    ]


@pytest.mark.parametrize(
    "parts",
    [
        [part("my_videos")],
        [part("kinetics-small", num_classes=12)],
        [part("")],
        [part(), part("my_videos")],
        [part(loss="ir"), part()],
    ],
)
def test_what_was_trained_on_something_else_is_no_row_of_the_paper(tmp_path, parts):
    write_result(tmp_path, "linear", parts=parts, **SINGLE)
    write_result(tmp_path, "finetune", parts=parts, **fine_tuned(0.5))
    text = command.of_runs([str(tmp_path)])
    assert "## Linear read-outs on kinetics400" in text
    assert "## Fine-tuning" in text
    assert "## Beside the paper" not in text


def test_a_network_that_is_not_the_papers_is_no_row_of_it(tmp_path):
    parts = [part(network="resnet_size 50")]
    write_result(tmp_path, "linear", parts=parts, **SINGLE)
    write_result(tmp_path, "finetune", parts=parts, **fine_tuned(0.5, model="single"))
    untrained = [part("", loss="none", network="resnet_size 50")]
    scratch = fine_tuned(0.5, start="scratch", step=0, model="single")
    write_result(tmp_path, "finetune_scratch", parts=untrained, **scratch)
    text = command.of_runs([str(tmp_path)])
    name = tmp_path.name
    assert f"| {name} (single, LA on kinetics400, resnet_size 50) |" in text
    assert f"| {name} (single, untrained, resnet_size 50) | ucf101 | scratch" in text
    assert "## Beside the paper" not in text


@pytest.mark.parametrize(
    "facts", [part(num_classes=None, fingerprint=""), part(num_classes=0)]
)
def test_without_labels_kinetics_is_known_by_its_name(tmp_path, facts):
    write_result(tmp_path, "linear", parts=[facts], **SINGLE)
    in_table_1, in_table_3 = own_lines(tmp_path)
    assert in_table_1.startswith(f"| VIE-Single, {tmp_path.name} | not run | 30.00")
    assert in_table_3.startswith(f"| VIE-Single, {tmp_path.name} | 30.00")


def test_table_2_is_of_networks_that_saw_all_videos(tmp_path):
    for name, view in (("x", {"subset": 0.3}), ("y", {"bin_frames": 52})):
        parts = [part(**view)]
        write_result(tmp_path / name, "finetune", parts=parts, **fine_tuned(0.5))
        of_labels = fine_tuned(0.5, **view)  # a share of UCF101's
        write_result(tmp_path / f"{name}_labels", "finetune", **of_labels)
    runs = [str(path) for path in sorted(tmp_path.iterdir())]
    assert len(runs) == 4
    assert "## Beside the paper" not in command.of_runs(runs)


@pytest.mark.parametrize(
    "changed", [{"settings": {"subset": 0.5, "bin_frames": 0}}, {"crop_size": 112}]
)
def test_read_outs_of_other_labels_or_clips_are_no_row_of_the_paper(tmp_path, changed):
    write_result(tmp_path, "linear", **changed, **SINGLE)
    assert "## Beside the paper" not in command.of_runs([str(tmp_path)])


@pytest.mark.parametrize(
    ("crop", "color", "known", "shown"),
    [
        ("random_short_side_crop", "exact", "color_jitter", "color jitter"),
        ("random_short_side_crop", "fast", "color_jitter", "color jitter"),
        ("multi_scale_crop", "none", "multi_scale", "multi-scale"),
        ("multi_scale_crop", "exact", None, "crop multi_scale_crop, color exact"),
        (
            "random_short_side_crop",
            "none",
            None,
            "crop random_short_side_crop, color none",
        ),
        ("random_resized_crop", "fast", None, "crop random_resized_crop, color fast"),
    ],
)
def test_augmentations_that_are_not_the_papers_are_shown_as_what_they_are(
    tmp_path, crop, color, known, shown
):
    assert published_tables.augmentation(crop, color) == known
    write_result(tmp_path, "finetune", **fine_tuned(0.5, crop=crop, color=color))
    text = command.of_runs([str(tmp_path)])
    assert f"| checkpoint | {shown} | 50.00 [1] |" in text
    assert ("### Table 2" in text) == (known is not None)


def test_a_row_of_two_tables_is_in_both(tmp_path):
    write_result(tmp_path, "linear", **SINGLE)
    in_table_1, in_table_3 = own_lines(tmp_path)
    assert in_table_1.startswith(f"| VIE-Single, {tmp_path.name} | not run | 30.00 [1]")
    assert in_table_3.startswith(f"| VIE-Single, {tmp_path.name} | 30.00 [1]")


def test_methods_of_others_have_no_line_for_own_numbers(tmp_path):
    write_result(tmp_path, "linear", **SINGLE)
    text = command.of_runs([str(tmp_path)], all_tables=True)
    assert "| C3D, MoAp, paper | 61.2 (?) | 33.4 (?) |" in text
    assert "| 3DResNet, ST-Puzzle, paper | 65.8 | 33.7 | - | - |" in text
    for method in ("CMC", "OPN", "MoAp", "3DRotNet", "ST-Puzzle"):
        lines = [line for line in text.splitlines() if method in line]
        assert lines and all(", paper |" in line for line in lines)


# ------------------------------------------------------------------ the paper's rows


def test_the_published_tables_hold_the_papers_numbers():
    tables = PublishedTables.load()
    assert len(tables.linear_probes) == 22
    assert len(tables.fine_tuning) == 17
    (slow,) = tables.linear_probe_rows("slow", "la", 1.0, 0)
    assert slow.linear_probes["kinetics"] == [24.80, 40.48, 46.36]
    (share,) = tables.linear_probe_rows("single", "la", 0.3, 0)
    assert share.linear_probes["imagenet"] == [23.33, 38.49, 36.23]
    (bins,) = tables.linear_probe_rows("single", "la", 1.0, 52)
    assert bins.name == "5bin-VIE-Single"
    of_tables = [row.table for row in tables.linear_probe_rows("single", "la", 1.0, 0)]
    assert of_tables == ["1", "3"]
    assert tables.linear_probe_rows("slow", "ir", 1.0, 0) == []
    vie = tables.fine_tuning_row("3dresnet", "la")
    assert vie.multi_scale == {"ucf101": 72.3, "hmdb51": 44.8}
    assert vie.color_jitter == {"ucf101": 75.5, "hmdb51": 44.6}


def test_the_column_super_is_in_table_1_as_in_the_paper():
    rows = PublishedTables.load().linear_probes
    found = {row.name: row.supervised for row in rows if row.supervised is not None}
    single = dict.fromkeys(("VIE-Single (IR)", "VIE-Single"), 57.59)
    others = {"VIE-TRN": 59.43, "VIE-3DResNet": 53.22, "VIE-Slow": 60.84}
    assert found == {**single, **others, "VIE-Slowfast": 62.36}
    assert all(row.table == "1" for row in rows if row.supervised is not None)


def test_what_is_hardly_legible_is_a_number_that_the_row_has():
    tables = PublishedTables.load()
    for row in tables.linear_probes:
        for column in row.hardly_legible:
            data_set, _, layer = column.partition(" ")
            has_layer = (
                layer in published_tables.LAYERS and data_set in row.linear_probes
            )
            assert has_layer or (column == "supervised" and row.supervised)
    for row in tables.fine_tuning:
        for column in row.hardly_legible:
            augmentation, data_set = column.split()
            assert getattr(row, augmentation)[data_set] is not None


@pytest.mark.parametrize(
    ("name", "num_classes", "known"),
    [
        ("kinetics400", 400, "kinetics"),
        ("kinetics400", None, "kinetics"),
        ("Kinetics-400-small", 12, None),
        ("imagenet", 1000, "imagenet"),
        ("ucf101_split1", 101, "ucf101"),
        ("HMDB51-2", 51, "hmdb51"),
        ("my_videos", 400, None),
        ("", None, None),
    ],
)
def test_the_papers_data_sets_are_known_by_name_and_classes(name, num_classes, known):
    assert published_tables.data_set(name, num_classes) == known
