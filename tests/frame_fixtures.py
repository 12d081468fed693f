"""A generated frame whose colours are known, after Pillow's operations too."""

import numpy as np


def reference_frame():
    """The frame that the reference values of Pillow were computed on."""
    y, x = np.mgrid[0:48, 0:64]
    channels = [
        127 + 120 * np.sin(x / 7 + y / 11),
        127 + 110 * np.cos(x / 5 - y / 9),
        127 + 100 * np.sin((x + 2 * y) / 13),
    ]
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)


def to_bytes(clip):
    return np.round(np.asarray(clip) * 255).astype(int)


SAMPLED = [(0, 0), (5, 9), (17, 30), (31, 40)]  # row, column

# What Pillow's ImageEnhance gives at these positions (authors' loader).
PILLOWS_COLORS = [
    (
        "adjust_brightness",
        0.7,
        [[88, 165, 88], [171, 113, 158], [51, 44, 20], [154, 76, 158]],
    ),
    (
        "adjust_brightness",
        1.4,
        [[177, 255, 177], [255, 226, 255], [103, 89, 40], [255, 152, 255]],
    ),
    (
        "adjust_contrast",
        0.6,
        [[126, 192, 126], [197, 147, 185], [94, 88, 67], [182, 115, 185]],
    ),
    (
        "adjust_contrast",
        1.4,
        [[127, 255, 127], [255, 176, 255], [53, 39, 0], [255, 102, 255]],
    ),
    (
        "adjust_saturation",
        0.6,
        [[153, 219, 153], [224, 174, 213], [69, 63, 42], [194, 127, 198]],
    ),
    (
        "adjust_saturation",
        1.4,
        [[101, 255, 101], [255, 149, 238], [78, 64, 15], [245, 90, 254]],
    ),
]

PILLOWS_HUES = [
    (0.25, [[127, 184, 237], [245, 219, 162], [29, 74, 41], [226, 156, 109]]),
    (-0.4, [[237, 127, 169], [162, 245, 230], [47, 29, 74], [109, 226, 172]]),
]

# Its bilinear resize of the frame to 32 x 42; the last of SAMPLED lies there too.
PILLOWS_RESIZED = [[138, 236, 136], [177, 89, 203], [185, 235, 220]]
