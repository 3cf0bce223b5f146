"""Units: what each unit responds to, measured over a data set."""

from pellucid.images.concepts import Concepts
from pellucid.methods.units._make import index
from pellucid.methods.units._states import Indexes
from pellucid.methods.units._table import table
from pellucid.methods.units._unit import Unit
from pellucid.methods.units.ablation import ablation
from pellucid.methods.units.colour import colour
from pellucid.methods.units.compare import compare
from pellucid.methods.units.dissection import dissection
from pellucid.methods.units.evolution import evolution
from pellucid.methods.units.neuron_feature import neuron_feature
from pellucid.methods.units.page import page
from pellucid.methods.units.receptive_field import receptive_field
from pellucid.methods.units.reconstruction import reconstruction
from pellucid.methods.units.selectivity import selectivity
from pellucid.methods.units.similar import similar
from pellucid.methods.units.top_images import top_images
from pellucid.sweep.index import Index

__all__ = [
    "Concepts",
    "Index",
    "Indexes",
    "Unit",
    "ablation",
    "colour",
    "compare",
    "dissection",
    "evolution",
    "index",
    "neuron_feature",
    "page",
    "receptive_field",
    "reconstruction",
    "selectivity",
    "similar",
    "table",
    "top_images",
]
