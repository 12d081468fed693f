"""Streams: the two runs that a two-stream network is made of."""

from __future__ import annotations

from absl import flags

from vie_tf.config import ModelConfig

_SINGLE_FROM = flags.DEFINE_string(
    "single_from",
    None,
    "Folder of a run of single, the static stream of a two-stream network.",
)
_DYNAMIC_FROM = flags.DEFINE_string(
    "dynamic_from",
    None,
    "Folder of a run of slow or slowfast, its dynamic stream.",
)
_STATIC_FRAMES = flags.DEFINE_enum(
    "static_frames",
    ModelConfig.static_frames,
    ["one", "all"],
    "What the static stream is given: the middle frame of a clip, or all of its frames,"
    " whose embeddings are averaged.",
)


def single_from() -> str | None:
    """Returns the run of the static stream."""
    return _SINGLE_FROM.value


def dynamic_from() -> str | None:
    """Returns the run of the dynamic stream."""
    return _DYNAMIC_FROM.value


def both() -> tuple[str, str] | None:
    """Returns the runs of the static and the dynamic stream; None without any.

    Raises:
      ValueError: just one was given.
    """
    single, dynamic = _SINGLE_FROM.value, _DYNAMIC_FROM.value
    if bool(single) != bool(dynamic):
        raise ValueError("--single_from and --dynamic_from are given together.")
    return (single, dynamic) if single else None


def static_frames() -> str:
    """Returns what the static stream is given."""
    return _STATIC_FRAMES.value
