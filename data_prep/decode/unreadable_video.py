"""What decoding raises, so that a video is refused with its reason."""

from __future__ import annotations


class UnreadableVideo(ValueError):
    """A video that no record can be made of.

    Attributes:
      reason: why, in words that can stand behind the name of the video.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
