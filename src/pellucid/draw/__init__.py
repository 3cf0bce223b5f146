"""Results into pictures: `pellucid.draw(result)`. Knows results and pictures, and no network."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

from pydantic.fields import FieldInfo

from pellucid.draw.drawings import drawing, drawing_of
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.view import options_of
from pellucid.errors import BadPlugin, unknown
from pellucid.plugins import DRAWINGS, RESULTS

__all__ = ["Look", "Picture", "draw", "drawing", "kinds", "view_options"]


def draw(result: Any, over: Any = None, *, ax: Any = None, **options: Any) -> Any:
    """Draw a result: a Heatmap (or a list of them, side by side), an Explanation (or a list), or any other kind.

    `over` are the pictures the result was made of: maps are laid over the originals, and without it they are
    drawn on their own. The options are those of `Look` for heatmaps, besides `title` and `dark`.

    Returns a Picture; with `ax`, a part of a matplotlib figure of your own, what was drawn there. An Axes takes one map
    or one of Pictures, a list of Axes as many (returned are the colors, for `figure.colorbar`); a Figure or SubFigure
    takes all of any drawing, as large as fits (and is returned).
    Raises PellucidError for a kind that has no picture, an unknown option, pictures that do not fit, or more maps than
    axes.
    """
    drawn = drawing_of(result)
    first = result[0] if isinstance(result, (list, tuple)) else result
    known = options_of(drawn)
    for name in options:
        if name not in known:
            raise unknown(f"option of draw for a {type(first).__name__}", name, known)
    if ax is None:
        return drawn(result, over, **options)
    from matplotlib.figure import FigureBase

    from pellucid.draw.into import into_axes, into_figure

    if isinstance(ax, FigureBase):
        return into_figure(drawn(result, over, **options), ax)
    return into_axes(result, over, ax, options)


def kinds() -> tuple[type, ...]:
    """Every kind of result that can be drawn. What a package adds and cannot be imported is left out."""
    found = []
    for row in DRAWINGS.rows():
        if not row.said.get("several"):
            with suppress(BadPlugin):
                DRAWINGS.load(row)
                found.append(RESULTS.get(row.name))
    return tuple(found)


def view_options(kind: type) -> dict[str, FieldInfo]:
    """The options of drawing a result of that kind, with their types, defaults and descriptions; of several
    explanations drawn as one, those of a list.
    """
    return options_of(DRAWINGS.get("list of Explanation" if kind is list else kind.__name__))


class _Callable(ModuleType):
    """`pl.draw(result)` is what people want to write, but `pellucid.draw` is also this package, and importing any
    part of it puts the package under that name. A module looks up `__call__` on its class only: hence this one.
    """

    def __call__(self, result: Any, over: Any = None, **options: Any) -> Any:
        return draw(result, over, **options)


sys.modules[__name__].__class__ = _Callable
