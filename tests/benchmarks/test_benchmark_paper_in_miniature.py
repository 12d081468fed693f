import json
import pathlib
import signal
import threading

import pytest
from record_fixtures import write_data_set

from benchmarks.paper_in_miniature import __main__ as command
from benchmarks.paper_in_miniature import claims, data_sets, process, report, schedule
from benchmarks.paper_in_miniature.commands import Commands
from benchmarks.paper_in_miniature.plan import Row, plan
from benchmarks.paper_in_miniature.results import Result, Results, settings_of
from benchmarks.paper_in_miniature.scale import SCALES, Scale
from vie_tf.storage.errors import UserError

OUTPUT = pathlib.Path("/study")
TINY = Scale(
    **{"size": 32, "crop_size": 32, "num_filters": 4, "batch_size": 4, "steps": 4},
    **{"finetune_steps": 2, "seeds": 1, "num_clips": 1, "validations": 2},
    clips={"3dresnet": ("--num_frames=2", "--frame_interval=2")},
    flags=(
        *("--ir_num_negatives=6", "--la_num_clusters=3", "--la_num_background=5"),
        *("--embedding_dim=16", "--color=none", "--knn_k=3", "--learning_rate=0.001"),
    ),
)


def flags_of(row):
    return {flag for command in row.commands for flag in command}


@pytest.mark.parametrize("name", list(SCALES))
def test_a_row_comes_after_those_that_it_starts_from(name):
    rows = plan(SCALES[name], OUTPUT)
    places = {row.key: place for place, row in enumerate(rows)}
    assert len(places) == len(rows)
    for row in rows:
        assert all(places[key] < places[row.key] for key in row.after)


def test_every_table_has_its_rows():
    rows = plan(SCALES["quick"], OUTPUT)
    names = {row.name for row in rows}
    families = ("single", "trn", "3dresnet", "slow", "slowfast")
    for family in families:
        for training in ("random", "IR", "LA", "supervised"):
            assert f"{family}-{training}" in names
    assert {"two_stream_s-LA", "two_stream_sf-LA", "single-LA-on-trn"} <= names
    assert {"3dresnet-30percent-LA", "3dresnet-5bin-LA"} <= names
    assert {"3dresnet-finetuned-scratch", "3dresnet-finetuned-LA"} <= names
    # Each claim compares rows that are made.
    for claim in claims.CLAIMS:
        assert {claim.better, *claim.worse} <= names


def test_la_and_ir_start_from_one_network_and_differ_in_the_loss_alone():
    rows = {row.key: row for row in plan(SCALES["quick"], OUTPUT)}
    la, ir = rows["3dresnet-LA-0"], rows["3dresnet-IR-0"]
    assert la.after == ir.after == ("3dresnet-start-0",)
    assert f"--init_from={OUTPUT}/runs/3dresnet-start-0" in la.commands[0]
    assert {flag.split("=")[0] for flag in flags_of(la) ^ flags_of(ir)} == {
        *("--loss", "--model_dir", "--output")
    }
    start = rows["3dresnet-start-0"].commands[0]
    assert "--train_steps=300" in start and "--train_steps=600" in la.commands[0]


def test_all_seeds_and_families_have_one_setting():
    rows = plan(SCALES["default"], OUTPUT)
    by_name = {}
    for row in rows:
        if row.commands[0][0] == "train.py":
            flags = {flag.split("=")[0]: flag for flag in row.commands[0]}
            by_name[row.key] = (flags["--learning_rate"], flags["--batch_size"])
    assert len(set(by_name.values())) == 1
    assert sum(row.name == "3dresnet-LA" for row in rows) == 3
    assert sum(row.name == "slow-LA" for row in rows) == 1


OTHERS = ("3dresnet-rotation", "3dresnet-puzzle", "3dresnet-statistics")


def test_other_objectives_have_the_steps_of_ir_and_are_made_where_they_are_named():
    rows = plan(SCALES["default"], OUTPUT)
    unasked = {row.name for row in schedule.rows_to_make(rows, ())}
    begun = {row.name for row in schedule.rows_to_make(rows, (), ["3dresnet", "sing"])}
    named = schedule.rows_to_make(rows, (), [*OTHERS, "single-cmc", "single-order-0"])
    assert not {*OTHERS, "single-order", "single-cmc"} & (unasked | begun)
    assert [row.key for row in named[:6]] == [
        *("3dresnet-rotation-0", "3dresnet-puzzle-0", "3dresnet-statistics-0"),
        *("single-order-0", "single-cmc-0", "3dresnet-rotation-1"),
    ]
    tuned = schedule.rows_to_make(rows, (), ["3dresnet-finetuned-puzzle-0"])
    assert [row.key for row in tuned] == [
        *("3dresnet-puzzle-0", "3dresnet-finetuned-puzzle-0")
    ]
    by_key = {row.key: row for row in rows}
    rotation, ir = (by_key[f"3dresnet-{one}-0"] for one in ("rotation", "IR"))
    changed = {flag.split("=")[0] for flag in flags_of(rotation) ^ flags_of(ir)}
    # Validations have no bank to compare with; the figures are of features in both.
    assert changed == {
        *("--loss", "--knn_gallery", "--init_from", "--model_dir", "--output")
    }


def test_long_rows_go_on_from_ir_for_as_many_steps_where_they_are_named():
    rows = {row.key: row for row in plan(SCALES["default"], OUTPUT)}
    long, ir = rows["3dresnet-long-LA-1"], rows["3dresnet-IR-1"]
    assert long.is_extra and long.after == ("3dresnet-IR-1",)
    assert {"--train_steps=4800", "--loss=la"} <= flags_of(long)
    assert "--train_steps=2400" in flags_of(ir)
    assert long.cost > 1.8 * ir.cost - 200  # 2,400 steps, not 1,200


def test_the_report_has_other_objectives_beside_ir():
    rows = [result("3dresnet-IR", 0, knn=0.5)]
    rows += [result(name, 0, knn=knn) for name, knn in zip(OTHERS, (0.3, 0.4, 0.5))]
    text = report.text(results_of(*rows))
    table = text.split("## Other objectives")[1].split("## ")[0]
    assert "| `3dresnet` | puzzle | 40.0 |" in table
    assert "| `single` | order | not run |" in table
    assert "| rotation | not run | 0 |" in text.split("## Table 2")[1]
    claim = next(one for one in claims.CLAIMS if one.worse == OTHERS)
    found = claims.find(claim, results_of(*rows))
    assert (found.better, found.worse) == (0.5, 0.5)  # the best of the three


def test_networks_of_differences_are_not_probed_on_pictures():
    probed = {
        name: {row.name for row in plan(scale, OUTPUT) if "--objects=" in str(row)}
        for name, scale in SCALES.items()
    }
    assert "single-LA" in probed["quick"] and "slow-LA" not in probed["quick"]
    assert "two_stream_sf-LA" not in probed["quick"]
    assert {"slow-LA", "two_stream_sf-LA"} <= probed["full"]


def test_the_default_fits_two_hours_and_the_quick_one_twenty_minutes():
    # Of two rows at once, a step of 3dresnet takes 0.065 s on two quiet cores.
    for name, minutes in (("default", 120), ("quick", 20)):
        rows = schedule.rows_to_make(plan(SCALES[name], OUTPUT), ())
        cost = sum(row.cost for row in rows)
        assert cost * 0.065 / 60 < minutes


def test_a_third_of_the_actions_is_held_out(tmp_path):
    for label in "abcdef":
        (tmp_path / label).mkdir()
        for number in range(4):
            (tmp_path / label / f"{number}.mp4").touch()
    found = data_sets.lists(tmp_path)
    splits = {name: [row[1:] for row in rows[1:]] for name, rows in found.items()}
    assert splits["heldout"] == [[c, s] for c in "cf" for s in 2 * ["train", "val"]]
    assert splits["people"][:4] == [["a", "train"]] * 3 + [["a", "val"]]
    assert {label for label, _ in splits["people"]} == set("abde")


def result(name, seed, **scores):
    named = {key.replace("_", "/"): value for key, value in scores.items()}
    tests = {"knn": 400, "actions": 400, "objects": 400, "finetune": 400}
    curve = [[300, 0.2], [600, scores.get("knn", 0.0)]]
    return Result(f"{name}-{seed}", name, seed, named, tests, curve, 60.0, 2.0)


def results_of(*rows):
    found = Results(OUTPUT, settings_of(SCALES["quick"], "people"))
    found.all = list(rows)
    return found


def claim(better="a", *worse, metric="knn"):
    return claims.Claim("", "", better, worse or ("b",), metric)


@pytest.mark.parametrize(
    "better, worse, verdict",
    [
        ([0.60, 0.62, 0.61], [0.50, 0.52, 0.51], claims.REPRODUCED),
        ([0.50, 0.52, 0.51], [0.60, 0.62, 0.61], claims.NOT),
        ([0.60, 0.50, 0.70], [0.50, 0.60, 0.40], claims.CANNOT_TELL),
        ([0.60], [0.50], claims.REPRODUCED),
        ([0.56], [0.50], claims.CANNOT_TELL),
        ([0.60], [], claims.NOT_RUN),
    ],
)
def test_a_verdict_follows_from_the_difference_and_its_error(better, worse, verdict):
    rows = [result("a", seed, knn=value) for seed, value in enumerate(better)]
    rows += [result("b", seed, knn=value) for seed, value in enumerate(worse)]
    assert claims.find(claim(), results_of(*rows)).verdict == verdict


def test_the_error_is_that_of_videos_or_of_seeds():
    one = claims.find(
        claim(), results_of(result("a", 0, knn=0.6), result("b", 0, knn=0.5))
    )
    # Binomial: sqrt((0.6 * 0.4 + 0.5 * 0.5) / 400).
    assert one.error == pytest.approx(0.035)
    rows = [result("a", 0, knn=0.9), result("a", 1, knn=0.5)]
    rows += [result("b", 0, knn=0.5), result("b", 1, knn=0.5)]
    two = claims.find(claim(), results_of(*rows))
    # Differences of 0.4 and 0 deviate by 0.283, over the root of two seeds.
    assert (two.difference, two.error) == pytest.approx((0.2, 0.2))


def test_a_claim_compares_the_best_layer_with_the_best_of_all_others():
    rows = [
        result("a", 0, actions_conv3=0.7, actions_conv5=0.4),
        result("b", 0, actions_conv3=0.2, actions_conv5=0.5),
        result("c", 0, actions_conv4=0.6),
    ]
    asked = claim("a", "b", "c", metric="actions")
    found = claims.find(asked, results_of(*rows))
    assert (found.better, found.worse) == (0.7, 0.6)
    # Without one of them the best is not known.
    assert claims.find(asked, results_of(*rows[:2])).verdict == claims.NOT_RUN


def test_the_report_has_spread_of_seeds_and_says_what_was_not_run():
    rows = [result("3dresnet-LA", seed, knn=0.5 + seed / 10) for seed in range(3)]
    lines = report.text(results_of(*rows)).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    (row,) = [c for c in cells if c[:2] == ["`3dresnet`", "LA"]]
    assert row[2] == "60.0 ± 10.0" and row[-1] == "3"
    (row,) = [c for c in cells if c[:2] == ["`slow`", "LA"]]
    assert row[2] == claims.NOT_RUN and row[-1] == "0"
    assert sum(c[-1:] == [claims.NOT_RUN] for c in cells) == len(claims.CLAIMS)


def test_curves_have_a_line_for_each_seed_and_their_mean():
    rows = [result("3dresnet-LA", seed, knn=0.5 + seed / 10) for seed in range(3)]
    left, right = report.draw(results_of(*rows)).axes
    assert len(left.lines) == 4 and len(right.lines) == 1
    assert left.lines[-1].get_ydata().tolist() == pytest.approx([0.2, 0.6])


def row_of(key, *after):
    return Row(key, key, 0, (), after)


def test_rows_without_a_result_are_made_with_those_that_they_start_from():
    rows = [row_of("start"), row_of("IR", "start"), row_of("LA", "start")]
    made = [row.key for row in schedule.rows_to_make(rows, ["IR"])]
    assert made == ["start", "LA"]
    assert schedule.rows_to_make(rows, ["start", "IR", "LA"]) == []
    asked = schedule.rows_to_make(rows, ["start"], ["IR"])
    assert [row.key for row in asked] == ["IR"]


def test_a_row_that_fails_keeps_back_only_those_that_start_from_it():
    rows = [row_of("bad"), row_of("after", "bad"), row_of("good"), row_of("b", "good")]
    made = []

    def make(row):
        made.append(row.key)
        if row.key == "bad":
            raise UserError("no space")

    ended = {row.key: error for row, error in schedule.run(rows, make, jobs=2)}
    assert ended == {"bad": "no space", "good": "", "b": ""}
    assert sorted(made) == ["b", "bad", "good"]


def test_two_rows_are_made_at_once():
    meet = threading.Barrier(2, timeout=20)
    rows = [row_of("a"), row_of("b")]
    ended = list(schedule.run(rows, lambda row: meet.wait() and None, jobs=2))
    assert [error for _, error in ended] == ["", ""]


def test_what_is_left_follows_from_what_was_made():
    now = [0.0]
    progress = schedule.Progress(30, seconds_per_cost=6, clock=lambda: now[0])
    assert progress.minutes_left() == 3
    now[0] = 20
    progress.made(10)
    assert progress.minutes_left() == pytest.approx(20 * 2 / 60)


def test_results_of_other_settings_are_not_mixed(tmp_path):
    settings = settings_of(SCALES["quick"], "people")
    Results(tmp_path, settings).add([result("a", 0, knn=0.5)])
    again = Results(tmp_path, settings)
    assert again.rows["a-0"].scores == {"knn": 0.5}
    with pytest.raises(UserError, match="another folder"):
        Results(tmp_path, settings_of(SCALES["default"], "people"))


def test_the_plan_is_printed_with_its_commands(capsys, tmp_path):
    assert command.main([str(tmp_path / "study"), "--quick", "--dry_run"]) == 0
    assert "--loss=la --init_from=" in capsys.readouterr().out
    assert not (tmp_path / "study").exists()


def test_a_study_goes_on_where_it_was_stopped(tmp_path, monkeypatch, toy_runs, capsys):
    for name, num_train in zip(data_sets.NAMES, (12, 11, 10)):
        write_data_set(tmp_path / "data" / name, num_train, num_val=4)
    monkeypatch.setitem(SCALES, "quick", TINY)
    calls, fails = [], ["--loss=la"]

    def run(self, commands, log):
        """The process of a row, in this one."""
        calls.append(log.stem)
        if any(set(fails) & set(command) for command in commands):
            raise UserError("killed")
        assert process.main(json.dumps(commands)) == 0

    def interrupted(self, commands, log):
        raise KeyboardInterrupt

    monkeypatch.setattr(schedule.Processes, "run", run)
    given = [str(tmp_path), "--quick", "--jobs=1", "--rows=3dresnet-finetuned-LA"]
    assert command.main(given) == 1
    assert calls == ["3dresnet-start-0", "3dresnet-LA-0"]
    fails.clear()
    with monkeypatch.context() as patch:
        patch.setattr(schedule.Processes, "run", interrupted)
        assert command.main(given) == 128 + signal.SIGINT
    assert "The same command goes on" in capsys.readouterr().err
    assert command.main(given) == 0
    assert calls[2:] == ["3dresnet-LA-0", "3dresnet-finetuned-LA-0"]
    assert command.main(given) == 0
    assert len(calls) == 4
    rows = Results.read(tmp_path / "results.json").rows
    la = rows["3dresnet-LA-0"]
    assert [step for step, _ in la.curve] == [2, 4]
    assert la.num_tests == {"knn": 4, "actions": 4, "objects": 4}
    assert {"knn", "actions/conv3", "objects/conv5"} <= set(la.scores)
    assert rows["3dresnet-finetuned-LA-0"].num_tests == {"finetune": 4}
    assert "`3dresnet` | LA" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "curves.png").exists()


def test_two_streams_and_the_clips_of_another_family_are_measured(tmp_path, toy_runs):
    data = str(tmp_path / "data" / "people")
    write_data_set(data, num_train=12, num_val=4)
    make = Commands(TINY, tmp_path)
    both = f"--dynamic_from={make.run('slow')}"
    commands = [
        make.train("single", "single", 0, 0),
        make.train("slow", "slow", 0, 0),
        make.measure("both", "single", both, objects=False),
        make.measure("on-slow", "single", "--clips_of=slow", objects=False),
    ]
    assert process.main(json.dumps(commands)) == 0
    for key in ("both", "on-slow"):
        found = json.loads((tmp_path / make.result(key)).read_text())
        assert found["num_tests"] == {"knn": 4, "actions": 4}
        assert "actions/conv5" in found["scores"]
