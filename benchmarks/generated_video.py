"""Videos with as much detail as real ones, for the measurement of conversions."""

from __future__ import annotations

import math
import os

import numpy as np

from data_prep.decode.opencv import cv2

SPECTRAL_POWER = 1.6


def _picture(width: int, height: int, seed: int) -> np.ndarray:
    """Makes a picture [2 * height, 2 * width, 3] of noise.

    Its amplitude falls with the frequency so steeply that frames need as many bytes as
    those of real videos (20 to 35 kB at 569 x 320).
    """
    high, wide = 2 * height, 2 * width
    rng = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(high)[:, None], np.fft.rfftfreq(wide)[None, :]
    fall = np.maximum(np.hypot(down, across), 1 / wide) ** -SPECTRAL_POWER
    channels = []
    for _ in range(3):
        noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(high, wide))) * fall)
        channels.append(128 + 50 * noise / noise.std())
    # Eyes and codecs take detail from lightness: colors are smooth.
    light, blue, red = channels
    tints = [
        cv2.GaussianBlur(tint - 128, (0, 0), 8) / 2 for tint in (blue, 0 * red, red)
    ]
    picture = np.stack([light + tint for tint in tints], axis=-1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def make_video(path: str, seconds: float, size: tuple[int, int], seed: int) -> None:
    """Writes a video at 25 fps in which a window moves over a large picture.

    Args:
      path: path of the .mp4 file.
      seconds: length of the video.
      size: width and height in pixels.
      seed: seed of the picture.
    """
    width, height = size
    picture = _picture(width, height, seed)
    high, wide = picture.shape[:2]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    writer = cv2.VideoWriter(
        path, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 25, size
    )
    for number in range(round(seconds * 25)):
        angle = number / 200
        x = round((wide - width) / 2 * (1 + math.sin(angle)))
        y = round((high - height) / 2 * (1 + math.cos(angle * 1.3)))
        writer.write(np.ascontiguousarray(picture[y : y + height, x : x + width]))
    writer.release()
