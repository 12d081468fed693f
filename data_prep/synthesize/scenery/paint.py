"""Brushes for grounds and backgrounds: noise, skies, hills, trees, houses and planks.

Pictures are [H, W, 3] float32 RGB from 0 to 255 that repeat without a seam in x, and
grounds also in y.
"""

from __future__ import annotations

import math
from typing import Sequence

import numpy as np

from data_prep.decode.opencv import cv2

Color = tuple[float, float, float]


def rgb(color: Color) -> np.ndarray:
    """Returns a color as an array, [3] float32."""
    return np.array(color, np.float32)


def noise(
    rng: np.random.Generator, height: int, width: int, wave: float, power: float = 1.5
) -> np.ndarray:
    """Returns noise [H, W] of mean 0 and deviation 1 without a seam.

    Args:
      rng: random generator.
      height: rows.
      width: columns.
      wave: longest wave in pixels.
      power: of the fall of amplitude with frequency; smaller is rougher.
    """
    down = np.fft.fftfreq(height)[:, None]
    across = np.fft.rfftfreq(width)[None, :]
    frequency = np.maximum(np.hypot(down, across), 1.0 / max(height, width) / 2)
    amplitude = np.maximum(frequency, 1 / wave) ** -power
    amplitude[0, 0] = 0
    phase = np.exp(2j * np.pi * rng.random(frequency.shape))
    field = np.fft.irfft2(amplitude * phase, s=(height, width))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def plain(height: int, width: int, color: Color) -> np.ndarray:
    """Returns a picture of one color."""
    return np.broadcast_to(rgb(color), (height, width, 3)).copy()


def mottled(
    rng: np.random.Generator, side: int, color: Color, contrast: float, wave: float
) -> np.ndarray:
    """Returns a ground of one color whose lightness varies by some percent."""
    light = 1 + contrast * (
        0.7 * noise(rng, side, side, wave) + 0.5 * noise(rng, side, side, wave / 8)
    )
    return plain(side, side, color) * light[:, :, None]


def lines(
    picture: np.ndarray,
    spacing: int,
    color: Color,
    thickness: int,
    *,
    rows: bool = True,
) -> None:
    """Draws parallel lines onto a ground, across or along."""
    for start in range(0, picture.shape[0], spacing):
        part = slice(start, start + thickness)
        if rows:
            picture[part] = color
        else:
            picture[:, part] = color


def planks(rng: np.random.Generator, side: int, color: Color, width: int) -> np.ndarray:
    """Returns a floor of boards that are `width` pixels wide."""
    grain = noise(rng, side, side, 40, 1.0)
    grain = cv2.blur(np.tile(grain, (1, 3)), (31, 1))[:, side : 2 * side]
    picture = plain(side, side, color)
    light = 1 + 0.12 * grain
    for top in range(0, side, width):
        start = int(rng.integers(side))
        for left in range(0, side, side // 2):
            columns = (np.arange(side // 2) + left + start) % side
            light[top : top + width, columns] *= rng.uniform(0.86, 1.1)
            light[top : top + width, (left + start) % side] *= 0.6
        light[top] *= 0.6
    return picture * light[:, :, None]


def tiles(
    rng: np.random.Generator, side: int, colors: tuple[Color, Color], width: int
) -> np.ndarray:
    """Returns a floor of square tiles in two colors."""
    row, column = np.mgrid[:side, :side] // width
    which = ((row + column) % 2)[:, :, None]
    picture = np.where(which, rgb(colors[0]), rgb(colors[1]))
    picture = picture * (1 + 0.05 * noise(rng, side, side, 60))[:, :, None]
    lines(picture, width, (90, 90, 90), 1)
    lines(picture, width, (90, 90, 90), 1, rows=False)
    return picture


def sky(
    rng: np.random.Generator,
    height: int,
    width: int,
    top: Color,
    bottom: Color,
    clouds: float = 0.0,
    cloud_color: Color = (255, 255, 255),
) -> np.ndarray:
    """Returns a sky that fades from `top` to `bottom`, with a share of clouds."""
    fade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 1.3
    picture = plain(height, width, top) * (1 - fade) + rgb(bottom) * fade
    if clouds:
        # Clouds are wider than high.
        shape = noise(rng, 3 * height, width, 160, 1.7)[::3][:height]
        cover = np.clip((shape - 1.2 + 1.6 * clouds) * 0.9, 0, 0.9)[:, :, None]
        picture = picture * (1 - cover) + rgb(cloud_color) * cover
    return picture


def hills(
    rng: np.random.Generator,
    picture: np.ndarray,
    base: float,
    swing: float,
    color: Color,
) -> None:
    """Draws hills whose tops swing about the row `base`, down to the lower edge."""
    height, width = picture.shape[:2]
    angle = np.arange(width) * 2 * math.pi / width
    tops = sum(
        np.sin(k * angle + rng.uniform(0, 6.3)) * rng.uniform(0.3, 1) / k**0.8
        for k in range(2, 30)
    )
    tops = base + swing * tops / 2
    depth = np.arange(height)[:, None] - tops[None, :]
    cover = np.clip(depth + 0.5, 0, 1)[:, :, None]
    light = 1 + 0.1 * noise(rng, height, width, 30)[:, :, None]
    picture[:] = picture * (1 - cover) + rgb(color) * light * cover


def trees(
    rng: np.random.Generator,
    picture: np.ndarray,
    foot: int,
    size: tuple[float, float],
    color: Color,
    number: int,
    *,
    pointed: bool = False,
) -> None:
    """Draws trees that stand on the row `foot`; `size` has their heights in pixels."""
    width = picture.shape[1]
    for _ in range(number):
        x, tall = rng.integers(width), rng.uniform(*size)
        tint = rgb(color) * rng.uniform(0.75, 1.2)
        for shift in (-width, 0, width):
            center = int(x + shift)
            trunk = (center, foot), (center, int(foot - 0.5 * tall))
            cv2.line(picture, *trunk, (70.0, 50.0, 35.0), max(1, int(tall / 10)))
            if pointed:
                for step in range(3):
                    top = foot - tall * (1 - 0.22 * step)
                    low, half = (
                        foot - tall * (0.5 - 0.2 * step),
                        tall * (0.16 + 0.07 * step),
                    )
                    corners = [
                        (center, top),
                        (center - half, low),
                        (center + half, low),
                    ]
                    cv2.fillPoly(
                        picture,
                        [np.array(corners, np.int32)],
                        (tint * (1.1 - 0.1 * step)).tolist(),
                    )
                continue
            state = np.random.default_rng(int(x))
            for _ in range(9):
                dx, dy = state.normal(0, 0.16, 2) * tall
                spot = int(center + dx), int(foot - 0.68 * tall + dy)
                shade = float(1.0 - dy / tall * 0.6)
                cv2.circle(picture, spot, int(0.17 * tall), (tint * shade).tolist(), -1)


def houses(
    rng: np.random.Generator,
    picture: np.ndarray,
    foot: int,
    size: tuple[float, float],
    colors: Sequence[Color],
    window: Color,
) -> None:
    """Draws a row of houses that stand on the row `foot`, with windows."""
    width, x = picture.shape[1], 0
    while x < width:
        wide = int(rng.uniform(40, 90))
        tall = int(rng.uniform(*size))
        wide = wide if x + wide < width - 20 else width - x
        color = rgb(colors[int(rng.integers(len(colors)))]) * rng.uniform(0.85, 1.1)
        picture[max(foot - tall, 0) : foot, x : x + wide] = color
        for top in range(max(foot - tall, 0) + 5, foot - 8, 13):
            for left in range(x + 5, x + wide - 8, 13):
                lit = rng.uniform(0.6, 1.15)
                picture[top : top + 7, left : left + 6] = rgb(window) * lit
        x += wide
    picture[foot:] = picture[foot - 1].mean(axis=0) * 0.7
