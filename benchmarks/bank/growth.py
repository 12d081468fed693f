"""What the memory bank costs for N videos on R devices: memory, traffic, time.

    python -m benchmarks.bank.growth [--nums_videos=...] [--nums_devices=1,8,64]

Computes, and measures nothing.  Bytes follow from the shapes of
`vie_tf.objectives.bank.sharded_bank` and of `cluster_search`.  Seconds of a search and
of k-means start from what `benchmarks.bank.searches` measured on two cores, constants
below.  What a device trains on in a second is an assumption, `--clips_per_second`, as
no GPU was at hand.

The batch is that of all devices together, 128 as in the paper.

Letters: N videos, M clusters, D dimension, R devices, G global batch, K neighbors.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

DIM = 128  # D
NUM_NEIGHBORS = 512  # K
VIDEOS_PER_CLUSTER = 30  # N / M
K_MEANS_ITERATIONS = 4  # of a clustering that begins with the last one's centroids
FLOAT, LONG, INT = 4, 8, 4  # bytes

# Of the cluster search for G = 128 at 10^7 rows in 256 clusters, and of an iteration of
# grouped k-means at 10^6 rows: CPU seconds of two cores.
SEARCH_AT, SEARCH_SECONDS = 1e7, 0.58
K_MEANS_AT, K_MEANS_SECONDS = 1e6, 8.0
# Part of that search which compares with all centroids, and so grows with N.
SEARCH_GROWING = 0.4


@dataclasses.dataclass(frozen=True)
class Growth:
    """Costs for one number of videos on one number of devices.

    Attributes:
      num_videos: N.
      num_devices: R.
      global_batch: G.
      dtype_size: bytes of a number of the bank.
      clips_per_second: what the network does on a device, forward and backward.
    """

    num_videos: int
    num_devices: int
    global_batch: int = 128
    dtype_size: int = FLOAT
    clips_per_second: float = 1000.0

    def bank_bytes(self) -> int:
        """Returns the bytes of a divided bank on a device."""
        return -(-self.num_videos // self.num_devices) * DIM * self.dtype_size

    def whole_bytes(self) -> int:
        """Returns the bytes of what every device holds: labels, lists, centroids."""
        centroids = self.num_videos // VIDEOS_PER_CLUSTER * DIM * FLOAT
        return 2 * self.num_videos * INT + centroids

    def checkpoint_bytes(self) -> int:
        """Returns the bytes that a host collects for a checkpoint."""
        return self.num_videos * DIM * self.dtype_size

    def traffic_bytes(self) -> int:
        """Returns the bytes of the bank that a device receives in a step."""
        if self.num_devices == 1:
            return 0
        pairs = self.global_batch * NUM_NEIGHBORS
        candidates = self.num_devices * pairs * (FLOAT + LONG)
        # Rows that are asked for, similarities there and their gradients back.
        compared = pairs * (LONG + 2 * FLOAT + FLOAT)
        embeddings = self.global_batch * DIM * FLOAT * (2 + 2)
        return candidates + compared + embeddings

    def search_seconds(self) -> float:
        """Returns the seconds of a step's search on a device like two cores."""
        growing = SEARCH_GROWING * self.num_videos / SEARCH_AT
        size = self.global_batch / 128
        # The centroids are on all devices, the rows of the clusters are divided.
        own = (1 - SEARCH_GROWING) / self.num_devices
        return SEARCH_SECONDS * size * (growing + own)

    def clustering_seconds(self) -> float:
        """Returns the seconds of a grouped k-means on all devices."""
        one = K_MEANS_SECONDS * (self.num_videos / K_MEANS_AT) ** 1.5
        return K_MEANS_ITERATIONS * one / self.num_devices

    def epoch_hours(self) -> float:
        """Returns the hours of the steps of an epoch, without the bank."""
        return self.num_videos / (self.num_devices * self.clips_per_second) / 3600


def main(given: Sequence[str] | None = None) -> None:
    """Prints a row for each number of videos and of devices."""
    arguments = _arguments(given)
    print(
        "| videos | devices | bank of a device | on every device | collected for a"
        " checkpoint | received in a step | search in a step | a clustering | steps of"
        " an epoch |\n|---|---|---|---|---|---|---|---|---|"
    )
    for num_videos in arguments.nums_videos:
        for num_devices in arguments.nums_devices:
            growth = Growth(
                num_videos,
                num_devices,
                arguments.global_batch,
                arguments.dtype_size,
                arguments.clips_per_second,
            )
            cells = (
                f"{num_videos:,}",
                str(num_devices),
                _size(growth.bank_bytes()),
                _size(growth.whole_bytes()),
                _size(growth.checkpoint_bytes()),
                _size(growth.traffic_bytes()) if num_devices > 1 else "-",
                f"{growth.search_seconds():.2g} s",
                _time(growth.clustering_seconds()),
                _time(3600 * growth.epoch_hours()),
            )
            print(f"| {' | '.join(cells)} |")


def _size(number: float) -> str:
    unit, name = (1e9, "GB") if number >= 1e9 else (1e6, "MB")
    return f"{number / unit:.3g} {name}"


def _time(seconds: float) -> str:
    for unit, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.2g} {name}"
    return f"{seconds:.2g} s"


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bank.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nums_videos", type=_numbers, default=[10**6, 10**7, 10**8])
    parser.add_argument("--nums_devices", type=_numbers, default=[1, 8, 64])
    parser.add_argument("--global_batch", type=int, default=128)
    parser.add_argument("--dtype_size", type=int, choices=(2, 4), default=FLOAT)
    parser.add_argument("--clips_per_second", type=float, default=1000.0)
    return parser.parse_args(given)


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


if __name__ == "__main__":
    main()
