"""Costs of a training step, beside the same step in plain Keras and PyTorch.

python -m benchmarks.train_step [--models=single,slow] [--precision=float32]
    [--peers=keras,torch --torch_python=PATH]

A step is one of LA as in the paper: forward, loss on a memory bank of 239,888 videos
with 512 background neighbors and one clustering, backward, weight decay, SGD with
momentum, update of the bank.  Clips are random, in memory and of the paper's size.
Forward is inference of the same batch.  Each measurement has a process of its own.  The
codes of a case take turns, `--rounds` times.  A row has the medians of its turns; `ours
is` divides the speed of ours by the peer's, turn by turn, and has the median of these.

GFLOP/s counts the operations of convolutions and dense layers in the network: two for
each multiply-add of forward, times 3 for forward and backward.  The count is the same
for all codes, so within a model the column ranks them as clips/s do; it includes
padding, which convolutions need not compute.  `of peak` is the fraction of TensorFlow's
rate in a large matrix product of the convolutions' dtype, measured at the start; on a
machine with other load it can exceed 100%.

Peers have the networks of `benchmarks.peers`, with the same parameters and, as tests
hold, the same function.  `keras` is a functional model of Keras' own layers and runs in
this Python; `torch` is eager PyTorch in another Python, which has torch and numpy, and
`torch_compile` the same with the network in `torch.compile`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Callable

import tensorflow as tf

from benchmarks.machine import cpu_facts, matmul_peak, num_cores
from benchmarks.peers.measurement import ENOUGH_SECONDS, Case
from benchmarks.peers.step_table import COLUMNS, Turns, ratios, row
from vie_tf import models
from vie_tf.models.summary import multiply_adds

ROOT = pathlib.Path(__file__).parents[1]

# Small enough for the memory of a laptop, large enough to keep its cores busy.
BATCH_SIZES = {
    "single": 32,
    "slow": 8,
    "slowfast": 4,
    "3dresnet": 8,
    "trn": 8,
    "two_stream_s": 4,
    "two_stream_sf": 4,
}
DEFAULT_MODELS = ("single", "slow", "slowfast", "3dresnet", "trn")

OURS = "vie_tf"
PEERS = ("keras", "torch", "torch_compile")
DTYPES = {
    "float32": tf.float32,
    "mixed_bfloat16": tf.bfloat16,
    "mixed_float16": tf.float16,
}

MAX_REASON = 160  # characters of an error in a row


def main() -> None:
    """Prints a row for each model, precision and code."""
    arguments = _arguments()
    pythons = {OURS: sys.executable, "keras": sys.executable}
    pythons["torch"] = pythons["torch_compile"] = arguments.torch_python
    print(cpu_facts())
    peaks = {name: matmul_peak(dtype=DTYPES[name]) for name in arguments.precision}
    for name, peak in peaks.items():
        print(f"matrix product in {DTYPES[name].name}: {peak / 1e9:.1f} GFLOP/s")
    print(COLUMNS, flush=True)
    for model in arguments.models:
        operations = 3 * 2 * multiply_adds_of(model)  # of a step, for one clip
        for precision in arguments.precision:
            case = make_case(model, precision, arguments)
            for code, turns in measure_in_turns(case, pythons, arguments).items():
                print(f"{model:<14}{precision:<16}{code:<14}", end="")
                if isinstance(turns, MeasurementFailed):
                    print(f"{case.batch_size:>5}  {turns}", flush=True)
                    continue
                if code == OURS:
                    ours = turns
                print(row(case, turns, operations, peaks[precision]), end="")
                print("" if code == OURS else ratios(turns, ours), flush=True)


def measure_in_turns(
    case: Case, pythons: dict[str, str], arguments: argparse.Namespace
) -> dict[str, Turns | MeasurementFailed]:
    """Measures all codes in turns.

    Args:
      case: network, precision and sizes.
      pythons: interpreter of each code.
      arguments: arguments of the command line.

    Returns:
      For each code its results, one of each round, or why it failed.

    Raises:
      SystemExit: ours failed, which all others are compared with.
    """
    results: dict[str, Turns | MeasurementFailed] = {}
    for _ in range(arguments.rounds):
        for code in (OURS, *arguments.peers):
            turns = results.setdefault(code, [])
            if isinstance(turns, MeasurementFailed):
                continue
            try:
                turns.append(measure(case, code, pythons[code], arguments.max_seconds))
            except MeasurementFailed as error:
                if code == OURS:
                    sys.exit(f"{case.model} in {case.precision} failed: {error}")
                results[code] = error
    return results


class MeasurementFailed(Exception):
    """A code cannot run a case; the message is the reason in one line."""


def multiply_adds_of(name: str) -> int:
    """Counts the multiply-adds of forward for one clip of the paper's size."""
    clip = models.clip_recipe(name)
    size = [1, clip.num_frames, clip.crop_size, clip.crop_size, 3]
    function = tf.function(models.build(name))
    return multiply_adds(
        function.get_concrete_function(tf.TensorSpec(size, tf.uint8)).graph
    )


def make_case(name: str, precision: str, arguments: argparse.Namespace) -> Case:
    """Makes the case of a model at the paper's clip size."""
    clip = models.clip_recipe(name)
    return Case(
        model=name,
        precision=precision,
        batch_size=arguments.batch_size or BATCH_SIZES[name],
        num_frames=clip.num_frames,
        crop_size=clip.crop_size,
        num_videos=arguments.num_videos,
        background=arguments.background,
        repeats=arguments.repeats,
        num_threads=num_cores(),
    )


def measure(case: Case, code: str, python: str, max_seconds: float) -> dict[str, float]:
    """Measures a case in a process of its own, with the kernels of this environment.

    Args:
      case: network, precision and sizes.
      code: `vie_tf`, `keras` or `torch`.
      python: interpreter with the packages of this code.
      max_seconds: time limit of the process.

    Returns:
      `forward_seconds` and `step_seconds` of the batch.

    Raises:
      MeasurementFailed: the process ended without a result, or took too long.
    """
    command = [python, "-m", f"benchmarks.peers.{code}_step", case.to_json()]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=max_seconds
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementFailed(
            f"not done after {max_seconds:.0f} s (--max_seconds)"
        ) from error
    if done.returncode:
        raise MeasurementFailed(_reason(done))
    result = json.loads(done.stdout.splitlines()[-1])
    return {key: result[key] for key in ("forward_seconds", "step_seconds")}


def _reason(done: subprocess.CompletedProcess) -> str:
    """Finds why a process failed: its last exception, or the signal that ended it."""
    if done.returncode < 0:
        return f"ended by signal {-done.returncode} (9: out of memory, as a rule)"
    lines = done.stderr.splitlines() or [f"exit code {done.returncode}, no message"]
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (errors or lines)[-1][:MAX_REASON]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.train_step",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--models",
        type=_list_of(tuple(BATCH_SIZES)),
        default=list(DEFAULT_MODELS),
        help=f"comma list of {', '.join(BATCH_SIZES)}; all but the last two by default",
    )
    parser.add_argument(
        "--precision",
        type=_list_of(tuple(DTYPES)),
        default=["float32", "mixed_bfloat16"],
        help=f"comma list of {', '.join(DTYPES)}; the first two by default",
    )
    parser.add_argument(
        "--peers",
        type=_list_of(PEERS),
        default=["keras"],
        help=f"comma list of {', '.join(PEERS)}; '' for none; default keras",
    )
    parser.add_argument("--torch_python", help="a Python that has torch")
    parser.add_argument("--batch_size", type=_positive, help="clips of a step")
    parser.add_argument("--num_videos", type=_positive, default=239_888)
    parser.add_argument("--background", type=_positive, default=512)
    parser.add_argument(
        "--repeats",
        type=_positive,
        default=3,
        help=f"calls that count, for {ENOUGH_SECONDS:.0f} s at most; default 3",
    )
    parser.add_argument(
        "--rounds",
        type=_positive,
        default=3,
        help="turns of each code, whose medians are printed; default 3",
    )
    parser.add_argument(
        "--max_seconds",
        type=_positive,
        default=600,
        help="limit of a measurement, as 16-bit arithmetic may be slow; default 600",
    )
    return parser


def _arguments() -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args()
    if {"torch", "torch_compile"} & set(arguments.peers):
        if not arguments.torch_python:
            parser.error(
                f"--peers={','.join(arguments.peers)} needs --torch_python=PATH, a"
                " Python that has torch"
            )
        if not shutil.which(arguments.torch_python):
            parser.error(f"--torch_python={arguments.torch_python} is no program")
    if arguments.background > arguments.num_videos:
        parser.error(
            f"--background={arguments.background} is more than"
            f" --num_videos={arguments.num_videos}"
        )
    return arguments


def _list_of(allowed: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Returns a function that reads comma lists of some words."""

    def read(text: str) -> list[str]:
        words = [word for word in text.split(",") if word]
        if not set(words) <= set(allowed):
            raise argparse.ArgumentTypeError(f"{text!r}: give {', '.join(allowed)}")
        return words

    return read


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


if __name__ == "__main__":
    main()
