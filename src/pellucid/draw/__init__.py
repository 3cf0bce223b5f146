"""Results into pictures: `pellucid.draw(result)`. Knows results and pictures, and no network."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import fields
from types import ModuleType
from typing import Any

from pellucid.draw.contact import draw_contact
from pellucid.draw.explanation import draw_explanation
from pellucid.draw.heatmaps import draw_heatmaps
from pellucid.draw.labels import draw_labels
from pellucid.draw.look import Look
from pellucid.draw.panels import draw_panel
from pellucid.draw.picture import Picture
from pellucid.draw.predictions import draw_predictions
from pellucid.errors import PellucidError, unknown
from pellucid.result import Explanation, Heatmap, LabelMap, Panel, Predictions

__all__ = ["Look", "Picture", "draw"]

_KINDS: dict[type, Callable[..., Picture]] = {
    Heatmap: lambda heat, over, **options: draw_heatmaps([heat], over, **options),
    LabelMap: draw_labels,
    Panel: draw_panel,
    Predictions: draw_predictions,
    Explanation: draw_explanation,
}
_OPTIONS: dict[type, Callable[..., Picture]] = {
    Heatmap: draw_heatmaps,
    LabelMap: draw_labels,
    Panel: draw_panel,
    Predictions: draw_predictions,
    Explanation: draw_explanation,
}


def draw(result: Any, over: Any = None, **options: Any) -> Picture:
    """Draw a Heatmap (or a list of them, side by side), LabelMap, Panel, Predictions or Explanation (or a list).

    `over` are the pictures the result was made of: maps are laid over the originals, and without it they are
    drawn on their own. The options are those of `Look` for maps, besides `title` and `dark`.
    Raises PellucidError for a kind that has no picture, an unknown option, or pictures that do not fit.
    """
    if isinstance(result, (list, tuple)) and result and all(isinstance(one, Heatmap) for one in result):
        return draw_heatmaps(result, over, **_checked(Heatmap, options))
    if isinstance(result, (list, tuple)) and result and all(isinstance(one, Explanation) for one in result):
        return draw_contact(result, over, **options)
    for kind, drawn in _KINDS.items():
        if isinstance(result, kind):
            return drawn(result, over, **_checked(kind, options))
    kinds = ", ".join(kind.__name__ for kind in _KINDS)
    raise PellucidError(f"no picture for a {type(result).__name__}: these can be drawn: {kinds}, and lists of Heatmaps")


def _checked(kind: type, options: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(_OPTIONS[kind]).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        known += [one.name for one in fields(Look)]
    for name in options:
        if name not in known:
            raise unknown(f"option of draw for a {kind.__name__}", name, known)
    return options


class _Callable(ModuleType):
    """`pl.draw(result)` is what people want to write, but `pellucid.draw` is also this package, and importing any
    part of it puts the package under that name. A module looks up `__call__` on its class only: hence this one.
    """

    def __call__(self, result: Any, over: Any = None, **options: Any) -> Picture:
        return draw(result, over, **options)


sys.modules[__name__].__class__ = _Callable
