"""Generated scenes: two colored shapes on a gray ground, with a sentence that is true of them and masks of both.

Whatever a network says of such a scene can be held against what is there, word for word and pixel for pixel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from pellucid.errors import BadImage
from pellucid.rng import generator

SIDE = 32
"""Pixels of a scene's side."""
COLORS = {"red": (0.85, 0.15, 0.15), "green": (0.15, 0.7, 0.2), "blue": (0.2, 0.3, 0.9), "yellow": (0.9, 0.85, 0.15)}
SHAPES = ("square", "circle", "triangle")
RELATIONS = ("left", "above")
WORDS = 8
"""Of every sentence."""
COLOR_AT, SHAPE_AT, RELATION_AT = (1, 6), (2, 7), 3
"""Positions of the words that name the colors, the shapes, and how the objects lie."""
_LEAST, _MOST = 4.0, 5.5
"""Half of an object's side."""
_NEAR, _ASIDE = 8.0, 5.0
"""Pixels from the middle of the scene to that of an object: at least along the line of both, at most across it."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Two objects, the left or upper one first."""

    pixels: UInt8[np.ndarray, "side side 3"]
    masks: Bool[np.ndarray, "2 side side"]
    """Where each object is."""
    colors: tuple[str, str]
    shapes: tuple[str, str]
    relation: str
    """left or above: of the second object."""

    @property
    def words(self) -> tuple[str, ...]:
        """The sentence: a red square left of a blue circle."""
        (one, other), (shape, second) = self.colors, self.shapes
        return ("a", one, shape, self.relation, "of", "a", other, second)

    @property
    def sentence(self) -> str:
        """Its words with blanks between them."""
        return " ".join(self.words)


def scene(number: int, seed: int = 0) -> Scene:
    """The scene of that number among those of a seed, 32 × 32: ground of a gray from 0.3 to 0.6 with noise of 0.04, two
    objects of different color and different shape, side by side or one above the other.
    """
    chance = generator(seed, "scene", number)
    colors = tuple(str(one) for one in chance.choice(list(COLORS), 2, replace=False))
    shapes = tuple(str(one) for one in chance.choice(SHAPES, 2, replace=False))
    relation = str(chance.choice(RELATIONS))
    ground = np.full((SIDE, SIDE, 3), chance.uniform(0.3, 0.6))
    middle, masks = (SIDE - 1) / 2, []
    for k, (color, shape) in enumerate(zip(colors, shapes, strict=True)):
        along = middle + (-1 if k == 0 else 1) * chance.uniform(_NEAR, _NEAR + 1.5)
        across = middle + chance.uniform(-_ASIDE, _ASIDE)
        y, x = (across, along) if relation == "left" else (along, across)
        masks.append(_inside(shape, y, x, chance.uniform(_LEAST, _MOST)))
        ground[masks[-1]] = np.array(COLORS[color]) * chance.uniform(0.85, 1.0)
    noisy = ground + chance.normal(0, 0.04, ground.shape)
    pixels = (noisy.clip(0, 1) * 255).round().astype(np.uint8)
    return Scene(pixels, np.stack(masks), (colors[0], colors[1]), (shapes[0], shapes[1]), relation)


def named_scene(name: str) -> Scene:
    """Of `NUMBER` or `NUMBER,SEED`. Raises BadImage where it is neither."""
    match = re.fullmatch(r"(\d{1,9})(?:,(\d{1,9}))?", name)
    if match is None:
        raise BadImage(f"no scene {name!r}: scene:NUMBER or scene:NUMBER,SEED, such as scene:7")
    return scene(int(match[1]), int(match[2] or 0))


def _inside(shape: str, y: float, x: float, half: float) -> Bool[np.ndarray, "side side"]:
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    down, across = rows - y, columns - x
    if shape == "circle":
        return np.asarray(down**2 + across**2 <= half**2)
    box = np.maximum(np.abs(down), np.abs(across)) <= half
    if shape == "square":
        return np.asarray(box)
    return np.asarray(box & (np.abs(across) <= (down + half) / 2))
