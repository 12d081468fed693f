"""Every command and every block of Python of the pages runs, on tiny data.

The blocks of a page run in order in a folder of their own, which has `my_videos`,
`one.mp4`, `data` and `run`, unless the page makes them.  `SMALL` says what is changed:
flags that come later win.  A block that cannot run here says `no-run` behind its fence,
and its flags have to exist.
"""

import ast
import functools
import os
import pathlib
import re
import shutil

import pytest
import tensorflow as tf
from commands import run_command
from pages import PAGES, ROOT, blocks_of, flags_in, inline_code_of, name_of
from video_fixtures import write_video

from docs.make_pages import COMMANDS
from vie_tf.config import DataConfig, LossConfig, TrainConfig, settings_of

SMOKE = ROOT / "run_scripts" / "paper"
TRAINING = f"--flagfile={SMOKE / 'smoke.flags'}"
LABELS = f"--flagfile={SMOKE / 'evaluate_smoke.flags'}"
# What makes a command small, by how it begins; the first that fits is taken.
SMALL = {
    "train.py": [TRAINING],
    "evaluate.py --task=linear --quick": ["--num_clips=1"],
    "evaluate.py --task=linear": [LABELS],
    "evaluate.py --task=finetune": [LABELS],
    "evaluate.py --task=all": [LABELS],
    "evaluate.py": ["--num_clips=1"],
    "embed.py --query": [],
    "embed.py --videos=my_videos --network": ["--num_processes=1"],
    "embed.py": ["--num_clips=1", "--num_processes=1"],
    "-m data_prep.synthesize": ["--num_videos=16", "--size=48", "--seconds=1"],
    "-m data_prep.convert": ["--num_processes=1"],
    "-m data_prep.describe": ["--num_processes=1"],
    "-m vie_tf": [],
}
# Words behind --dashes that belong to other programs.
FOREIGN = {
    *("nodes", "ntasks", "distribution", "gpus", "logdir", "hook"),
    *("runner", "parallelism", "direct_running_mode", "direct_num_workers"),
}


def enter(folder):
    """Prepares the process of a command."""
    os.chdir(folder)
    # Tracing takes several times as long as two steps do.
    tf.config.run_functions_eagerly(True)


def run(words, folder):
    words = [*map(str, words)]
    result = run_command(*words, setup=functools.partial(enter, folder))
    assert result.returncode == 0, f"{words}\n{result.stdout}\n{result.stderr}"


def small(words):
    """The words of a command with what makes it small."""
    line = " ".join(words)
    for start, flags in SMALL.items():
        if line.startswith(start):
            never = [word for word in words if word == "--train_steps=0"]
            return [*words, *flags, *never]
    raise AssertionError(f"{line}: mark it as no-run, or make it small")


@pytest.fixture(name="base", scope="module")
def fixture_base(tmp_path_factory):
    """Folder with twelve videos of two classes, their data set, and a run."""
    base = tmp_path_factory.mktemp("pages")
    for number in range(12):
        name = f"my_videos/class_{number % 2}/{number}.mp4"
        write_video(base / name, num_pictures=20, first=20 * number)
    write_video(base / "one.mp4", num_pictures=20)
    (base / "run_scripts").symlink_to(ROOT / "run_scripts")
    convert = "-m data_prep.convert --videos=my_videos --output_dir=data".split()
    run(small(convert), base)
    run(small("train.py --model=slow --data_dir=data --model_dir=run".split()), base)
    return base


def made_by(commands):
    """Folders that the commands of a page make, so that they must not be there."""
    lines = [" ".join(words) for words in commands]
    made = re.findall(r"--output(?:_dir)?=(\S+)", " ".join(lines))
    runs = [line for line in lines if "--model_dir=run" in line.split()]
    if runs and "train.py" in runs[0]:
        made.append("run")
    return made


def shell_commands(page):
    return [
        words
        for block in blocks_of(page)
        if block.language == "sh" and block.runs
        for words in block.commands()
    ]


WITH_BLOCKS = [
    page
    for page in PAGES
    if any(b.runs and b.language in ("sh", "python") for b in blocks_of(page))
    and page.name != "extending.md"  # whose blocks have a test of their own
]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_the_blocks_of_a_page_run(page, base, tmp_path):
    folder = tmp_path / "page"
    missing = made_by(shell_commands(page))
    shutil.copytree(
        base,
        folder,
        symlinks=True,
        ignore=lambda parent, _: missing if parent == str(base) else (),
    )
    for number, block in enumerate(blocks_of(page)):
        if block.language == "python" and block.runs:
            script = folder / f"block_{number}.py"
            script.write_text(block.text)
            run([script], folder)
        elif block.language == "sh" and block.runs:
            for python, *words in block.commands():
                assert python == "python", f"{python}: mark it as no-run"
                run(small(words), folder)


# --------------------------------------------------------------- what cannot run here


@pytest.fixture(name="flags_of", scope="module")
def fixture_flags_of():
    """Flags of every command, by the words that start it."""
    found = {
        arguments: flags_in(run_command(*arguments, "--help").stdout)
        for arguments in COMMANDS.values()
    }
    of_absl = {"flagfile"}
    return {start: flags | of_absl for start, flags in found.items()}


def is_flag(flag, known):
    return flag in known or flag.startswith("no") and flag[2:] in known


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_flags_of_blocks_that_do_not_run_exist(page, flags_of):
    for block in blocks_of(page):
        if block.language != "sh" or block.runs:
            continue
        for words in block.commands():
            if "python" not in words:
                continue
            words = words[words.index("python") + 1 :]
            for start, known in flags_of.items():
                if tuple(words[: len(start)]) == start:
                    given = {flag for word in words for flag in flags_in(word[:40])}
                    assert {f for f in given if not is_flag(f, known)} <= FOREIGN


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_flags_that_the_text_names_exist(page, flags_of):
    known = set().union(*flags_of.values()) | {
        old
        for config in (DataConfig, LossConfig, TrainConfig)
        for setting in settings_of(config).values()
        for old in setting.old_names
    }
    scripts = [ROOT / "run_scripts" / "paper" / name for name in ("row.sh", "all.sh")]
    for name in [*ROOT.glob("benchmarks/**/*.py"), *scripts]:
        known |= flags_in(name.read_text())
    named = flags_in("\n".join(inline_code_of(page)))
    assert {flag for flag in named if not is_flag(flag, known)} <= FOREIGN


def test_python_that_does_not_run_imports_what_exists():
    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "python" and not block.runs:
                statements = ast.parse(block.text).body
                imports = [s for s in statements if isinstance(s, ast.ImportFrom)]
                exec(compile(ast.Module(imports, []), name_of(page), "exec"), {})


def test_scripts_that_blocks_start_exist():
    for page in PAGES:
        for block in blocks_of(page):
            for name in re.findall(r"\./(run_scripts/[\w/]+\.sh)", block.text):
                assert pathlib.Path(ROOT, name).exists()
