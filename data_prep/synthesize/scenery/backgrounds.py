"""Paints the grounds and backgrounds of the scenes.

A background is the picture of a turn of 360 degrees, or of the four walls of a room,
[HEIGHT, WIDTH, 3] float32 RGB.  A ground is [GROUND_SIDE, GROUND_SIDE, 3] float32 RGB.
"""

from __future__ import annotations

from typing import Callable

import numpy as np

from data_prep.decode.opencv import cv2
from data_prep.synthesize.scenery import paint

# Of backgrounds: pixels for a turn of 360 degrees, rows, and rows above the horizon.
WIDTH, HEIGHT, ROWS_ABOVE = 1024, 224, 192
GROUND_SIDE = 256

Painter = Callable[[np.random.Generator], np.ndarray]


def _sky(
    rng: np.random.Generator,
    top: paint.Color,
    bottom: paint.Color,
    clouds: float,
    cloud: paint.Color = (255, 255, 255),
) -> np.ndarray:
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = paint.rgb(bottom)
    picture[:ROWS_ABOVE] = paint.sky(rng, ROWS_ABOVE, WIDTH, top, bottom, clouds, cloud)
    return picture


def park(rng: np.random.Generator) -> np.ndarray:
    """Paints hills behind a row of trees."""
    picture = _sky(rng, (84, 150, 224), (205, 228, 245), 0.5)
    paint.hills(rng, picture, ROWS_ABOVE - 16, 6, (126, 160, 140))
    paint.trees(rng, picture, ROWS_ABOVE + 1, (30, 58), (62, 122, 52), 46)
    picture[ROWS_ABOVE:] = (98, 140, 66)
    return picture


def beach(rng: np.random.Generator) -> np.ndarray:
    """Paints the sea under a hazy sky."""
    picture = _sky(rng, (92, 168, 232), (252, 232, 206), 0.35)
    sea = np.linspace(0, 1, HEIGHT - ROWS_ABOVE)[:, None, None]
    waves = paint.noise(rng, HEIGHT - ROWS_ABOVE, WIDTH, 30, 0.8)[:, :, None]
    picture[ROWS_ABOVE:] = (
        paint.rgb((30, 110, 160)) * (1 - sea) + paint.rgb((110, 200, 200)) * sea
    )
    picture[ROWS_ABOVE:] += 9 * waves
    return picture


def gym(rng: np.random.Generator) -> np.ndarray:
    """Paints a hall with windows and wall bars."""
    picture = paint.plain(HEIGHT, WIDTH, (226, 218, 200))
    picture[-60:] = (190, 84, 60)
    picture[-64:-60] = (245, 240, 232)
    for wall in range(4):
        left = wall * WIDTH // 4
        for window in range(4):
            x = left + 20 + 60 * window
            picture[30:90, x : x + 36] = (198, 226, 244)
            picture[58:61, x : x + 36] = picture[30:90, x + 17 : x + 19] = (
                120,
                112,
                100,
            )
        for bar in range(left + 190, left + 246, 8):
            picture[100:, bar : bar + 2] = (134, 92, 52)
        picture[:, left : left + 2] *= 0.8
    picture[:24] = (204, 200, 190)
    return picture


def street(rng: np.random.Generator) -> np.ndarray:
    """Paints a row of houses."""
    picture = _sky(rng, (140, 178, 214), (222, 226, 230), 0.7)
    colors = [
        (186, 98, 78),
        (214, 196, 160),
        (158, 164, 172),
        (206, 150, 96),
        (122, 136, 128),
    ]
    paint.houses(rng, picture, ROWS_ABOVE, (50, 110), colors, (70, 84, 104))
    picture[ROWS_ABOVE - 1 :] = (150, 148, 144)
    return picture


def snow(rng: np.random.Generator) -> np.ndarray:
    """Paints snowy hills with firs."""
    picture = _sky(rng, (150, 186, 226), (236, 240, 248), 0.4)
    paint.hills(rng, picture, ROWS_ABOVE - 40, 22, (198, 210, 230))
    paint.hills(rng, picture, ROWS_ABOVE - 10, 6, (226, 232, 244))
    paint.trees(rng, picture, ROWS_ABOVE + 2, (22, 52), (44, 88, 76), 40, pointed=True)
    picture[ROWS_ABOVE:] = (232, 236, 246)
    return picture


def stage(rng: np.random.Generator) -> np.ndarray:
    """Paints a red curtain."""
    folds = 0.55 + 0.45 * np.sin(
        np.arange(WIDTH) / 3.4 + 1.5 * np.sin(np.arange(WIDTH) / 19)
    )
    fade = np.linspace(0.35, 1, HEIGHT)[:, None]
    light = (folds[None, :] * 0.5 + 0.4) * fade
    picture = (
        paint.plain(HEIGHT, WIDTH, (150, 26, 44)) * light.astype(np.float32)[:, :, None]
    )
    picture[-6:] = (196, 150, 60)
    return picture


def desert(rng: np.random.Generator) -> np.ndarray:
    """Paints red mountains."""
    picture = _sky(rng, (58, 110, 190), (250, 204, 150), 0.1)
    paint.hills(rng, picture, ROWS_ABOVE - 34, 26, (178, 98, 84))
    paint.hills(rng, picture, ROWS_ABOVE - 12, 9, (206, 128, 74))
    picture[ROWS_ABOVE:] = (222, 158, 96)
    return picture


def playground(rng: np.random.Generator) -> np.ndarray:
    """Paints a colored fence under a summer sky."""
    picture = _sky(rng, (96, 176, 236), (216, 236, 246), 0.6)
    paint.trees(rng, picture, ROWS_ABOVE, (24, 44), (104, 156, 60), 26)
    colors = [(236, 84, 70), (252, 196, 60), (70, 150, 220), (110, 190, 110)]
    for number in range(0, WIDTH, 8):
        color = colors[int(rng.integers(4))]
        picture[ROWS_ABOVE - 12 : ROWS_ABOVE, number : number + 6] = color
    picture[ROWS_ABOVE - 9 : ROWS_ABOVE - 7] = (250, 250, 250)
    picture[ROWS_ABOVE:] = (60, 132, 176)
    return picture


def roof(rng: np.random.Generator) -> np.ndarray:
    """Paints the lights of a city at dusk."""
    picture = _sky(rng, (44, 40, 98), (250, 150, 104), 0.45, (255, 180, 150))
    paint.houses(
        rng,
        picture,
        ROWS_ABOVE,
        (16, 70),
        [(58, 52, 84), (76, 64, 98), (44, 42, 72)],
        (250, 206, 120),
    )
    picture[ROWS_ABOVE - 7 :] = (98, 88, 104)
    return picture


def room(rng: np.random.Generator) -> np.ndarray:
    """Paints pictures on striped walls."""
    picture = paint.plain(HEIGHT, WIDTH, (132, 176, 170))
    stripes = (np.arange(WIDTH) // 8 % 2).astype(np.float32)[None, :, None]
    picture *= 0.95 + 0.07 * stripes
    picture[-34:] = (240, 236, 224)
    picture[-36:-34] = (176, 168, 150)
    colors = [
        (230, 120, 70),
        (60, 90, 150),
        (240, 208, 90),
        (150, 60, 90),
        (90, 140, 80),
    ]
    for left in range(16, WIDTH, 84):
        wide, tall = int(rng.integers(26, 52)), int(rng.integers(26, 60))
        top = int(rng.integers(50, 80))
        picture[top : top + tall, left : left + wide] = (90, 62, 40)
        inside = picture[top + 3 : top + tall - 3, left + 3 : left + wide - 3]
        inside[:] = colors[int(rng.integers(5))]
        height = inside.shape[0]
        inside[height // 2 :] = colors[int(rng.integers(5))]
    return picture


def court(rng: np.random.Generator) -> np.ndarray:
    """Paints a blue court with lines."""
    picture = paint.mottled(rng, GROUND_SIDE, (62, 142, 186), 0.03, 50)
    for inset, color in ((6, (245, 245, 240)), (70, (240, 190, 70))):
        corner, other = (inset, inset), (GROUND_SIDE - inset, GROUND_SIDE - inset)
        cv2.rectangle(picture, corner, other, tuple(map(float, color)), 3)
    cv2.circle(picture, (128, 128), 36, (236.0, 90.0, 70.0), 3)
    return picture


def asphalt(rng: np.random.Generator) -> np.ndarray:
    """Paints asphalt with markings."""
    picture = paint.mottled(rng, GROUND_SIDE, (112, 112, 116), 0.06, 40)
    picture[124:132, :150] = (232, 230, 220)
    picture[:, 20:24] = (220, 190, 80)
    return picture


def slabs(color: paint.Color, width: int) -> Painter:
    """Returns a painter of square slabs of `width` pixels."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        picture = paint.mottled(rng, GROUND_SIDE, color, 0.06, 60)
        darker = (color[0] * 0.65, color[1] * 0.65, color[2] * 0.65)
        paint.lines(picture, width, darker, 2)
        paint.lines(picture, width, darker, 2, rows=False)
        return picture

    return draw


def mottled(color: paint.Color, contrast: float, wave: float) -> Painter:
    """Returns a painter of grass, sand or snow; see `paint.mottled`."""
    return lambda rng: paint.mottled(rng, GROUND_SIDE, color, contrast, wave)


def planks(color: paint.Color, width: int) -> Painter:
    """Returns a painter of boards of `width` pixels."""
    return lambda rng: paint.planks(rng, GROUND_SIDE, color, width)


def tiles(colors: tuple[paint.Color, paint.Color], width: int) -> Painter:
    """Returns a painter of square tiles of `width` pixels in two colors."""
    return lambda rng: paint.tiles(rng, GROUND_SIDE, colors, width)
