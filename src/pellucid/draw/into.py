"""Drawings inside a figure of the user's own: `pl.draw(heat, photo, ax=ax)`.

One axes takes one map or one picture, as pixels, for people who lay out a figure themselves. Whatever is more than that
(titles, bars, tables, pages) is a sheet, which a Figure or SubFigure takes whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure, FigureBase, SubFigure
from numpy.typing import NDArray

from pellucid.draw.colors import Scale
from pellucid.draw.heatmaps import Shown, together
from pellucid.draw.look import Look, frame, pixels_of
from pellucid.draw.overlay import Window, originals
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.result import Heatmap, Pictures

Mappable = ScalarMappable
_LEAST, _MOST = 64, 2000  # device pixels of a side


def into_axes(result: Any, over: Any, ax: Any, options: dict[str, Any]) -> Mappable | list[Mappable]:
    """One axes for each map of a Heatmap, or of several, and for each of Pictures. Returns what `figure.colorbar`
    takes, of each: of maps the colors with their numbers, in the map's unit.
    """
    axes = [ax] if isinstance(ax, Axes) else [*np.ravel(np.asarray(ax, dtype=object))]
    if not all(isinstance(one, Axes) for one in axes):
        raise PellucidError(
            f"ax={type(ax).__name__}: give an Axes for each map or picture, or a Figure or SubFigure for a drawing"
        )
    heats = [result] if isinstance(result, (Heatmap, Pictures)) else result
    if isinstance(result, Pictures):
        _as_many(result, len(result), axes)
        for one, pixels, name in zip(axes, result.pixels, result.names, strict=True):
            _picture(one, pixels, name, options)
        found: list[Mappable] = [one.images[-1] for one in axes]
    elif isinstance(heats, (list, tuple)) and all(isinstance(one, Heatmap) for one in heats):
        title = options.pop("title", None)
        maps = [heat[i] for heat in heats for i in range(len(heat))]
        _as_many(result, len(maps), axes)
        look = Look(**options)
        photos: list[NDArray[np.uint8] | None] = [None] * len(maps)
        if over is not None:
            photos = [*originals(over, len(maps), tuple(one.views[0] for one in maps))]
        found = [_map(*one, title, look) for one in zip(axes, together(maps, photos, look), strict=True)]
    else:
        raise PellucidError(
            f"a {type(heats[0] if isinstance(heats, (list, tuple)) else result).__name__} is more than one axes holds: "
            "give a Figure or a SubFigure as ax"
        )
    return found[0] if isinstance(ax, Axes) else found


def into_figure(picture: Picture, figure: FigureBase) -> FigureBase:
    """All of a drawing inside a Figure or SubFigure, as large as fits, its proportions kept."""
    if not isinstance(figure, (Figure, SubFigure)):
        raise PellucidError(f"ax={type(figure).__name__}: give an Axes, a Figure or a SubFigure")
    place(picture.sheet, figure)
    return figure


def place(sheet: Sheet, figure: Figure | SubFigure) -> None:
    """The marks of a sheet as artists of a figure."""
    box = figure.bbox
    inch = 100 / figure.get_dpi()  # units of a sheet in one device pixel
    zoom = min(box.width * inch / sheet.width, box.height * inch / sheet.height)
    wide, high = zoom * sheet.width / (box.width * inch), zoom * sheet.height / (box.height * inch)
    sheet.onto(figure, (0.5 - wide / 2, 0.5 + high / 2, wide, high), zoom)


def _as_many(result: Any, count: int, axes: Sequence[Any]) -> None:
    if count != len(axes):
        each = "picture" if isinstance(result, Pictures) else "map"
        raise PellucidError(
            f"{count} {each}{'s' * (count != 1)} and {len(axes)} axes: give one Axes for each, result[i] for one of "
            "them, or a Figure or SubFigure for all of the drawing"
        )


def _map(ax: Axes, shown: Shown, title: str | None, look: Look) -> Mappable:
    heat, photo = shown.heat, shown.photo
    view, (top, left, bottom, right) = frame(heat.views[0], photo is not None, look.crop)
    room = ax.get_window_extent()
    shape = [int(np.clip(round(one), _LEAST, _MOST)) for one in (room.height, room.width)]
    factor = min(shape[0] / (bottom - top), shape[1] / (right - left))
    window = Window((top, left, bottom, right), (round((bottom - top) * factor), round((right - left) * factor)))
    pixels, _ = pixels_of(heat, shown.under(look), shown.scale, look, view, window)
    # In pixels of the photo, or of the network's input: whoever draws more into these axes counts in them.
    ax.imshow(pixels, extent=(left - 0.5, right - 0.5, bottom - 0.5, top - 0.5), interpolation="antialiased")
    _bare(ax, heat.meta.target or "" if title is None else title)
    return mappable(shown.scale, heat.unit)


def mappable(scale: Scale, unit: str) -> Mappable:
    """The colors of a scale with their numbers, for `figure.colorbar`."""
    limit = scale.limit or 1.0
    norm = Normalize(-limit if scale.view == "signed" else 0.0, limit)
    found = ScalarMappable(norm, ListedColormap(scale.table, name=unit or "pellucid"))
    found.set_array(np.array([norm.vmin, norm.vmax]))
    return found


def _picture(ax: Axes, pixels: NDArray[np.uint8], name: str, options: dict[str, Any]) -> None:
    colors = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1].repeat(3, axis=-1)
    ax.imshow(colors, interpolation="antialiased")
    title = options.get("title")
    _bare(ax, name if title is None else title)


def _bare(ax: Axes, title: str) -> None:
    ax.set_axis_off()
    if title and not ax.get_title():
        ax.set_title(title)
