"""A picture as a list of marks on a sheet, measured in units of 1/100 inch from its upper left corner.

The sheet is a value: every rendering makes a fresh matplotlib figure from it, so that nothing outlives a
drawing, and threads share no figure. Every property is said here, so that the user's rcParams change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.image import BboxImage
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text as TextArtist
from matplotlib.transforms import Affine2D, Bbox, Transform, TransformedBbox
from numpy.typing import NDArray

from pellucid.draw.letters import LEADING, font_file, legible, width, wrapped
from pellucid.errors import PellucidError

_POINTS = 72 / 100  # points in a unit
_WIDEST = 2200  # device pixels
_ASCENT = 0.93  # of the font's size, above the baseline

Rect = tuple[float, float, float, float]
"""(left, top, right, bottom)"""
Pixels = NDArray[np.uint8]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Words:
    """One line of text; x is its left end, middle or right end, y its baseline. Upright text runs upwards."""

    x: float
    y: float
    text: str
    size: float
    color: str
    bold: bool = False
    align: Align = "left"
    upright: bool = False

    def moved(self, down: float) -> Words:
        """The same, further down."""
        return replace(self, y=self.y + down)

    @property
    def box(self) -> Rect:
        """Where it lies."""
        long = width(self.text, self.size, self.bold)
        back = {"left": 0.0, "center": long / 2, "right": long}[self.align]
        up, down = _ASCENT * self.size, 0.24 * self.size
        if self.upright:
            return self.x - up, self.y - long + back, self.x + down, self.y + back
        return self.x - back, self.y - up, self.x - back + long, self.y + down

    def artist(self, place: Transform, zoom: float = 1.0) -> Artist:
        return TextArtist(
            self.x, self.y, self.text, color=self.color, transform=place,
            fontproperties=FontProperties(
                fname=font_file(self.bold), size=self.size * _POINTS * zoom,
                # An SVG names its font, and says what to take where that is not installed.
                family=["DejaVu Sans", "sans-serif"], weight="bold" if self.bold else "normal",
                style="normal", variant="normal", stretch="normal",
            ),
            horizontalalignment=self.align, verticalalignment="baseline",
            rotation=90 if self.upright else 0, rotation_mode="anchor",
            parse_math=False, usetex=False, antialiased=True,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Photo:
    """Pixels in a rectangle."""

    box: Rect
    pixels: Pixels

    def moved(self, down: float) -> Photo:
        """The same, further down."""
        left, top, right, bottom = self.box
        return replace(self, box=(left, top + down, right, bottom + down))

    def artist(self, place: Transform, zoom: float = 1.0) -> Artist:
        left, top, right, bottom = self.box
        # Rows run downwards, as the sheet does; BboxImage wants the box's corners in the direction of its axes.
        where = TransformedBbox(Bbox([[left, bottom], [right, top]]), place)
        how: Any = {"interpolation": "nearest", "resample": False}
        if zoom != 1:
            how = {"interpolation": "antialiased", "resample": True}
        image = BboxImage(where, origin="lower", **how)
        image.set_data(self.pixels)
        return image


@dataclass(frozen=True)
class Shape:
    """A polygon, filled, outlined or both; `line` is the outline's width in units."""

    points: tuple[tuple[float, float], ...]
    fill: str | None = None
    edge: str | None = None
    line: float = 1.0
    opacity: float = 1.0
    closed: bool = True
    dashes: tuple[float, ...] = ()
    """Lengths of dashes and of gaps, in units; none for a solid line."""

    def moved(self, down: float) -> Shape:
        """The same, further down."""
        return replace(self, points=tuple((x, y + down) for x, y in self.points))

    def artist(self, place: Transform, zoom: float = 1.0) -> Artist:
        return Polygon(
            np.asarray(self.points), closed=self.closed, transform=place, fill=self.fill is not None,
            facecolor=self.fill or "none", edgecolor=self.edge or "none", hatch=None, antialiased=True,
            linewidth=self.line * _POINTS * zoom if self.edge else 0, alpha=self.opacity,
            joinstyle="miter" if self.closed else "round",
            linestyle=(0, tuple(part / self.line for part in self.dashes)) if self.dashes else "solid",
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Region:
    """A filled area with holes: rings (K, 2), outer ones in one direction and holes in the other."""

    rings: tuple[NDArray[np.float64], ...]
    fill: str

    def moved(self, down: float) -> Region:
        """The same, further down."""
        return replace(self, rings=tuple(np.add(ring, (0.0, down)) for ring in self.rings))

    def artist(self, place: Transform, zoom: float = 1.0) -> Artist:
        codes = [[Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY] for ring in self.rings]
        path = Path(np.concatenate(self.rings), np.concatenate(codes))
        return PathPatch(path, transform=place, facecolor=self.fill, edgecolor="none", linewidth=0, antialiased=True)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Many small polygons (P, V, 2), later ones over earlier ones, with their fills (P, 4) and edges (P, 4), 0..1."""

    polygons: NDArray[np.float64]
    fills: NDArray[np.float64]
    edges: NDArray[np.float64]
    lines: NDArray[np.float64]
    """(P,) widths of the edges, in units."""

    def moved(self, down: float) -> Mesh:
        """The same, further down."""
        return replace(self, polygons=np.add(self.polygons, (0.0, down)))

    def artist(self, place: Transform, zoom: float = 1.0) -> Artist:
        return PolyCollection(
            [*self.polygons], closed=True, transform=place, facecolors=self.fills, edgecolors=self.edges,
            linewidths=self.lines * _POINTS * zoom, antialiaseds=True, joinstyle="round", capstyle="round",
        )  # fmt: skip


Mark = Words | Photo | Shape | Region | Mesh


def per_row(count: int, most: int) -> int:
    """How many of `count` things stand in a row: full rows where they make no tower, nine as 3 × 3, else rows of
    nearly one length.
    """
    full = [n for n in range(min(count, most), 0, -1) if count % n == 0 and count // n <= n]
    return full[0] if full else -(-count // -(-count // most))


@dataclass
class Sheet:
    """Marks on paper; later ones cover earlier ones. `density` is device pixels per unit."""

    width: float
    height: float
    paper: str = "#ffffff"
    density: float = 2.0
    marks: list[Mark] = field(default_factory=list)

    @classmethod
    def sized(cls, width: float, paper: str) -> Sheet:
        """A sheet of that width, its height still open; wide ones are less dense, so that files stay small."""
        return cls(float(width), 0.0, paper, min(2.0, _WIDEST / width))

    @classmethod
    def stacked(cls, sheets: Sequence[Sheet]) -> Sheet:
        """One below the other, as wide as the widest and as dense as the least dense."""
        whole = cls(max(one.width for one in sheets), 0.0, sheets[0].paper, min(one.density for one in sheets))
        for one in sheets:
            down = whole.snap(whole.height)
            whole.marks += [mark.moved(down) for mark in one.marks]
            whole.height = down + one.height
        return whole

    def snap(self, value: float) -> float:
        """The nearest edge between device pixels: pictures placed there are shown pixel for pixel."""
        return round(value * self.density) / self.density

    def pixels(self, length: float) -> int:
        """Device pixels in a length."""
        return max(round(length * self.density), 1)

    def photo(self, left: float, top: float, pixels: Pixels) -> Rect:
        """Pixels at their own size, one for one device pixel; returns where they lie."""
        left, top = self.snap(left), self.snap(top)
        box = (left, top, left + pixels.shape[1] / self.density, top + pixels.shape[0] / self.density)
        self.marks.append(Photo(box, pixels))
        return box

    def lines(
        self, x: float, top: float, lines: Sequence[str], size: float, color: str,
        *, bold: bool = False, align: Align = "left",
    ) -> float:  # fmt: skip
        """Lines of text from `top` downwards; returns where they end."""
        for i, line in enumerate(lines):
            baseline = top + i * size * LEADING + _ASCENT * size
            self.marks.append(Words(x, baseline, legible(line, bold), size, color, bold, align))
        return top + len(lines) * size * LEADING

    def paragraph(
        self, x: float, top: float, text: str, size: float, color: str, room: float,
        *, bold: bool = False, align: Align = "left", most: int = 99,
    ) -> float:  # fmt: skip
        """Wrapped text from `top` downwards; returns where it ends."""
        return self.lines(x, top, wrapped(text, size, room, bold=bold, lines=most), size, color, bold=bold, align=align)

    def box(
        self, rect: Rect, *, fill: str | None = None, edge: str | None = None, line: float = 1.0, opacity: float = 1.0
    ) -> None:
        """A rectangle."""
        left, top, right, bottom = rect
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        self.marks.append(Shape(corners, fill, edge, line, opacity))

    def line(self, start: tuple[float, float], end: tuple[float, float], color: str, width: float = 0.7) -> None:
        """A straight line."""
        self.marks.append(Shape((start, end), None, color, width, closed=False))

    def figure(self) -> Figure:
        """A new matplotlib figure of everything on the sheet; it belongs to whoever asked."""
        # Whole device pixels, or pictures would lie between them; a little more, as matplotlib rounds down.
        wide, high = (math.ceil(length * self.density - 1e-6) + 1e-5 for length in (self.width, self.height))
        if max(wide, high) > 2**16 - 1:
            raise PellucidError(f"the picture would be {high:.0f} pixels long: draw fewer at once, result[i] is one")
        figure = Figure(
            figsize=(wide / (100 * self.density), high / (100 * self.density)), dpi=100 * self.density,
            facecolor=self.paper, edgecolor="none", linewidth=0, frameon=True,
        )  # fmt: skip
        self.onto(figure, (0.0, 1.0, self.width * self.density / wide, self.height * self.density / high))
        return figure

    def onto(self, figure: Figure | SubFigure, where: Rect, zoom: float = 1.0) -> None:
        """Everything on the sheet as artists of a figure: `where` are left, top, width and height in shares of it, and
        letters and lines are `zoom` times as large.
        """
        left, top, wide, high = where
        place = Affine2D().scale(wide / self.width, -high / self.height).translate(left, top) + figure.transSubfigure
        for mark in self.marks:
            artist = mark.artist(place, zoom)
            artist.set_sketch_params(None)
            artist.set_path_effects([])
            figure.add_artist(artist)
