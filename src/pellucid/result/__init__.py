"""What methods hand back: raw numbers of a kind, and where they come from. No pictures of them, no autograd graph."""

from pellucid.result.activations import ActivationMaps
from pellucid.result.atlas import Atlas
from pellucid.result.base import Asked, Meta, Result, version_of, versions
from pellucid.result.colors import ColorSelectivity, LayerColors
from pellucid.result.embedding import Embedding2D
from pellucid.result.maps import Heatmap, LabelMap, Panel
from pellucid.result.neighbors import Neighbors
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures, Trust
from pellucid.result.predictions import Column, Explanation, Prediction, Predictions, Row
from pellucid.result.projections import Projections
from pellucid.result.receptive import ReceptiveFields
from pellucid.result.report import Overlap, PatchRow, Report
from pellucid.result.table import Table
from pellucid.result.unit_page import UnitPage
from pellucid.result.weights import Filters

__all__ = [
    "ActivationMaps",
    "Asked",
    "Atlas",
    "ColorSelectivity",
    "Column",
    "Embedding2D",
    "Explanation",
    "Filters",
    "Heatmap",
    "LabelMap",
    "LayerColors",
    "Meta",
    "Neighbors",
    "Overlap",
    "Panel",
    "PatchRow",
    "Patches",
    "Pictures",
    "Prediction",
    "Predictions",
    "Projections",
    "ReceptiveFields",
    "Report",
    "Result",
    "Row",
    "Table",
    "Trust",
    "UnitPage",
    "version_of",
    "versions",
]
