"""An index: what every unit of a network does over a data set, as it is read."""

from pellucid.index.embedding import Embedding
from pellucid.index.folds.extremes import TopImages
from pellucid.index.folds.sums import UnitStatistics
from pellucid.index.index import Index
from pellucid.index.layer import LayerOfIndex
from pellucid.index.several import Indexes
from pellucid.index.unit import Unit

__all__ = ["Embedding", "Index", "Indexes", "LayerOfIndex", "TopImages", "Unit", "UnitStatistics"]
