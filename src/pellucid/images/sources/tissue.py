"""Graded tissue: generated tiles that look stained, whose grade sets what can be counted in them. No patient's tissue.

Light that passes a stained section is dimmed by what the stains absorb (Beer and Lambert), each with a color of its own
(Ruifrok & Johnston 2001): nuclei hold hematoxylin, everything else eosin. So both are drawn as amounts of stain, and
the amounts are read back from any picture of the same stains, also from one that a network has dreamed up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from scipy import ndimage

from pellucid.errors import BadImage
from pellucid.images import Images
from pellucid.images.sources import Source, source
from pellucid.rng import generator

_STAINS = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]])
"""Absorption of hematoxylin, of eosin and of what is left, for red, green and blue (Ruifrok & Johnston 2001)."""
_COLORS = _STAINS / np.linalg.norm(_STAINS, axis=1, keepdims=True)
_NUCLEUS, _SMALLEST, _SLACK = 0.36, 9, 0.5
"""Hematoxylin above which a pixel is a nucleus, pixels of the smallest, and how far pixels reach past an outline."""


@dataclass(frozen=True)
class Grade:
    """What a grade sets: nuclei in 1,000 pixels, their mean radius in pixels, how much longer than wide they are, how
    dark, and the share of the tissue that lies in round glands.
    """

    density: float
    radius: float
    elongation: float
    stain: float
    glands: float


GRADES: Mapping[int, Grade] = {
    1: Grade(2.2, 2.7, 1.1, 0.62, 0.85),
    2: Grade(3.0, 3.3, 1.35, 0.74, 0.45),
    3: Grade(3.8, 3.9, 1.65, 0.88, 0.1),
    4: Grade(4.6, 4.6, 1.95, 1.05, 0.0),
}
"""What is drawn for each grade, from nearly normal to the worst."""
NAMES = tuple(f"grade {grade}" for grade in GRADES)


@dataclass(frozen=True, eq=False)
class Tissue:
    """A piece of tissue: `picture` (H, W, 3), `nuclei` (H, W) with the number of each nucleus from 1 and 0 elsewhere,
    `glands` (H, W) where their hollows are, `grades` (H, W) of each place, 0 where there is no tissue.
    """

    picture: UInt8[np.ndarray, "h w 3"]
    nuclei: Int[np.ndarray, "h w"]
    glands: Bool[np.ndarray, "h w"]
    grades: Int[np.ndarray, "h w"]


def tile(grade: int, number: int, side: int = 64, seed: int = 0) -> Tissue:
    """Tile `number` of a grade 1 … 4: the same for the same four numbers, and no other tile depends on it."""
    if grade not in GRADES:
        raise BadImage(f"grade={grade}: tissue has the grades {', '.join(map(str, GRADES))}")
    if not 16 <= side <= 2048:
        raise BadImage(f"side={side}: a tile has from 16 to 2,048 pixels")
    return _drawn(np.full((side, side), grade), generator(seed, "tissue", grade, number))


def slide(number: int = 0, side: int = 768, seed: int = 0, regions: int = 10) -> Tissue:
    """A slide: tissue with an uneven edge on white glass, with regions of all grades whose places are known."""
    if not 128 <= side <= 8192:
        raise BadImage(f"side={side}: a slide has from 128 to 8,192 pixels")
    chance = generator(seed, "slide", number)
    points = chance.uniform(0.1, 0.9, (regions, 2)) * side
    kinds = np.concatenate([list(GRADES), chance.integers(1, len(GRADES) + 1, max(regions - len(GRADES), 0))])[:regions]
    y, x = np.mgrid[:side, :side]
    bend = _clouds(chance, (side, side), side / 12) * side / 14
    distance = np.stack([np.hypot(y + bend - at[0], x - bend - at[1]) for at in points])
    grades = kinds[distance.argmin(0)]
    middle = np.hypot((y - side / 2) * 1.05, (x - side / 2) * 0.95) / (side / 2)
    grades = np.where(middle + 0.22 * _clouds(chance, (side, side), side / 10) < 0.9, grades, 0)
    return _drawn(grades, chance)


def stains(picture: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 2"]:
    """How much hematoxylin and eosin lie at each pixel of any picture of stained tissue, from its colors alone."""
    light = -np.log((np.asarray(picture, np.float64) + 1) / 256)
    return np.asarray((light @ np.linalg.inv(_COLORS))[..., :2])


def counted(picture: UInt8[np.ndarray, "h w 3"]) -> dict[str, float]:
    """Nuclei of a picture, counted by their stain alone: `density` in 1,000 pixels, `area` in pixels (the mean),
    `elongation` (the mean ratio of the axes), `cover` the share of pixels in nuclei, and `stain` the mean amount of
    hematoxylin over all pixels. Of nuclei that touch each thick place counts as one; 0 of all where there is none.
    """
    stained = stains(picture)[..., 0]
    labels, found = ndimage.label(ndimage.gaussian_filter(stained, 0.7) > _NUCLEUS)
    areas = np.bincount(labels.ravel(), minlength=found + 1)
    areas[0] = 0
    inside = areas[labels] >= _SMALLEST
    deep = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside), 0.8)
    count = int(ndimage.label((deep == ndimage.maximum_filter(deep, 5)) & inside)[1])
    single = [labels[part] == k + 1 for k, part in enumerate(ndimage.find_objects(labels)) if areas[k + 1] >= _SMALLEST]
    return {
        "density": 1000 * count / labels.size,
        "area": float(inside.sum() / count) if count else 0.0,
        "elongation": float(np.mean([_elongation(one) for one in single])) if single else 1.0,
        "cover": float(inside.mean()),
        "stain": float(stained.mean()),
    }


def _elongation(inside: Bool[np.ndarray, "h w"]) -> float:
    """The ratio of the axes of the ellipse that has the same second moments, those of a pixel added."""
    at = np.argwhere(inside).astype(np.float64)
    low, high = np.linalg.eigvalsh(np.cov(at.T) + np.eye(2) / 12)
    return float(np.sqrt(high / low))


def _drawn(grades: Int[np.ndarray, "h w"], chance: np.random.Generator) -> Tissue:
    """Tissue of these grades: fibers, glands, then nuclei, as amounts of both stains; then light through them."""
    shape = grades.shape
    eosin = 0.42 + 0.1 * _clouds(chance, shape, 7) + 0.06 * _fibers(chance, shape)
    hematoxylin = np.full(shape, 0.05)
    glands, rims = _glands(grades, chance)
    pale = ndimage.gaussian_filter(glands.astype(np.float64), 0.8)
    eosin = eosin * (1 - pale) + 0.06 * pale
    nuclei = np.zeros(shape, np.int64)
    for k, (center, grade) in enumerate(_places(grades, glands, rims, chance)):
        _nucleus((hematoxylin, eosin, nuclei), k + 1, center, GRADES[grade], chance)
    bare = grades == 0
    hematoxylin[bare], eosin[bare], nuclei[bare] = 0.0, 0.0, 0
    amounts = np.stack([hematoxylin, eosin], -1) * (1 + 0.05 * _clouds(chance, shape, 20))[..., None]
    light = 255 * np.exp(-np.einsum("hws,sc->hwc", amounts.clip(0), _COLORS[:2]))
    light += chance.normal(0, 2.0, light.shape)
    return Tissue(np.rint(light.clip(0, 255)).astype(np.uint8), nuclei, glands & ~bare, grades)


def _clouds(chance: np.random.Generator, shape: tuple[int, ...], width: float) -> Float[np.ndarray, "h w"]:
    """Smooth noise of mean 0 and deviation 1; wide waves are made of fewer numbers."""
    coarse = max(int(width / 3), 1)
    few = tuple(-(-length // coarse) + 1 for length in shape)
    found = ndimage.gaussian_filter(chance.normal(size=few), width / coarse, mode="wrap")
    found = ndimage.zoom(found, coarse, order=1)[: shape[0], : shape[1]]
    return np.asarray((found - found.mean()) / max(float(found.std()), 1e-12))


def _fibers(chance: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "h w"]:
    """Wavy lines in one main direction."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    turn = chance.uniform(0, np.pi)
    along = x * np.cos(turn) + y * np.sin(turn)
    return np.asarray(np.sin(2 * np.pi * along / chance.uniform(6, 10) + 1.5 * _clouds(chance, shape, 9)))


def _glands(
    grades: Int[np.ndarray, "h w"], chance: np.random.Generator
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """(hollows, the rims around them on which nuclei sit), as often as the grade of their middle has them."""
    hollow, rim = np.zeros(grades.shape, bool), np.zeros(grades.shape, bool)
    y, x = np.mgrid[: grades.shape[0], : grades.shape[1]]
    for _ in range(max(round(grades.size / 1400), 1)):
        middle = chance.uniform(0, 1, 2) * grades.shape
        grade = int(grades[int(middle[0]), int(middle[1])])
        radius, wanted = chance.uniform(7, 11), chance.uniform()
        if not grade or wanted >= GRADES[grade].glands:
            continue
        top, left = (max(int(at - 3 * radius), 0) for at in middle)
        part = slice(top, int(middle[0] + 3 * radius)), slice(left, int(middle[1] + 3 * radius))
        away = np.hypot(y[part] - middle[0], x[part] - middle[1]) / radius
        if rim[part][away < 1.4].any():
            continue
        hollow[part] |= away < 0.75
        rim[part] |= (away >= 0.75) & (away < 1.4)
    return hollow, rim & ~hollow


def _places(
    grades: Int[np.ndarray, "h w"], glands: Bool[np.ndarray, "h w"], rims: Bool[np.ndarray, "h w"],
    chance: np.random.Generator,
) -> list[tuple[tuple[float, float], int]]:  # fmt: skip
    """Where nuclei lie, apart from one another: as many as the grade of each place has; around a gland on its rim."""
    tries = max(round(grades.size * 0.02), 1)
    at = chance.uniform(0, 1, (tries, 2)) * grades.shape
    wanted, lucky = dict.fromkeys(GRADES, 0.0), chance.uniform(size=tries)
    found: list[tuple[tuple[float, float], int]] = []
    taken = np.zeros(grades.shape, bool)
    for grade in GRADES:
        wanted[grade] = GRADES[grade].density * float((grades == grade).sum()) / 1000
    for (y, x), luck in zip(at.tolist(), lucky.tolist(), strict=True):
        grade = int(grades[int(y), int(x)])
        if not grade or wanted[grade] < 1 or glands[int(y), int(x)] or taken[int(y), int(x)]:
            continue
        if not rims[int(y), int(x)] and luck < 0.8 * GRADES[grade].glands:  # most lie around glands, where there are
            continue
        apart = 1.85 * GRADES[grade].radius
        low, left = max(int(y - apart), 0), max(int(x - apart), 0)
        taken[low : int(y + apart) + 1, left : int(x + apart) + 1] = True
        wanted[grade] -= 1
        found.append(((y, x), grade))
    return found


def _nucleus(
    layers: tuple[np.ndarray, np.ndarray, np.ndarray], number: int, center: tuple[float, float], grade: Grade,
    chance: np.random.Generator,
) -> None:  # fmt: skip
    """Draw one into hematoxylin, eosin and numbers: an ellipse with grains in it and a darker outline."""
    hematoxylin, eosin, nuclei = layers
    size, turn = grade.radius * chance.uniform(0.85, 1.15), chance.uniform(0, np.pi)
    longer = grade.elongation * chance.uniform(0.92, 1.08)
    long, short = size * np.sqrt(longer), size / np.sqrt(longer)
    reach = int(long) + 3
    top, left = max(int(center[0]) - reach, 0), max(int(center[1]) - reach, 0)
    part = slice(top, int(center[0]) + reach + 1), slice(left, int(center[1]) + reach + 1)
    y, x = np.indices(hematoxylin[part].shape, dtype=np.float64)
    y, x = y + top - center[0], x + left - center[1]
    a, b = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    away = np.hypot(a / long, b / short)
    soft = (1 + np.exp((away - 1) * short * 3)) ** -1.0
    grain = 1 + 0.16 * chance.normal(size=away.shape) + 0.18 * np.exp(-(((away - 0.85) / 0.16) ** 2))
    amount = grade.stain * chance.uniform(0.9, 1.1) * soft * grain
    hematoxylin[part] = np.maximum(hematoxylin[part], amount)
    eosin[part] *= 1 - 0.55 * soft
    nuclei[part] = np.where(away <= 1 + _SLACK / short, number, nuclei[part])


@source("tissue", written="tissue, generated tiles in four grades (tissue:COUNT,SIDE,SEED)", alone=True)
class GradedTissue(Source):
    """Tiles of all four grades in turn: `tissue`, or `tissue:400,64,1` for 400 tiles of 64 pixels with seed 1."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        usual = {"COUNT": 200, "SIDE": 64, "SEED": 0}
        parts = [one.strip() for one in place.split(",")] if place.strip() else []
        if len(parts) > len(usual) or not all(one.isdecimal() and len(one) < 10 for one in parts):
            raise BadImage(f"'tissue:{place}': write tissue:COUNT,SIDE,SEED in whole numbers, as in tissue:200,64,0")
        self.count, self.side, self.seed = {**usual, **dict(zip(usual, map(int, parts), strict=False))}.values()
        if not 1 <= self.count <= 10**6 or not 16 <= self.side <= 2048:
            raise BadImage(f"'tissue:{place}': from 1 to 1,000,000 tiles of 16 to 2,048 pixels")

    @property
    def classes(self) -> tuple[str, ...]:
        return NAMES

    def __len__(self) -> int:
        return self.count

    def name(self, i: int) -> str:
        return f"grade {i % len(GRADES) + 1}/{i // len(GRADES):06d}-{self.side}-{self.seed}"

    def label(self, i: int) -> int | None:
        return i % len(GRADES)

    def tissue(self, i: int) -> Tissue:
        """Tile i with its masks."""
        return tile(i % len(GRADES) + 1, i // len(GRADES), self.side, self.seed)

    def read(self, i: int) -> Images:
        picture = torch.from_numpy(self.tissue(i).picture).permute(2, 0, 1).contiguous()
        return Images.from_pictures([picture], [self.name(i)])

    @cached_property
    def identity(self) -> str:
        """By what the first tile looks like, too: the tiles of another version may be others."""
        return f"{super().identity} {self.fetch(0)[1]:x}"
