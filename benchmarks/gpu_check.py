"""A look at a new machine in some minutes: does it compute the same, and what is slow?

./benchmarks/gpu_check.sh [--models=single,slow] [--num_videos=239888]

Prints a table: parity with the authors' code, the LA training step in three precisions
with and without XLA, the input, k-means, and the exact and the clustered search.  Below
the table it says what to look at.  Each measurement has a process of its own, which one
that fails does not take along.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from benchmarks import input_pipeline
from benchmarks.machine import cpu_facts, num_cores
from benchmarks.peers.measurement import Case
from vie_tf.models.registry import clip_recipe
from vie_tf.storage.manifest import Manifest

PARITY_TESTS = (
    "tests/models/test_parity.py",
    "tests/objectives/test_parity_of_losses.py",
    "tests/training/test_trajectory.py",
)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SEARCHED = 256
# Of a step; more of it is worth a thought.
NOTABLE_PART = 0.1


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
      what: what was measured.
      result: its figure with the unit, or why there is none.
      rate: clips/s of a step or of the input, else None.
      seconds: seconds of a step or of the exact search, else None.
      seconds_in_clusters: seconds of the search in clusters, else None.
    """

    what: str
    result: str
    rate: float | None = None
    seconds: float | None = None
    seconds_in_clusters: float | None = None


def main() -> None:
    """Prints the table and what to look at."""
    arguments = _arguments()
    if arguments.measured_input:
        print(measure_input(arguments.measured_input, arguments.seconds))
        return
    print(cpu_facts())
    print(_run([sys.executable, "-c", _DEVICES]).strip() or "no GPU")
    rows: dict[str, Row] = {}
    for key, make in _measurements(arguments).items():
        rows[key] = make()
        print(f"{rows[key].what:<42}{rows[key].result}", flush=True)
    print("\nWhat to look at")
    for line in advice(rows, arguments.models) or ["Nothing stands out."]:
        print(f"- {line}")


_DEVICES = (
    "import vie_tf.quiet_import, tensorflow as tf;"
    "print('\\n'.join(str(tf.config.experimental.get_device_details(g)) for g in"
    " tf.config.list_physical_devices('GPU')))"
)


def _measurements(arguments: argparse.Namespace) -> dict[str, Callable[[], Row]]:
    """Lists what is measured, by a key that `advice` knows."""
    found: dict[str, Callable[[], Row]] = {"parity": _parity}
    for model in arguments.models:
        for precision in PRECISIONS:
            for xla in (False, True):
                key = f"{model} {precision}{' XLA' if xla else ''}"
                case = _case(model, precision, arguments)
                found[key] = lambda key=key, case=case, xla=xla: _step(key, case, xla)
        found[f"{model} input"] = lambda model=model: _input(model, arguments.seconds)
    found["bank"] = lambda: _bank(arguments.num_videos)
    return found


def _case(model: str, precision: str, arguments: argparse.Namespace) -> Case:
    recipe = clip_recipe(model)
    return Case(
        model=model,
        precision=precision,
        batch_size=arguments.batch_size,
        num_frames=recipe.num_frames,
        crop_size=arguments.crop_size or recipe.crop_size,
        num_videos=arguments.num_videos,
        background=min(512, arguments.num_videos),
        repeats=arguments.repeats,
        num_threads=num_cores(),
    )


def _parity() -> Row:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    output = _run([*command, *PARITY_TESTS])
    summary = output.strip().splitlines()[-1] if output.strip() else "no output"
    return Row("parity with the authors' code", summary.strip("= "))


def _step(key: str, case: Case, xla: bool) -> Row:
    environment = dict(os.environ)
    if xla:  # on CPUs XLA compiles only what it is told to
        environment["TF_XLA_FLAGS"] = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"
    command = [sys.executable, "-m", "benchmarks.peers.vie_tf_step", case.to_json()]
    output = _run(command, environment)
    try:
        seconds = json.loads(output.strip().splitlines()[-1])["step_seconds"]
    except (IndexError, ValueError, KeyError):
        return Row(f"step, {key}", f"failed: {_last_error(output)}")
    rate = case.batch_size / seconds
    return Row(f"step, {key}", f"{rate:.1f} clips/s", rate, seconds)


def _input(model: str, seconds: float) -> Row:
    command = [sys.executable, "-m", "benchmarks.gpu_check"]
    output = _run([*command, f"--measured_input={model}", f"--seconds={seconds}"])
    try:
        rate = float(output.strip().splitlines()[-1]) * num_cores()
    except (IndexError, ValueError):
        return Row(f"input, {model}", f"failed: {_last_error(output)}")
    result = f"{rate:.1f} clips/s, one core times {num_cores()}"
    return Row(f"input, {model}", result, rate)


def measure_input(model: str, seconds: float) -> float:
    """Returns the clips per second of the whole input on one core of this process."""
    input_pipeline.on_one_core()
    with tempfile.TemporaryDirectory() as folder:
        input_pipeline.write_frames(folder)
        manifest = Manifest.load(folder)
        clips = input_pipeline.clips_of_shards(folder, manifest, clip_recipe(model))
        next(clips)
        count, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            count += next(clips)
        del clips  # which reads ahead
    return count / elapsed


def _bank(num_videos: int) -> Row:
    command = [sys.executable, "-m", "benchmarks.bank.searches", "--wall"]
    output = _run([*command, f"--nums_videos={num_videos}", f"--searched={SEARCHED}"])
    lines = [line for line in output.splitlines() if line.startswith("  ")]
    exact = re.search(r"search, exact +([\d.]+) s", output)
    if exact is None:
        return Row("bank", f"failed: {_last_error(output)}")
    shown = "".join(f"\n{line}" for line in lines)
    in_clusters = re.search(r"search, \d+ clusters +([\d.]+) s", output)
    return Row(
        f"bank of {num_videos:,} videos",
        shown,
        seconds=float(exact.group(1)),
        seconds_in_clusters=float(in_clusters.group(1)) if in_clusters else None,
    )


def advice(rows: dict[str, Row], model_names: Sequence[str]) -> list[str]:
    """Says what the rows suggest.

    Args:
      rows: rows by their keys.
      model_names: names of the measured networks.
    """
    lines = []
    if "passed" not in rows["parity"].result or "failed" in rows["parity"].result:
        lines.append("Parity: tests failed. Trust no figure below before you know why.")
    for name in model_names:
        rates = {
            key: row.rate
            for key, row in rows.items()
            if key.startswith(f"{name} ") and row.rate and not key.endswith("input")
        }
        if not rates:
            continue
        best = max(rates, key=lambda key: rates[key] or 0.0)
        lines.append(f"{name}: the fastest step is {best.removeprefix(f'{name} ')}.")
        full, half = rates.get(f"{name} float32"), rates.get(f"{name} mixed_bfloat16")
        if full and half and half < 1.2 * full:
            lines.append(
                f"{name}: bfloat16 gains {half / full - 1:.0%}. Are the convolutions on"
                " 16-bit units, and are there transposes around them (--profile_steps)?"
            )
        input_rate = rows[f"{name} input"].rate
        if input_rate and input_rate < (rates[best] or 0.0):
            lines.append(
                f"{name}: the input ({input_rate:.0f} clips/s) is slower than the step."
                " Try --color=fast, more cores, or --data_service."
            )
        search, step = rows["bank"].seconds, rows.get(f"{name} float32")
        if search and step and step.seconds and search > NOTABLE_PART * step.seconds:
            line = (
                f"{name}: the exact search is {search / step.seconds:.0%} of a float32"
                " step."
            )
            other = rows["bank"].seconds_in_clusters
            gains = other is None or other < search
            line += " Try" if gains else " So few videos gain nothing by"
            lines.append(f"{line} --la_search=clusters.")
    failed = [key for key, row in rows.items() if row.result.startswith("failed")]
    if failed:
        lines.append(f"Not measured: {', '.join(failed)}.")
    return lines


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Runs a program of ours and returns all that it prints."""
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout


def _last_error(output: str) -> str:
    lines = output.strip().splitlines() or ["no output"]
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (errors or lines)[-1][:160]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./benchmarks/gpu_check.sh",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--models", type=lambda text: text.split(","), default=["single", "slow"]
    )
    parser.add_argument("--num_videos", type=int, default=239_888)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--crop_size", type=int, help="the family's by default")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of the input")
    parser.add_argument("--measured_input", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
