"""Results into pictures: `pellucid.draw(result)`. Knows results and pictures, and no network."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pellucid.draw.drawings import checked, drawing, drawing_of
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture

__all__ = ["Look", "Picture", "draw", "drawing"]


def draw(result: Any, over: Any = None, **options: Any) -> Picture:
    """Draw a result: a Heatmap (or a list of them, side by side), an Explanation (or a list), or any other kind.

    `over` are the pictures the result was made of: maps are laid over the originals, and without it they are
    drawn on their own. The options are those of `Look` for heatmaps, besides `title` and `dark`.
    Raises PellucidError for a kind that has no picture, an unknown option, or pictures that do not fit.
    """
    drawn = drawing_of(result)
    first = result[0] if isinstance(result, (list, tuple)) else result
    return drawn(result, over, **checked(drawn, type(first).__name__, options))


class _Callable(ModuleType):
    """`pl.draw(result)` is what people want to write, but `pellucid.draw` is also this package, and importing any
    part of it puts the package under that name. A module looks up `__call__` on its class only: hence this one.
    """

    def __call__(self, result: Any, over: Any = None, **options: Any) -> Picture:
        return draw(result, over, **options)


sys.modules[__name__].__class__ = _Callable
