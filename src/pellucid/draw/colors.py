"""Numbers into colors: what a map is seen as, how far the colors reach, and the colors themselves.

The diverging colors are made here: lightness falls in equal steps from the neutral middle to both ends (Oklab,
Ottosson 2020), from there blue one way and orange-red the other, which every kind of color vision tells apart.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from pellucid.errors import unknown

Floats = NDArray[np.float64]
STEPS = 513
"""Colors in a table; odd, so that zero has one of its own."""
SCHEMES = ("sober", "vivid")
VIEWS = ("signed", "positive", "negative", "magnitude")


@dataclass(frozen=True)
class Theme:
    """The colors of everything that is no number."""

    paper: str = "#ffffff"
    ink: str = "#1d2430"
    quiet: str = "#667085"
    faint: str = "#d5dae2"
    accent: str = "#3b6fb6"
    dark: bool = False
    warning: str = "#c2410c"
    """Of what a person should look at."""

    @property
    def ground(self) -> Floats:
        """The paper as numbers 0..1."""
        return np.array([int(self.paper[i : i + 2], 16) / 255 for i in (1, 3, 5)])


LIGHT = Theme()
DARK = Theme("#14171c", "#eef1f5", "#98a2b3", "#3a414c", "#7aa7e0", True, "#fb923c")


@functools.cache
def diverging(dark: bool) -> Floats:
    """(513, 3) in 0..1: blue, neutral in the middle, orange-red; lightness symmetric and even."""
    middle, end = (0.22, 0.72) if dark else (0.985, 0.47)
    way = np.linspace(-1, 1, STEPS)
    strength = np.abs(way)
    lightness = middle + (end - middle) * strength
    hue = np.radians(np.where(way > 0, 35.0, 256.0))
    # As strong as screens allow without a kink: where colors leave the screen's gamut an edge would be seen.
    chroma = 0.15 * strength if dark else 0.16 * np.sin(np.pi / 2 * strength**0.9)
    return colored(lightness, chroma, hue)


@functools.cache
def sequential(dark: bool) -> Floats:
    """(513, 3) in 0..1, for magnitudes: from the neutral to violet, which neither sign has; lightness even."""
    way = np.linspace(0, 1, STEPS)
    lightness = 0.22 + 0.6 * way if dark else 0.985 - 0.655 * way
    return colored(
        lightness, (0.13 if dark else 0.17) * np.sin(np.pi / 2 * way**0.8), np.full(STEPS, np.radians(305.0))
    )


@functools.cache
def shining(view: str) -> Floats:
    """(513, 3) in 0..1, the vivid scheme: nothing is dark, much is bright, on any paper. Through red to yellow, through
    blue to cyan, through violet to pink: the signs differ as yellow and blue do, which all color vision tells apart.
    """
    way = np.linspace(0, 1, STEPS // 2 + 1 if view == "signed" else STEPS)
    lightness, chroma = 0.16 + 0.76 * way**0.75, 0.26 * np.sin(np.pi * way**0.8) ** 0.7 + 0.1 * way
    hues = {"positive": (18.0, 105.0), "negative": (268.0, 195.0), "magnitude": (292.0, 355.0)}

    def half(of: str) -> Floats:
        start, end = hues[of]
        return colored(lightness, chroma, np.radians(start + (end - start) * way**1.6))

    return np.concatenate([half("negative")[:0:-1], half("positive")]) if view == "signed" else half(view)


def colored(lightness: Floats, chroma: Floats, hue: Floats) -> Floats:
    """Oklch -> sRGB 0..1; chroma is lowered where the screen has no such color, lightness never changes."""
    found = np.zeros((len(lightness), 3))
    left = np.ones(len(lightness), dtype=bool)
    for part in np.linspace(1, 0, 101):
        linear = _linear(lightness, chroma * part, hue)
        fits = left & ((linear > -1e-6) & (linear < 1 + 1e-6)).all(1)
        found[fits], left = linear[fits], left & ~fits
    found = found.clip(0, 1)
    return np.where(found <= 0.0031308, 12.92 * found, 1.055 * found ** (1 / 2.4) - 0.055)


def _linear(lightness: Floats, chroma: Floats, hue: Floats) -> Floats:
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cone = np.stack([
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    ])  # fmt: skip
    to_rgb = np.array([
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ])  # fmt: skip
    return np.asarray((to_rgb @ cone**3).T)


# Okabe & Ito 2008, without black and with its yellow last: it is faint on white.
COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8c6bb1", "#f0e442")


def distinct(count: int, dark: bool = False) -> tuple[str, ...]:
    """Colors that can be told apart: up to eight also by the color-blind; of more, neighbors differ in lightness."""
    if count <= len(COLORS):
        return COLORS[:count]
    way = np.arange(count)
    lightness = np.array([0.55, 0.75, 0.45])[way % 3] + (0.12 if dark else 0.0)
    found = colored(lightness, np.full(count, 0.14), 2 * np.pi * way / count)
    return tuple("#" + "".join(f"{round(255 * float(part)):02x}" for part in one) for one in found)


def table(view: str, colors: str | None, theme: Theme, scheme: str = "sober") -> Floats:
    """The colors of a view, (513, 3) in 0..1; zero is in the middle for signed, at the beginning otherwise."""
    if colors is not None:
        if colors not in colormaps:
            raise unknown("colors", colors, sorted(colormaps))
        return np.asarray(colormaps[colors].resampled(STEPS)(np.arange(STEPS)))[:, :3]
    if scheme == "vivid":
        return shining(view)
    if view == "magnitude":
        return sequential(theme.dark)
    both, middle = diverging(theme.dark), STEPS // 2
    where = np.linspace(0, 1, STEPS)
    half = {"positive": both[middle:], "negative": both[middle::-1]}.get(view)
    if half is None:
        return both
    return np.stack([np.interp(where, np.linspace(0, 1, len(half)), half[:, c]) for c in range(3)], axis=1)


def viewed(values: NDArray[Any], view: str) -> Floats:
    """The numbers as a view sees them; what is not finite stays so."""
    values = np.asarray(values, dtype=np.float64)
    if view == "positive":
        return np.asarray(np.maximum(values, 0))
    if view == "negative":
        return np.asarray(np.maximum(-values, 0))
    return np.abs(values) if view == "magnitude" else values


@dataclass(frozen=True, eq=False)
class Scale:
    """How numbers become colors: `limit` is where the colors end, zero where nothing is to be seen."""

    limit: float
    view: str
    table: Floats
    clipped: bool = False
    """Whether some numbers lie beyond the colors' end."""
    vivid: bool = False
    """Whether the colors shine, so that what lies under them is darkened."""

    def position(self, values: NDArray[Any]) -> Floats:
        """Viewed numbers as −1..1 (signed) or 0..1; what is not finite as zero."""
        if not self.limit:
            return np.zeros(np.shape(values))
        low = -1.0 if self.view == "signed" else 0.0
        return np.nan_to_num(np.asarray(values, np.float64) / self.limit, nan=0, posinf=1, neginf=low).clip(low, 1)

    def color(self, position: Floats) -> Floats:
        """(..., 3) in 0..1."""
        share = (position + 1) / 2 if self.view == "signed" else position
        return np.asarray(self.table[np.rint(share * (len(self.table) - 1)).astype(int)])


def reach(viewed: Floats, percentile: float) -> float:
    """The percentile of the magnitudes; their largest where that would be nothing, 0 where all are."""
    sizes = np.abs(viewed[np.isfinite(viewed)])
    if not sizes.size:
        return 0.0
    return float(np.percentile(sizes, percentile)) or float(sizes.max())
