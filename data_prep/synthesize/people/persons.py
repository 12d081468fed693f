"""The ten persons of the world, who appear in many videos each."""

from __future__ import annotations

import dataclasses

from data_prep.synthesize.people.skeleton import Proportions
from data_prep.synthesize.rendering.meshes import Color


@dataclasses.dataclass(frozen=True)
class Person:
    """What a person looks like.

    Attributes:
      proportions: lengths and widths of the body.
      skin: color of the skin.
      hair: color of the hair.
      shirt: color of the shirt.
      trousers: color of the trousers.
      shoes: color of the shoes.
      sleeves: `long`, `short` or `none`.
      legs: `long` trousers or `short` ones.
      hair_style: `short`, `long`, `bun` or `cap`.
    """

    proportions: Proportions
    skin: Color
    hair: Color
    shirt: Color
    trousers: Color
    shoes: Color
    sleeves: str = "short"
    legs: str = "long"
    hair_style: str = "short"


_PALE, _TAN, _BROWN, _DARK = (
    (0.96, 0.78, 0.66),
    (0.87, 0.65, 0.48),
    (0.64, 0.43, 0.29),
    (0.40, 0.26, 0.19),
)
_BLACK, _WHITE = (0.09, 0.08, 0.09), (0.94, 0.93, 0.91)

PERSONS: dict[str, Person] = {
    "ada": Person(
        Proportions(0.97, shoulders=0.9, girth=0.92),
        *(_PALE, (0.55, 0.27, 0.12), (0.86, 0.20, 0.18), (0.16, 0.22, 0.42), _WHITE),
        hair_style="long",
    ),
    "bo": Person(
        Proportions(1.06, legs=1.04, shoulders=1.06),
        *(_DARK, _BLACK, (0.97, 0.78, 0.15), (0.20, 0.20, 0.24), _WHITE),
        sleeves="none",
        legs="short",
    ),
    "carl": Person(
        Proportions(1.0, girth=1.3, legs=0.95, shoulders=1.05),
        *(_PALE, (0.75, 0.72, 0.70), (0.20, 0.42, 0.72), (0.55, 0.47, 0.36)),
        (0.25, 0.16, 0.10),
        sleeves="long",
    ),
    "dina": Person(
        Proportions(0.94, shoulders=0.9, girth=0.95, head=1.04),
        *(_TAN, _BLACK, (0.13, 0.62, 0.55), (0.90, 0.88, 0.84), (0.85, 0.25, 0.40)),
        hair_style="bun",
    ),
    "emil": Person(
        Proportions(0.84, legs=0.95, head=1.2, girth=1.02),
        *(_PALE, (0.90, 0.74, 0.38), (0.95, 0.52, 0.15), (0.25, 0.38, 0.62)),
        (0.85, 0.15, 0.15),
        legs="short",
    ),
    "fay": Person(
        Proportions(1.02, legs=1.06, shoulders=0.92, girth=0.88),
        *(_BROWN, (0.16, 0.10, 0.08), (0.93, 0.93, 0.95), (0.70, 0.18, 0.30)),
        (0.92, 0.85, 0.30),
        sleeves="long",
        hair_style="long",
    ),
    "gus": Person(
        Proportions(1.04, shoulders=1.14, girth=1.16),
        *(_TAN, (0.30, 0.20, 0.12), (0.28, 0.50, 0.24), (0.30, 0.28, 0.26), _BLACK),
        hair_style="cap",
    ),
    "hana": Person(
        Proportions(0.95, legs=1.02, shoulders=0.9, girth=0.9),
        *(_PALE, _BLACK, (0.60, 0.40, 0.80), (0.18, 0.16, 0.22), (0.95, 0.95, 0.95)),
        sleeves="none",
        hair_style="bun",
    ),
    "ivo": Person(
        Proportions(1.0, arms=1.04),
        *(_DARK, _BLACK, (0.92, 0.92, 0.90), (0.90, 0.91, 0.90), (0.15, 0.35, 0.75)),
        sleeves="long",
    ),
    "june": Person(
        Proportions(0.9, girth=1.1, head=1.08),
        *(_BROWN, (0.45, 0.42, 0.40), (0.90, 0.48, 0.62), (0.35, 0.55, 0.75)),
        (0.30, 0.20, 0.35),
        legs="short",
        hair_style="cap",
    ),
}
