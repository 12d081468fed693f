"""The error of decoding, which refuses a video with a reason."""

from __future__ import annotations


class UnreadableVideo(ValueError):
    """A video that cannot become a record.

    Attributes:
      reason: short explanation, to be printed after the name of the video.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
