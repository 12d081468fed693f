"""That `benchmarks.embed_files` counts videos and not the start of programs."""

import argparse
import sys

import pytest

from benchmarks import embed_files


def test_the_cost_of_a_video_is_without_the_start(monkeypatch):
    monkeypatch.setattr(
        embed_files,
        "_cpu_seconds",
        lambda name, files, arguments: 9 + (1 if name == "vie_tf" else 2) * len(files),
    )
    arguments = argparse.Namespace(num_videos=3, rounds=2, torch_python="python")
    costs = embed_files.measure(arguments, list("abcdef"))
    assert costs["vie_tf"] == [1, 1]
    assert costs["torch, opencv"] == costs["torch, pyav"] == [2, 2]


@pytest.mark.parametrize(
    "files,python,message",
    [
        (1, sys.executable, "has 1 videos; give twice --num_videos=1"),
        (2, "no_such_python", "--torch_python=no_such_python is no program"),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    files, python, message, tmp_path, monkeypatch, capsys
):
    for number in range(files):
        (tmp_path / f"{number}.mp4").touch()
    flags = [f"--videos={tmp_path}", "--model_dir=run", "--num_videos=1"]
    flags.append(f"--torch_python={python}")
    monkeypatch.setattr(sys, "argv", ["embed_files", *flags])
    with pytest.raises(SystemExit):
        embed_files.main()
    assert message in capsys.readouterr().err


def test_a_python_without_torch_ends_in_one_line(tmp_path, monkeypatch):
    class Done:
        returncode = 1
        stderr = "Traceback\nModuleNotFoundError: No module named 'torch'\n"

    monkeypatch.setattr(embed_files.subprocess, "run", lambda *a, **k: Done)
    arguments = argparse.Namespace(model_dir=str(tmp_path), num_clips=1)
    with pytest.raises(SystemExit, match="vie_tf failed: .*No module named 'torch'"):
        embed_files._cpu_seconds("vie_tf", [str(tmp_path / "a.mp4")], arguments)
