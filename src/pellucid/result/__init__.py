"""What methods hand back: raw numbers of a kind, and where they come from. No pictures of them, no autograd graph."""

from pellucid.result.activations import Maps
from pellucid.result.atlas import Atlas
from pellucid.result.base import Asked, Meta, Result, version_of, versions
from pellucid.result.colours import Colours, Hues
from pellucid.result.fields import Fields
from pellucid.result.guesses import Column, Explanation, Guess, Predictions, Row
from pellucid.result.maps import Heatmap, LabelMap, Panel
from pellucid.result.neighbours import Neighbours
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures, Trust
from pellucid.result.places import Places
from pellucid.result.projections import Projections
from pellucid.result.study import Region, Strip, Study
from pellucid.result.table import Table
from pellucid.result.unit_page import UnitPage
from pellucid.result.weights import Filters

__all__ = [
    "Asked",
    "Atlas",
    "Colours",
    "Column",
    "Explanation",
    "Fields",
    "Filters",
    "Guess",
    "Heatmap",
    "Hues",
    "LabelMap",
    "Maps",
    "Meta",
    "Neighbours",
    "Panel",
    "Patches",
    "Pictures",
    "Places",
    "Predictions",
    "Projections",
    "Region",
    "Result",
    "Row",
    "Strip",
    "Study",
    "Table",
    "Trust",
    "UnitPage",
    "version_of",
    "versions",
]
