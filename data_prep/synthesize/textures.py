"""Random color textures that tile without a seam, one for each scene of a video.

Every texture is band-limited noise, because stripes hide a motion along themselves.
Textures hardly differ in contrast, spectrum and mean color.  An untrained network
distinguishes real scenes by these far better than by motions, and instance recognition
would need thousands of steps to unlearn that: the tutorial would take hours.
"""

from __future__ import annotations

import functools
import math

import numpy as np

# Wavelengths in pixels of a frame whose shortest side is 96: long enough to be visible
# at 48 pixels, short enough for many of them in a frame.
_SHORTEST_WAVE = 9.0
_LONGEST_WAVE = 42.0
_SPECTRAL_POWER = 1.5  # of the fall of amplitude with frequency


def texture_side(size: int) -> int:
    """Returns the side of the textures for frames of a shortest side, in pixels.

    A power of two (for the Fourier transform) that is at least the extent of an
    enlarged 4:3 frame, so that no frame shows a repetition.
    """
    return 2 ** math.ceil(math.log2(2.6 * size))


def random_texture(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    """Draws a texture.

    Args:
      rng: random generator.
      side: side in pixels, a power of two.
      pixel: size of a pixel, relative to frames with a shortest side of 96.

    Returns:
      [side, side, 3] uint8, periodic in both directions.
    """
    light = _noise(rng, side, pixel)  # [side, side]
    tint = _noise(rng, side, pixel)  # [side, side]
    # Light changes all channels alike, so that the structure survives the conversion to
    # gray; tint changes them differently.
    base = rng.uniform(120, 136, size=3)
    by_light = rng.uniform(42, 52, size=3)
    by_tint = rng.uniform(-20, 20, size=3)
    channels = [base[c] + by_light[c] * light + by_tint[c] * tint for c in range(3)]
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, side: int, pixel: float) -> np.ndarray:
    """Returns noise over two octaves, whose spectrum falls with frequency."""
    frequency = _frequencies(side) * np.float32(pixel)
    amplitude = frequency ** np.float32(-_SPECTRAL_POWER)
    amplitude *= (frequency > 1 / _LONGEST_WAVE) & (frequency < 1 / _SHORTEST_WAVE)
    turns = rng.random(size=frequency.shape, dtype=np.float32)
    spectrum = amplitude * np.exp(np.complex64(2j * np.pi) * turns)
    return _normalized(np.fft.irfft2(spectrum, s=(side, side)).astype(np.float32))


@functools.lru_cache(maxsize=4)
def _frequencies(side: int) -> np.ndarray:
    """Returns cycles per pixel of the terms of `rfft2`, [side, side // 2 + 1]."""
    down = np.fft.fftfreq(side)[:, None]
    across = np.fft.rfftfreq(side)[None, :]
    # The mean gets a frequency above 0, which has a power; every band excludes it.
    return np.maximum(np.hypot(down, across), 1e-6).astype(np.float32)


def _normalized(field: np.ndarray) -> np.ndarray:
    """Returns a field with mean 0 and standard deviation 1."""
    return (field - field.mean()) / (field.std() + 1e-9)
