"""Tells pictures that are on display for long from broken time stamps.

Screen recordings and slide shows hold a picture for minutes; broken stamps jump, often
by hours, and would do the same.  The stamps of a whole file tell them apart.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from typing import Callable

from data_prep.decode import container
from data_prep.decode.play_clock import MAX_SECS_ON_DISPLAY
from data_prep.decode.video_file import VideoFile

# Of a container that does not say how long it is, or only as its stamps do.
_MAX_SECS_WITHOUT_LENGTH = 600.0
# The stamps may exceed the stated length by this, and this fraction of it.
_TOLERANCE_SECS, _TOLERANCE = 1.0, 0.02


@dataclasses.dataclass(frozen=True)
class LongDisplays:
    """What the stamps of a file say about its longest displays.

    Attributes:
      longest_secs: longest display that is believed.
      length_secs: play time of the file if its stamps are right, else 0.
    """

    longest_secs: float = MAX_SECS_ON_DISPLAY
    length_secs: float = 0.0


def measure(open_file: Callable[[], VideoFile]) -> LongDisplays:
    """Decodes a file once and judges its stamps.

    Long displays are believed if no stamp is before its predecessor, and the last one
    lies within the length that the container states.  Without a stated length, those
    up to ten minutes are believed.

    Args:
      open_file: opens the file at its beginning.

    Raises:
      UnreadableVideo: the file cannot be opened.
    """
    stamps = []
    with open_file() as file:
        while file.grab():
            stamps.append(file.stamp_secs())
    steps = [later - before for before, later in zip(stamps, stamps[1:])]
    if not steps or not all(0 <= step < math.inf for step in steps):
        return LongDisplays()
    metadata = container.read_metadata(file.path)
    stated = metadata.secs
    if metadata.kind == container.MATROSKA and file.nominal_fps > 0:
        # Negative without a length.
        stated = file.claimed_pictures / file.nominal_fps
    shown = stamps[-1] - stamps[0]
    if not 0 < stated < math.inf:
        if max(steps) > _MAX_SECS_WITHOUT_LENGTH:
            return LongDisplays()
    elif shown > stated * (1 + _TOLERANCE) + _TOLERANCE_SECS:
        return LongDisplays()
    length = shown + statistics.median(steps)
    whole = metadata.pictures == len(stamps)
    return LongDisplays(max(steps), max(shown, stated) if whole else length)


def stated_length(metadata: container.ContainerMetadata, num_pictures: int) -> float:
    """Returns the play time that an MP4 file states, if it has been decoded whole.

    Args:
      metadata: of the container.
      num_pictures: number of pictures that were decoded.

    Returns:
      Seconds; 0 if pictures are missing or nothing is stated.
    """
    is_whole = metadata.pictures == num_pictures and metadata.secs < math.inf
    return metadata.secs if is_whole else 0.0
