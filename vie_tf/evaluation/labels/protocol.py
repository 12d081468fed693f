"""How a training on labels went, in the words of a protocol."""

from __future__ import annotations

from typing import Sequence

from vie_tf.config import LabelConfig


def rate_in_words(settings: LabelConfig) -> str:
    """The learning rate and when it drops.

    Args:
      settings: of the training; complete or as they were asked for.
    """
    return f"rate {settings.learning_rate:g}{_drops(settings)}"


def _drops(settings: LabelConfig) -> str:
    if settings.lr_schedule == "plateau":
        validations = f"{settings.num_validations} validations"
        if settings.eval_steps:
            validations = f"validations {settings.eval_steps:,} steps apart"
        patience, gain = settings.plateau_patience, 100 * settings.plateau_min_delta
        return (
            f", divided by 10 at plateaus of {validations} ({patience} of them without"
            f" a gain of {gain:g} points; {settings.plateau_max_drops} times at most)"
        )
    boundaries = settings.lr_boundaries
    if boundaries is None:
        shares = [f"{share:.0%}" for share in settings.boundary_shares]
        return f", divided by 10 after {_listed(shares)} of the steps"
    if not boundaries:
        return " throughout"
    return f", divided by 10 after {_listed([f'{b:,}' for b in boundaries])} steps"


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
