"""Flags of vie-tf explore."""

from __future__ import annotations

from vie_tf.config.explore import CollectionConfig, ExploreConfig
from vie_tf.flags.cli import Flags, Groups
from vie_tf.storage.errors import UserError

GROUPS: Groups = {
    "Collection: which videos are looked at": CollectionConfig,
    "Output: what is written": ExploreConfig,
}
_OUTPUTS = ("page", "duplicates", "outliers", "projector")


def check(flags: Flags) -> None:
    """Checks that one collection and some output are asked for.

    Raises:
      UserError: they are not.
    """
    given = flags.all_given()
    if bool(given.get("index")) == bool(given.get("model_dir")):
        raise UserError(
            "Give --index=OUT, the --output of embed.py, or --model_dir=RUN for the"
            " memory bank of a run, and not both."
        )
    if not any(given.get(name) for name in _OUTPUTS):
        names = ", ".join(f"--{name}" for name in _OUTPUTS)
        raise UserError(f"Say what is to be written by one or more of {names}.")
