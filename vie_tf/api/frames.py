"""Checks of frames that a program gives: bytes, in the shape of a video."""

from __future__ import annotations

from typing import Any

import numpy as np

from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.storage.errors import UserError


def checked_frames(frames: Any, recipe: ClipRecipe) -> np.ndarray:
    """Returns the frames of one video as an array, [F, H, W, 3] uint8.

    Args:
      frames: array or tensor.
      recipe: clips of the network.

    Raises:
      UserError: they are no bytes, have another shape, or are one frame for a network
        of several.
    """
    array = np.asarray(frames)
    if array.dtype != np.uint8:
        raise UserError(
            f"Frames are bytes (uint8, 0 to 255), not {array.dtype}: scale them to that"
            " range and convert them."
        )
    if array.ndim != 4 or array.shape[-1] != 3 or 0 in array.shape:
        raise UserError(
            "The frames of a video have the shape [F, H, W, 3], not"
            f" {list(array.shape)}."
        )
    if len(array) == 1 and recipe.num_frames > 1 and not recipe.static:
        raise UserError(
            f"The video has one frame, but the network takes {recipe.num_frames}: load"
            " the run with static_video=True to repeat it."
        )
    return array


def check_clips(shape: tuple[int, ...], recipe: ClipRecipe) -> None:
    """Checks the shape of a batch of clips, [V, num_clips, T, S, S, C] or without V.

    Raises:
      UserError: the network was trained on others.
    """
    if tuple(shape[-4:]) != recipe.shape or len(shape) not in (5, 6):
        raise UserError(
            f"The clips have the shape {list(shape[-4:])}, but the network takes"
            f" {list(recipe.shape)} [T, S, S, C]: make them with the recipe of this"
            " run, vie_tf.dataset(DATA, SPLIT, run.clip)."
        )
