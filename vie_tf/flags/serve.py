"""Flags of vie-tf serve."""

from __future__ import annotations

from data_prep.config import DecodingConfig
from vie_tf.config.serve import ServedConfig, ServerConfig
from vie_tf.flags.cli import Groups

GROUPS: Groups = {
    "Page: what is shown, and searched": ServedConfig,
    "Server: who is answered": ServerConfig,
    "Decoding: what is too large": DecodingConfig,
}
