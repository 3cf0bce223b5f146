"""How maps are looked at: the options that all pictures of maps share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.described import Default
from pellucid.draw.colors import DARK, LIGHT, SCHEMES, VIEWS, Floats, Scale, Theme, reach, table, viewed
from pellucid.draw.overlay import SMOOTHINGS, Sampled, Window, alone, overlaid, sampled, seen_box, whole_box
from pellucid.draw.picture import one_of
from pellucid.draw.sheet import Rect, Sheet
from pellucid.draw.words import strongest_cell
from pellucid.errors import PellucidError
from pellucid.geometry import Placement, View
from pellucid.result import Heatmap

_FINE = 4  # pixels from cell to cell: maps finer than this are as noisy as single pixels


@dataclass(frozen=True)
class Look:
    """Options of every picture of a map.

    `view` is what is shown of the numbers: signed, positive, negative or magnitude (by default signed where the
    map is). `scale` is where the colors end: common (the same for all panels), own, or a number. Without a
    number they end at the `percentile` of the magnitudes: 99 for maps of single pixels, 100 for coarser ones.
    `smooth` is what is drawn between the centers of cells: linear, cubic (without overshoot), gaussian (the mean of
    the cells around), or cells; by default gaussian for coarse maps and linear for maps of single pixels. Grainy maps
    of single pixels cannot be seen over a photo: there they are smoothed by a Gaussian of `sigma`.
    """

    view: Annotated[
        Literal["signed", "positive", "negative", "magnitude"] | None,
        Field(description="part of the values that is shown"),
        Default("signed where the map has both signs, else magnitude"),
    ] = None
    scale: Annotated[
        Literal["common", "own"] | float | int,
        Field(description="value at which the colors end: the same for all maps, each map's own, or a number"),
    ] = "common"
    percentile: Annotated[
        float | int | None,
        Field(gt=0, le=100, description="percentile of the magnitudes at which the colors end"),
        Default("99 for maps of single pixels, else 100"),
    ] = None
    opacity: Annotated[float | int, Field(ge=0, le=1, description="opacity of the map over the photo")] = 0.85
    colors: Annotated[
        str | None,
        Field(description="matplotlib colormap of the map"),
        Default("blue to orange-red for signed values, else a single hue"),
    ] = None
    smooth: Annotated[
        Literal["linear", "cubic", "gaussian", "cells"] | None,
        Field(description="what is drawn between the cells of the map"),
        Default("linear for maps of single pixels, else gaussian, σ half a cell"),
    ] = None
    sigma: Annotated[
        float | int | None,
        Field(ge=0, description="σ of the Gaussian that smooths grainy maps over a photo, in pixels of the input"),
        Default("a 28th of the shorter side, 8 at 224; 0: none"),
    ] = None
    scheme: Annotated[
        Literal["sober", "vivid"],
        Field(description="colors: sober lets the photo speak, vivid shines on a darkened one"),
    ] = "sober"
    crop: Annotated[bool, Field(description="show only the part of the image that the network saw")] = False
    field: Annotated[bool, Field(description="outline the receptive field of the strongest cell")] = False
    dark: Annotated[bool, Field(description="draw on a dark background")] = False

    def __post_init__(self) -> None:
        if self.view is not None:
            one_of("view", self.view, VIEWS)
        if isinstance(self.scale, str):
            one_of("scale", self.scale, ("common", "own"))
        elif not _within(self.scale, sys.float_info.max):
            raise PellucidError(f"scale={self.scale}: it must be common, own, or a number above 0 where the colors end")
        if self.percentile is not None and not _within(self.percentile, 100.0):
            raise PellucidError(f"percentile={self.percentile}: it must be a number above 0 and at most 100")
        if self.opacity != 0 and not _within(self.opacity, 1.0):
            raise PellucidError(f"opacity={self.opacity}: it must be a number between 0 and 1")
        if self.sigma is not None and self.sigma != 0 and not _within(self.sigma, sys.float_info.max):
            raise PellucidError(f"sigma={self.sigma}: it must be a number of pixels, or 0 for no smoothing")
        one_of("scheme", self.scheme, SCHEMES)
        if self.smooth is not None:
            one_of("smooth", self.smooth, SMOOTHINGS)
        table("signed", self.colors, self.theme)

    @property
    def theme(self) -> Theme:
        return DARK if self.dark else LIGHT

    def view_of(self, heat: Heatmap) -> str:
        """The view asked for, or the one that hides nothing."""
        return self.view or ("signed" if heat.signed else "magnitude")

    def percentile_of(self, heat: Heatmap) -> float:
        """Where the colors end, in percent of the magnitudes."""
        return float(self.percentile) if self.percentile else (99.0 if fine(heat.placement) else 100.0)

    def smooth_of(self, heat: Heatmap) -> str:
        """What is drawn between cells."""
        return self.smooth or ("linear" if fine(heat.placement) else "gaussian")

    @property
    def palette(self) -> str:
        """Whose colors they are, for the sentence on how to read them."""
        return "own" if self.colors else self.scheme

    def scales(self, heats: Sequence[Heatmap]) -> list[Scale]:
        """One scale for every map (N = 1 each); a common one reaches as far as the furthest map needs."""
        views = [self.view_of(heat) for heat in heats]
        maps = [viewed(heat.values, view) for heat, view in zip(heats, views, strict=True)]
        ends = [reach(one, self.percentile_of(heat)) for one, heat in zip(maps, heats, strict=True)]
        if not isinstance(self.scale, str):
            ends = [float(self.scale)] * len(maps)
        elif self.scale == "common":
            ends = [max(ends, default=0.0)] * len(maps)
        beyond = [_beyond(one, end) for one, end in zip(maps, ends, strict=True)]
        if self.scale != "own":
            beyond = [any(beyond)] * len(maps)
        return [
            Scale(end, view, table(view, self.colors, self.theme, self.scheme), clipped, self.palette == "vivid")
            for end, view, clipped in zip(ends, views, beyond, strict=True)
        ]


def _within(value: Any, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most


def _beyond(values: Floats, end: float) -> bool:
    return bool((np.abs(values[np.isfinite(values)]) > end * (1 + 1e-9)).any())


def fine(placement: Placement) -> bool:
    """Whether the map is one of single pixels, or nearly."""
    return max(placement.jump) < _FINE


def fitted(box: tuple[float, float, float, float], room: tuple[float, float]) -> tuple[float, float]:
    """(height, width) of a rectangle of the picture in a room (height, width), its proportions kept."""
    top, left, bottom, right = box
    factor = min(room[0] / (bottom - top), room[1] / (right - left))
    return (bottom - top) * factor, (right - left) * factor


def frame(view: View, placed: bool, crop: bool) -> tuple[View, tuple[float, float, float, float]]:
    """What a panel shows: the original, or the part of it that was seen; where not `placed`, the network's input."""
    if not placed:
        whole = View.whole(*view.size)
        return whole, whole.box
    return view, (seen_box(view) if crop else whole_box(*view.original))


def panel(
    sheet: Sheet, left: float, top: float, size: tuple[float, float], heat: Heatmap,
    photo: Callable[[Window], Floats] | None, scale: Scale, look: Look, *, placed: bool = True,
) -> Rect:  # fmt: skip
    """One map (N = 1) in a panel of (height, width); `photo(window)` gives what lies under it."""
    view, box = frame(heat.views[0], placed, look.crop)
    window, theme = Window(box, (sheet.pixels(size[0]), sheet.pixels(size[1]))), look.theme
    pixels, shown = pixels_of(heat, photo, scale, look, view, window)
    rect = sheet.photo(left, top, pixels)
    if photo is None:
        sheet.box(rect, edge=theme.faint, line=0.6)
    if not look.crop:
        outline(sheet, rect, window, seen_box(view), theme)
    if not _evidence(shown):
        _silent(sheet, rect, theme)
    elif look.field:
        _field(sheet, rect, window, heat, view, scale)
    return rect


def pixels_of(
    heat: Heatmap, photo: Callable[[Window], Floats] | None, scale: Scale, look: Look, view: View, window: Window
) -> tuple[NDArray[np.uint8], Sampled]:
    """A map (N = 1) as the device pixels of a window, over what `photo(window)` gives, and its numbers there."""
    shown = sampled(viewed(heat.values[0], scale.view), heat.placement, view, window, look.smooth_of(heat))
    if photo is None:
        return alone(shown, scale, look.theme), shown
    return overlaid(photo(window), shown, scale, look.theme, look.opacity), shown


def _evidence(shown: Sampled) -> bool:
    return bool(shown.values[shown.seen].any() or shown.broken.any())


def on_sheet(rect: Rect, window: Window, box: tuple[float, float, float, float]) -> Rect:
    """A rectangle of the picture (top, left, bottom, right: edges) on the sheet, cut to the panel."""
    top, left, bottom, right = window.box
    down, across = (rect[3] - rect[1]) / (bottom - top), (rect[2] - rect[0]) / (right - left)
    return (
        max(rect[0] + (box[1] - left) * across, rect[0]),
        max(rect[1] + (box[0] - top) * down, rect[1]),
        min(rect[0] + (box[3] - left) * across, rect[2]),
        min(rect[1] + (box[2] - top) * down, rect[3]),
    )


def outline(sheet: Sheet, rect: Rect, window: Window, seen: tuple[float, float, float, float], theme: Theme) -> None:
    """A thin frame around what the network saw, unless that is all."""
    shown = on_sheet(rect, window, seen)
    if any(abs(a - b) > 0.5 for a, b in zip(shown, rect, strict=True)):
        sheet.box(shown, edge=theme.ink, line=0.8)


def _field(sheet: Sheet, rect: Rect, window: Window, heat: Heatmap, view: View, scale: Scale) -> None:
    """The receptive field of the strongest cell, as far as it lies on the panel."""
    values: NDArray[Any] = np.abs(viewed(heat.values[0], scale.view))
    i, j = strongest_cell(values)
    rows, columns = heat.placement.centers(*values.shape)
    high, wide = heat.placement.patch
    y, x = float(rows[i]), float(columns[j])
    top, left = view.to_original(y - high / 2, x - wide / 2)
    bottom, right = view.to_original(y + high / 2, x + wide / 2)
    shown = on_sheet(rect, window, (top + 0.5, left + 0.5, bottom + 0.5, right + 0.5))
    if shown == rect:
        return  # as large as the picture or larger: an outline would say no more than the panel's edge
    sheet.box(shown, edge="#000000", line=2.6, opacity=0.55)
    sheet.box(shown, edge="#ffffff", line=1.2)


def _silent(sheet: Sheet, rect: Rect, theme: Theme) -> None:
    """A map of zeros says so."""
    middle, center = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    sheet.box((middle - 40, center - 10, middle + 40, center + 10), fill=theme.paper, edge=theme.faint, opacity=0.9)
    sheet.paragraph(middle, center - 7, "no evidence", 10.5, theme.quiet, 78.0, align="center")
