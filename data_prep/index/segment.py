"""A part of a video: from one second to another."""

from __future__ import annotations

import re

_SECONDS = re.compile(r"\d+(\.\d*)?|\.\d+")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d*)?)")


def parse(start: str, end: str) -> tuple[float | None, float | None]:
    """Returns start and end in seconds.

    Args:
      start: seconds, or h:m:s or m:s; empty for the beginning of the video.
      end: likewise; empty for the end of the video.

    Returns:
      Start and end, None where they are those of the video.

    Raises:
      ValueError: one of them is no time, or the end does not come after the start.
    """
    start_secs = _parse_time("start", start) if start else None
    end_secs = _parse_time("end", end) if end else None
    if end_secs is None:
        return start_secs or None, None
    if end_secs <= (start_secs or 0.0):
        raise ValueError(
            f"the end ({end}) must be after the start ({start or '0'}), both counted"
            " from the beginning of the video"
        )
    return start_secs, end_secs


def suffix(start_secs: float | None, end_secs: float | None) -> str:
    """Returns what stands behind the source of a video for this part of it."""
    if start_secs is None and end_secs is None:
        return ""
    start, end = (
        "" if secs is None else f"{secs:.10g}" for secs in (start_secs, end_secs)
    )
    return f"#t={start},{end}" if end else f"#t={start}"


def _parse_time(name: str, text: str) -> float:
    if _SECONDS.fullmatch(text):
        return float(text)
    clock = _CLOCK.fullmatch(text)
    if not clock:
        raise ValueError(
            f"the {name} is {text!r}, which is neither seconds (83.5) nor h:m:s"
            " (0:01:23.5)"
        )
    hours, minutes, seconds = (float(part or 0) for part in clock.groups())
    return 3600 * hours + 60 * minutes + seconds
