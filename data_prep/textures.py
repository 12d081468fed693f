"""Random colour textures that tile without a seam.

Comes in: a random generator.  Goes out: the appearance of one scene of a generated
video; `write_videos` moves it.  Every texture is a mixture with band-limited noise
in it, because stripes alone do not show a motion along themselves.
"""

from __future__ import annotations

import functools
import math

import numpy as np

# Wave lengths in pixels of a frame whose shortest side is 96: long enough to be seen
# when frames are shrunk to 48, short enough for many of them in a frame.
_SHORTEST_WAVE = 9.0
_LONGEST_WAVE = 60.0


def texture_side(size: int) -> int:
    """Returns the side of the textures for frames of a shortest side, in pixels.

    A power of two (for the Fourier transform) that is no less than the part of the
    plane that an enlarged frame of 4:3 shows, so that no frame shows a repetition.
    """
    return 2 ** math.ceil(math.log2(2.6 * size))


def random_texture(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    """Draws a texture.

    Args:
      rng: source of everything random.
      side: in pixels, a power of two.
      pixel: pixels that stand for one of a frame with a shortest side of 96.

    Returns:
      [side, side, 3] uint8, periodic in both directions.
    """
    noise = _noise(rng, side, pixel)
    pattern = _PATTERNS[rng.integers(len(_PATTERNS))](rng, side, pixel)
    share = rng.uniform(0.3, 0.6)
    light = _normalised((1 - share) * noise + share * pattern)  # [side, side]
    tint = _noise(rng, side, pixel)  # [side, side]
    # Light moves all channels to the same side, so that the structure survives the
    # conversion to grey; tint moves them apart.
    base = rng.uniform(90, 165, size=3)
    by_light = rng.uniform(25, 60, size=3)
    by_tint = rng.uniform(-35, 35, size=3)
    channels = [base[c] + by_light[c] * light + by_tint[c] * tint for c in range(3)]
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    """Noise over several octaves, its spectrum falling with a random power."""
    frequency = _frequencies(side) * np.float32(pixel)
    longest = rng.uniform(0.5, 1.0) * _LONGEST_WAVE
    amplitude = frequency ** np.float32(-rng.uniform(1.0, 2.0))
    amplitude *= (frequency > 1 / longest) & (frequency < 1 / _SHORTEST_WAVE)
    turns = rng.random(size=frequency.shape, dtype=np.float32)
    spectrum = amplitude * np.exp(np.complex64(2j * np.pi) * turns)
    return _normalised(np.fft.irfft2(spectrum, s=(side, side)).astype(np.float32))


@functools.lru_cache(maxsize=4)
def _frequencies(side: int) -> np.ndarray:
    """Cycles per pixel of the terms of `rfft2`, [side, side // 2 + 1]."""
    down = np.fft.fftfreq(side)[:, None]
    across = np.fft.rfftfreq(side)[None, :]
    # The mean is not 0, so that a power of it can be taken; every band leaves it out.
    return np.maximum(np.hypot(down, across), 1e-6).astype(np.float32)


def _blobs(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    return np.tanh(rng.uniform(2, 5) * _noise(rng, side, pixel))


def _grating(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    along = _wave_numbers(rng, side, pixel)
    return _soft_square(_phase(along, side, rng), rng.uniform(0.5, 4))


def _checker(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    down, across = _wave_numbers(rng, side, pixel)
    sharpness = rng.uniform(1, 4)
    first = _soft_square(_phase((down, across), side, rng), sharpness)
    second = _soft_square(_phase((-across, down), side, rng), sharpness)
    return first * second


_PATTERNS = (_noise, _blobs, _grating, _checker)


def _wave_numbers(rng: np.random.Generator, side: int, pixel: float) -> tuple[int, int]:
    """Whole numbers of waves along each side, which is what makes a grating tile."""
    wave = np.exp(
        rng.uniform(np.log(1.5 * _SHORTEST_WAVE), np.log(0.7 * _LONGEST_WAVE))
    )
    angle = rng.uniform(0, 2 * np.pi)
    waves = side / (wave * pixel)
    return round(waves * np.sin(angle)), round(waves * np.cos(angle))


def _phase(
    wave_numbers: tuple[int, int], side: int, rng: np.random.Generator
) -> np.ndarray:
    down, across = wave_numbers
    radians = np.arange(side, dtype=np.float32) * (2 * np.pi / side)
    start = rng.uniform(0, 2 * np.pi)
    return down * radians[:, None] + across * radians[None, :] + start  # [side, side]


def _soft_square(phase: np.ndarray, sharpness: float) -> np.ndarray:
    return np.tanh(sharpness * np.sin(phase))


def _normalised(field: np.ndarray) -> np.ndarray:
    """Returns a field with mean 0 and standard deviation 1."""
    return (field - field.mean()) / (field.std() + 1e-9)
