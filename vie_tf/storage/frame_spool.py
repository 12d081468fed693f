"""The JPEG frames of one video on their way into a record, in memory or on the disk.

Ten minutes of video are 400 MB of JPEG strings.  A spool moves them from a small buffer
to a temporary file, so memory does not grow with the length of the videos.
"""

from __future__ import annotations

import errno
import tempfile
from typing import Callable, Collection, Iterable, Iterator

from vie_tf.storage.errors import FileError

FramesRead = Callable[[int], Collection[int]]
"""Maps the number of frames of a video to the numbers of those that will be read; the
others may be empty strings."""

# Most videos are shorter (15 s at 320 pixels are about 10 MB) and never see the disk.
MAX_MEMORY_BYTES = 2**25


class FrameSpool:
    """A list of JPEG strings that can only grow; repeated strings are stored once."""

    def __init__(self, frames: Iterable[bytes] = ()) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES)
        self._places: list[tuple[int, int]] = []  # start and length of each frame
        self._end = 0
        for frame in frames:
            self.append(frame)

    def __del__(self) -> None:
        # Decoding, encoding and writing share a spool, and none of them is the last.
        self._file.close()

    def append(self, jpeg: bytes, times: int = 1) -> None:
        """Adds a frame `times` times.

        Raises:
          FileError: the folder of temporary files is full.
        """
        try:
            self._file.seek(self._end)
            self._file.write(jpeg)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            # Not ENOSPC, as the disk of the data set is not full.
            raise FileError(
                errno.EIO,
                "the frames of a long video do not fit into this folder for temporary"
                " files; set TMPDIR to one with more room",
                tempfile.gettempdir(),
            ) from error
        self._places += [(self._end, len(jpeg))] * times
        self._end += len(jpeg)

    def sizes(self) -> list[int]:
        """Returns the number of bytes of every frame."""
        return [length for _, length in self._places]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> bytes:
        return self._read(*self._places[index])

    def __iter__(self) -> Iterator[bytes]:
        return (self._read(*place) for place in self._places)

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)
