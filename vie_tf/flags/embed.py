"""Flags of embed.py."""

from __future__ import annotations

from vie_tf.config import EmbeddingConfig, SearchConfig, VideosConfig
from vie_tf.flags.cli import Flags, Groups
from vie_tf.storage.errors import UserError

GROUPS: Groups = {
    "Videos: what is embedded": VideosConfig,
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
