"""What methods hand back: raw numbers of a kind, and where they come from. No pictures of them, no autograd graph."""

from pellucid.result.activations import Maps
from pellucid.result.base import Meta, Result, versions
from pellucid.result.guesses import Column, Explanation, Guess, Predictions, Row
from pellucid.result.maps import Heatmap, LabelMap, Panel
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures, Trust
from pellucid.result.table import Table
from pellucid.result.weights import Filters

__all__ = [
    "Column",
    "Explanation",
    "Filters",
    "Guess",
    "Heatmap",
    "LabelMap",
    "Maps",
    "Meta",
    "Panel",
    "Patches",
    "Pictures",
    "Predictions",
    "Result",
    "Row",
    "Table",
    "Trust",
    "versions",
]
