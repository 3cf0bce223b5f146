"""Results into pictures: `pellucid.draw(result)`. Knows results and pictures, and no network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pydantic.fields import FieldInfo

from pellucid.draw.atlases import draw_atlas
from pellucid.draw.contact import draw_contact
from pellucid.draw.explanation import draw_explanation
from pellucid.draw.filters import draw_filters
from pellucid.draw.heatmaps import draw_heatmaps
from pellucid.draw.hues import draw_hues
from pellucid.draw.labels import draw_labels
from pellucid.draw.look import Look
from pellucid.draw.maps import draw_maps
from pellucid.draw.neighbours import draw_neighbours
from pellucid.draw.panels import draw_panel
from pellucid.draw.patches import draw_patches
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import draw_pictures
from pellucid.draw.places import draw_places
from pellucid.draw.predictions import draw_predictions
from pellucid.draw.projections import draw_projections
from pellucid.draw.receptive import draw_fields
from pellucid.draw.studies import draw_study
from pellucid.draw.tables import draw_table
from pellucid.draw.unit_pages import draw_unit_page
from pellucid.draw.view import options_of
from pellucid.errors import PellucidError, unknown
from pellucid.result import (
    Atlas,
    Colours,
    Explanation,
    Fields,
    Filters,
    Heatmap,
    LabelMap,
    Maps,
    Neighbours,
    Panel,
    Patches,
    Pictures,
    Places,
    Predictions,
    Projections,
    Study,
    Table,
    UnitPage,
)

__all__ = ["Look", "Picture", "draw", "kinds", "view_options"]

_KINDS: dict[type, Callable[..., Picture]] = {
    Heatmap: draw_heatmaps,
    LabelMap: draw_labels,
    Panel: draw_panel,
    Predictions: draw_predictions,
    Explanation: draw_explanation,
    Pictures: draw_pictures,
    Places: draw_places,
    Neighbours: draw_neighbours,
    Atlas: draw_atlas,
    Patches: draw_patches,
    Colours: draw_hues,
    Fields: draw_fields,
    Filters: draw_filters,
    Maps: draw_maps,
    Table: draw_table,
    Projections: draw_projections,
    Study: draw_study,
    UnitPage: draw_unit_page,
}


def draw(result: Any, over: Any = None, **options: Any) -> Picture:
    """Draw a result: a Heatmap (or a list of them, side by side), an Explanation (or a list), or any other kind.

    `over` are the pictures the result was made of: maps are laid over the originals, and without it they are
    drawn on their own. The options are those of `Look` for heatmaps, besides `title` and `dark`.
    Raises PellucidError for a kind that has no picture, an unknown option, or pictures that do not fit.
    """
    if isinstance(result, (list, tuple)) and result and all(isinstance(one, Heatmap) for one in result):
        return draw_heatmaps(result, over, **_checked(Heatmap, options))
    if isinstance(result, (list, tuple)) and result and all(isinstance(one, Explanation) for one in result):
        return draw_contact(result, over, **options)
    for kind, drawn in _KINDS.items():
        if isinstance(result, kind):
            return drawn([result] if kind is Heatmap else result, over, **_checked(kind, options))
    kinds = ", ".join(kind.__name__ for kind in _KINDS)
    raise PellucidError(f"no picture for a {type(result).__name__}: these can be drawn: {kinds}, and lists of Heatmaps")


def kinds() -> tuple[type, ...]:
    """Every kind of result that can be drawn."""
    return tuple(_KINDS)


def view_options(kind: type) -> dict[str, FieldInfo]:
    """The options of drawing a result of that kind, with their types, defaults and descriptions; of several
    explanations drawn as one, those of a list.
    """
    return options_of(draw_contact if kind is list else _KINDS[kind])


def _checked(kind: type, given: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in view_options(kind):
            raise unknown(f"option of draw for a {kind.__name__}", name, view_options(kind))
    return given


class _Callable(ModuleType):
    """`pl.draw(result)` is what people want to write, but `pellucid.draw` is also this package, and importing any
    part of it puts the package under that name. A module looks up `__call__` on its class only: hence this one.
    """

    def __call__(self, result: Any, over: Any = None, **options: Any) -> Picture:
        return draw(result, over, **options)


sys.modules[__name__].__class__ = _Callable
