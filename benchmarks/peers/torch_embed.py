"""Embeds video files with PyTorch: decode, crop, network; what a short script does.

    python -m benchmarks.peers.torch_embed NETWORK T INTERVAL SIZE CLIPS DECODER FILES

Needs torch, numpy and OpenCV (for DECODER opencv) or PyAV (pyav), and neither
TensorFlow nor `vie_tf`.  Prints the shape of the embeddings, which are those of random
weights.
"""

from __future__ import annotations

import sys
from typing import Iterator

import cv2
import numpy as np
import torch

from benchmarks.peers.torch_model import Embedder, put_channels_last


def frames_of_opencv(path: str) -> Iterator[np.ndarray]:
    """Yields all frames, [H, W, 3] uint8 RGB."""
    capture = cv2.VideoCapture(path)
    while True:
        found, frame = capture.read()
        if not found:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def frames_of_pyav(path: str) -> Iterator[np.ndarray]:
    """Yields all frames, [H, W, 3] uint8 RGB."""
    import av

    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def cropped(frame: np.ndarray, size: int) -> np.ndarray:
    """Takes the center of the frame, 7/8 of its shortest side, resized."""
    side = min(frame.shape[:2]) * 7 // 8
    top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
    return cv2.resize(frame[top : top + side, left : left + side], (size, size))


def main() -> None:
    """Reads the command line and embeds."""
    name, *numbers = sys.argv[1:6]
    decoder, files = sys.argv[6], sys.argv[7:]
    num_frames, interval, size, num_clips = map(int, numbers)
    decode = {"opencv": frames_of_opencv, "pyav": frames_of_pyav}[decoder]
    model = Embedder(name).eval()
    put_channels_last(model)
    embeddings = []
    with torch.inference_mode():
        for path in files:
            frames = list(decode(path))
            room = max(1, len(frames) - (num_frames - 1) * interval)
            starts = (np.arange(num_clips) + 1) * room // (num_clips + 1)
            numbers_of = starts[:, None] + interval * np.arange(num_frames)
            numbers_of %= len(frames)
            clips = np.stack(
                [[cropped(frames[n], size) for n in clip] for clip in numbers_of]
            )
            embeddings.append(model(torch.from_numpy(clips)).mean(0).float().numpy())
    print(np.stack(embeddings).shape)


if __name__ == "__main__":
    main()
