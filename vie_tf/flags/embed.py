"""Flags of embed.py."""

from __future__ import annotations

from data_prep.config import DecodingConfig
from vie_tf.config import (
    READY_NETWORKS,
    RUN,
    EmbeddingConfig,
    SearchConfig,
    VideosConfig,
    settings_of,
)
from vie_tf.flags.cli import Flags, Groups
from vie_tf.storage.errors import UserError

GROUPS: Groups = {
    "Videos: what is embedded": VideosConfig,
    "Decoding: what is too large": DecodingConfig,
    "Embedding: which features, by which network": EmbeddingConfig,
    "Search: the videos nearest to one": SearchConfig,
}


def is_search(flags: Flags) -> bool:
    """Returns whether a video is looked up, or videos are embedded.

    Raises:
      UserError: both are asked for, or one of two flags is missing.
    """
    given = flags.all_given()
    if ("query" in given) != ("index" in given):
        raise UserError("--query and --index are given together.")
    if "query" in given and (given.get("videos") or given.get("output")):
        raise UserError(
            "--query and --index search, --videos and --output embed: give one pair."
        )
    return "query" in given


def config(flags: Flags) -> EmbeddingConfig:
    """Builds the settings of the features.

    Raises:
      UserError: --model_dir is missing, or a flag is for a run and there is none.
    """
    settings, given = flags.config(EmbeddingConfig), flags.given(EmbeddingConfig)
    if settings.network == RUN:
        if not settings.model_dir:
            help_text = settings_of(EmbeddingConfig)["model_dir"].help
            raise UserError(f"--model_dir is missing: {help_text}")
        return settings
    if settings.network in READY_NETWORKS:
        for name in ("model_dir", "checkpoint"):
            if name in given:
                raise UserError(
                    f"--{name} is for a run, and --network={settings.network} comes"
                    " with the package: leave one of them out."
                )
        return settings
    for name, value in given.items():
        if name != "network" and value != getattr(EmbeddingConfig, name):
            raise UserError(
                f"--{name} is for a run, and --network={settings.network} has learned"
                " nothing: leave one of them out."
            )
    return settings
