"""Computes the play time of pictures from the time stamps of a file."""

from __future__ import annotations

# A longer display time is taken for an error of the time stamps, which may jump by
# hours; the clock then advances by one ordinary interval.
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

    Attributes:
      pictures: number of pictures so far.
      secs: time of the latest picture since the first one.
    """

    def __init__(self, nominal_fps: float) -> None:
        credible = is_credible_fps(nominal_fps)
        self._interval = 1 / nominal_fps if credible else 1 / 25
        self._interval_is_claimed = credible
        self._latest_step = self._interval
        self._believed_stamp = self._previous_stamp = 0.0
        self._believed_secs = 0.0
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
        if 0 < since_believed <= unsure_secs + MAX_SECS_ON_DISPLAY:
            now = max(self.secs, self._believed_secs + since_believed)
            self._believe(stamp_secs, now)
        elif 0 < since_previous <= MAX_SECS_ON_DISPLAY:
            self._believe(stamp_secs, self.secs + since_previous)
        else:
            self.secs += self._interval
            self._previous_stamp = stamp_secs

    def _believe(self, stamp_secs: float, now: float) -> None:
        if now > self.secs and not self._interval_is_claimed:
            self._interval = now - self.secs
        self._believed_stamp = self._previous_stamp = stamp_secs
        self._believed_secs = self.secs = now
