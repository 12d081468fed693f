"""The report that compares a run with the published one, with its verdicts."""

from __future__ import annotations

import textwrap

from vie_tf.config import RunConfig
from vie_tf.models import MODELS
from vie_tf.monitoring.published.curves import (
    NEAR_ZERO,
    NUM_STANDARD_ERRORS,
    WINDOW_SHARE,
    WINDOW_STEPS,
    KnnCurve,
    PublishedRun,
)
from vie_tf.monitoring.published.differences import differences, unknowns
from vie_tf.runs.run_directory import RunDirectory

ON_TRACK = "on track"
BELOW = "below"
ABOVE = "above"
TOO_EARLY = "too early to say"

_NUM_RECENT = 5
_WIDTH = 88


def verdict(step: int, accuracy: float, published: PublishedRun) -> str:
    """Judges a top-1 accuracy, a fraction, by that of the published run at a step.

    Returns:
      `TOO_EARLY` where nothing is published or both curves are near zero; else `BELOW`,
      `ON_TRACK` or `ABOVE`.
    """
    expected = published.expected_range(step)
    if expected is None:
        return TOO_EARLY
    if step <= published.near_zero_until and accuracy < NEAR_ZERO:
        return TOO_EARLY
    if accuracy < expected[0]:
        return BELOW
    return ABOVE if accuracy > expected[1] else ON_TRACK


def report(
    config: RunConfig,
    curve: KnnCurve,
    directory: RunDirectory,
    published: PublishedRun,
    num_rows: int,
) -> str:
    """Formats the comparison; the last paragraph is the verdict.

    Args:
      config: settings of the run.
      curve: curve of the run, not empty.
      directory: folder of the run.
      published: run to compare with.
      num_rows: maximum number of validations in the table; 0 for all.
    """
    differing = differences(config, directory, published, int(curve.steps[-1]))
    parts = [
        f"kNN top-1 of {directory.model_dir} ({config.model.name}), compared"
        f" with {published.name}",
        _paragraph(f"Published: {published.source}"),
        _guidance(differing, unknowns(directory)),
        _table(curve, published, num_rows),
        _paragraph(_range_note(published)),
        _paragraph(_start_note(published)),
        _final_probes(published, config.model.name),
        _paragraph(_conclusion(curve, published, config, is_rough=bool(differing))),
    ]
    return "\n\n".join(parts)


def _guidance(differing: list[str], unknown: list[str]) -> str:
    lines = ["Network, data and settings are those of the published run."]
    if differing:
        lines = ["The published curve is ONLY A ROUGH GUIDE, because this run differs:"]
        lines += [f"  {line}" for line in differing]
    if unknown:
        lines.append(f"Unknown: {', '.join(unknown)}.")
    return "\n".join(lines)


def _table(curve: KnnCurve, published: PublishedRun, num_rows: int) -> str:
    count = len(curve.steps)
    every = -(-count // num_rows) if num_rows else 1
    # Counted from the end, so that the last is among them.
    chosen = slice((count - 1) % every, None, every)
    lines = [
        f"{'step':>10}{'this run':>11}{'published':>12}{'expected':>17}   verdict",
    ]
    for step, accuracy in zip(curve.steps[chosen].tolist(), curve.top1[chosen]):
        here, expected = published.at(step), published.expected_range(step)
        lines.append(
            f"{step:>10,}{accuracy:>11.1%}"
            f"{'-' if here is None else f'{here:.1%}':>12}"
            f"{_percent(expected) if expected else '-':>17}"
            f"   {verdict(step, accuracy, published)}"
        )
    if every > 1:
        lines.append(
            f"  {len(lines) - 1} of {count} validations; --rows=0 shows all of them"
        )
    return "\n".join(lines)


def _range_note(published: PublishedRun) -> str:
    return (
        "Expected: from the lowest to the highest published value within"
        f" {WINDOW_SHARE:.0%} of the step (at least {WINDOW_STEPS:,} steps) under the"
        f" same learning rate, and {NUM_STANDARD_ERRORS} standard errors of"
        f" {published.num_validation_videos:,} validation videos on either side. How"
        " much runs with other seeds differ is unknown, as one run was published."
    )


def _start_note(published: PublishedRun) -> str:
    until, end_of_ir = published.near_zero_until, published.settings["loss"]["ir_steps"]
    return (
        f"Near-zero kNN until step {until:,} is normal: the published run had"
        f" {published.at(until):.1%} there (chance is {1 / published.num_classes:.2%}),"
        f" and {published.at(end_of_ir):.1%} at step {end_of_ir:,}, where LA takes over"
        " from IR."
    )


def _final_probes(published: PublishedRun, model: str) -> str:
    layers = sorted(published.linear_probes["kinetics"])
    lines = [
        "What linear probes of the final checkpoint should reach (top-1):",
        f"  {'':<28}" + "".join(f"{layer:>8}" for layer in layers),
    ]
    for title, data_set in (("Kinetics-400", "kinetics"), ("ImageNet", "imagenet")):
        values = published.linear_probes[data_set]
        cells = "".join(f"{values[layer]:>8.1%}" for layer in layers)
        lines.append(f"  {f'published, {title}':<28}{cells}")
    family = MODELS.get(model)
    if family and family.paper_row and model != published.settings["model"]["name"]:
        lines.append(f"  {family.paper_name} in the paper, on Kinetics-400, in")
        lines.append(f"  {family.paper_row} (percent, the same layers)")
    return "\n".join(lines)


def _conclusion(
    curve: KnnCurve, published: PublishedRun, config: RunConfig, is_rough: bool
) -> str:
    step, accuracy = int(curve.steps[-1]), float(curve.top1[-1])
    found = verdict(step, accuracy, published)
    expected = published.expected_range(step)
    opening = f"By this rough guide, {found}" if is_rough else found.capitalize()
    parts = [f"{opening}: at step {step:,} this run has {accuracy:.1%},"]
    if expected is None:
        parts.append(f"and the published curve begins at step {published.steps[0]:,}.")
        return " ".join(parts)
    parts.append(f"where {_percent(expected)} is expected.")
    if step > published.steps[-1]:
        parts.append(
            "This is the range of the last published validation, at step"
            f" {published.steps[-1]:,}."
        )
    if found == TOO_EARLY:
        parts.append("Near zero is normal here.")
    if found in (ABOVE, BELOW):
        parts.append(_distance(accuracy, published))
    if found == BELOW:
        parts.append(_advice(curve, published, config))
    return " ".join(parts)


def _distance(accuracy: float, published: PublishedRun) -> str:
    reached = published.first_step_with(accuracy)
    if reached is None:
        return "The published run never reached that."
    return f"The published run first reached that at step {reached:,}."


def _advice(curve: KnnCurve, published: PublishedRun, config: RunConfig) -> str:
    recent = zip(curve.steps.tolist()[-_NUM_RECENT:], curve.top1[-_NUM_RECENT:])
    found = [verdict(step, accuracy, published) for step, accuracy in recent]
    return (
        f"Of the last {len(found)} validations {found.count(BELOW)} are below; a single"
        " one may be chance. Look in TensorBoard at train/similarity_to_own_row, which"
        " must stay above train/similarity_between_videos, and check frames and labels"
        f" with: python -m data_prep.describe --data_dir={config.data.data_dir}"
        " --verify"
    )


def _percent(expected: tuple[float, float]) -> str:
    return f"{expected[0]:.1%} to {expected[1]:.1%}"


def _paragraph(text: str) -> str:
    # Paths and flags are to be copied whole.
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
