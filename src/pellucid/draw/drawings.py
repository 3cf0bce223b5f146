"""Which drawing is whose: each declares the kind of result that it draws, in its own file.

    @drawing(Heatmap)
    def draw_heatmap(result, over=None, *, title=None, dark=False) -> Picture: ...

Another package names its function in the entry points `pellucid.drawings`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.plugins import DRAWINGS
from pellucid.result import Result

D = TypeVar("D", bound=Callable[..., Picture])


def drawing(kind: type[Result], *, several: bool = False) -> Callable[[D], D]:
    """Declare the function that draws a kind of result, and kinds derived from it; with `several`, lists of them."""
    return DRAWINGS.declare(kind, several=several)


def _one_below_the_other(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Of a kind whose drawings say nothing of several: each by itself, in one picture."""

    @functools.wraps(draw)
    def drawn(results: Any, over: Any = None, **options: Any) -> Picture:
        pictures = [draw(one, over, **options) for one in results]
        sheet = Sheet.stacked([picture.sheet for picture in pictures])
        return Picture(sheet, " ".join(picture.alt for picture in pictures), pictures[0].about)

    return drawn


def drawing_of(result: Any) -> Callable[..., Picture]:
    """The function that draws this result, or this list of results of one kind.

    Raises PellucidError where there is none, or where the package that adds it cannot be imported.
    """
    several = isinstance(result, (list, tuple))
    first = result[0] if several and result else result
    shared = [kind for kind in type(first).__mro__ if issubclass(kind, Result)
              and (not several or all(isinstance(one, kind) for one in result))]  # fmt: skip
    for form in ("list of {}", "{}") if several else ("{}",):
        for kind in shared:
            if DRAWINGS.has(name := form.format(kind.__name__)):
                found: Callable[..., Picture] = DRAWINGS.get(name)
                return _one_below_the_other(found) if several and form == "{}" else found
    what = f"{type(result).__name__} of {type(first).__name__}" if first is not result else type(result).__name__
    kinds = ", ".join(row.name for row in DRAWINGS.rows())
    raise PellucidError(f"no picture for a {what}: these can be drawn: {kinds}")
