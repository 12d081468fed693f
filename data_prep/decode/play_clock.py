"""Computes the play time of pictures from the time stamps of a file."""

from __future__ import annotations

from typing import Callable

# A longer display time may be an error of the time stamps, which jump by hours; unless
# the file as a whole says otherwise, the clock then advances by one ordinary interval.
MAX_SECS_ON_DISPLAY = 10.0
# Credible frame rates of containers; others (1000, 90000) are time bases.
CREDIBLE_FPS = (1.0, 480.0)


def is_credible_fps(fps: float) -> bool:
    """Tells whether the frame rate in a file can be true."""
    return CREDIBLE_FPS[0] <= fps <= CREDIBLE_FPS[1]


class PlayClock:
    """Play time, from time stamps that may be missing, repeated or absurd.

    A stamp is believed if it is a credible step after the last believed one, or after
    the stamp just before it (the stamps have jumped, and continue from there).  Other
    pictures follow one ordinary interval after their predecessor.

    Args:
      nominal_fps: frame rate in the file, which may be absurd.
      longest_secs: returns the longest display that is believed; called when there is
        one of more than `MAX_SECS_ON_DISPLAY`.

    Attributes:
      saw_long_display: whether there was one that is believed.
      pictures: number of pictures so far.
      secs: time of the latest picture since the first one.
    """

    def __init__(
        self,
        nominal_fps: float,
        longest_secs: Callable[[], float] = lambda: MAX_SECS_ON_DISPLAY,
    ) -> None:
        credible = is_credible_fps(nominal_fps)
        self._interval = 1 / nominal_fps if credible else 1 / 25
        self._interval_is_claimed = credible
        self._latest_step = self._interval
        self._believed_stamp = self._previous_stamp = 0.0
        self._believed_secs = 0.0
        self._longest_secs = longest_secs
        self.saw_long_display = False
        self.pictures = 0
        self.secs = 0.0

    def advance(self, stamp_secs: float) -> None:
        """Advances to the next picture of the file, which has this stamp."""
        before = self.secs
        self._advance(stamp_secs)
        if self.secs > before:
            self._latest_step = self.secs - before

    def expected_secs(self) -> float:
        """Returns the time of the next picture, if the pictures are regular."""
        return self.secs + self._latest_step

    def length_secs(self) -> float:
        """Returns the play time if the last picture lasts as long as the average.

        A single picture has no play time: 0.
        """
        return self.secs * self.pictures / max(1, self.pictures - 1)

    def _advance(self, stamp_secs: float) -> None:
        self.pictures += 1
        if self.pictures == 1:
            self._believe(stamp_secs, 0.0)
            return
        since_believed = stamp_secs - self._believed_stamp
        since_previous = stamp_secs - self._previous_stamp
        unsure_secs = self.secs - self._believed_secs
        if since_believed > 0 and self._is_credible(since_believed - unsure_secs):
            now = max(self.secs, self._believed_secs + since_believed)
            self._believe(stamp_secs, now)
        elif since_previous > 0 and self._is_credible(since_previous):
            self._believe(stamp_secs, self.secs + since_previous)
        else:
            self.secs += self._interval
            self._previous_stamp = stamp_secs

    def _is_credible(self, secs: float) -> bool:
        """Tells whether a picture can be on display for a time."""
        if secs <= MAX_SECS_ON_DISPLAY:
            return True
        is_credible = secs <= self._longest_secs()
        self.saw_long_display |= is_credible
        return is_credible

    def _believe(self, stamp_secs: float, now: float) -> None:
        if now > self.secs and not self._interval_is_claimed:
            self._interval = now - self.secs
        self._believed_stamp = self._previous_stamp = stamp_secs
        self._believed_secs = self.secs = now
