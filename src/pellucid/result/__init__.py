"""What methods hand back: raw numbers of a kind, and where they come from. No pictures of them, no autograd graph."""

from pellucid.result.activations import ActivationMaps
from pellucid.result.atlas import Atlas
from pellucid.result.audit import Audit, Finding, Looked
from pellucid.result.base import Asked, Meta, Result, version_of, versions
from pellucid.result.blocks import BlockLayer, Blocks
from pellucid.result.captions import Captions
from pellucid.result.cases import Cases
from pellucid.result.checks import Check
from pellucid.result.colors import ColorSelectivity, LayerColors
from pellucid.result.curve import Curve, Line, Mark
from pellucid.result.decision_tree import DecisionTree, Parting
from pellucid.result.embedding import Embedding2D
from pellucid.result.grid import Grid
from pellucid.result.maps import Heatmap, LabelMap, Panel
from pellucid.result.mistakes import Mistakes
from pellucid.result.neighbors import Neighbors
from pellucid.result.pair import Pair
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures, Trust
from pellucid.result.predictions import Column, Explanation, Prediction, Predictions, Row
from pellucid.result.projections import Projections
from pellucid.result.prototypes import Group, Prototypes
from pellucid.result.receptive import ReceptiveFields
from pellucid.result.report import Overlap, PatchRow, Report
from pellucid.result.review import Review, ReviewedCluster
from pellucid.result.spectrum import Estimate, Spectrum
from pellucid.result.study import Study
from pellucid.result.surface import Axis, Placed, Surface
from pellucid.result.suspects import Suspects
from pellucid.result.table import Table
from pellucid.result.tour import Tour, TourLayer, Walk
from pellucid.result.unit_page import UnitPage
from pellucid.result.weights import Filters

__all__ = [
    "ActivationMaps",
    "Asked",
    "Atlas",
    "Audit",
    "Axis",
    "BlockLayer",
    "Blocks",
    "Captions",
    "Cases",
    "Check",
    "ColorSelectivity",
    "Column",
    "Curve",
    "DecisionTree",
    "Embedding2D",
    "Estimate",
    "Explanation",
    "Filters",
    "Finding",
    "Grid",
    "Group",
    "Heatmap",
    "LabelMap",
    "LayerColors",
    "Line",
    "Looked",
    "Mark",
    "Meta",
    "Mistakes",
    "Neighbors",
    "Overlap",
    "Pair",
    "Panel",
    "Parting",
    "PatchRow",
    "Patches",
    "Pictures",
    "Placed",
    "Prediction",
    "Predictions",
    "Projections",
    "Prototypes",
    "ReceptiveFields",
    "Report",
    "Result",
    "Review",
    "ReviewedCluster",
    "Row",
    "Spectrum",
    "Study",
    "Surface",
    "Suspects",
    "Table",
    "Tour",
    "TourLayer",
    "Trust",
    "UnitPage",
    "Walk",
    "version_of",
    "versions",
]
