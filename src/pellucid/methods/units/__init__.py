"""Units: what each unit responds to, measured over a data set."""

from pellucid.catalogue import methods_of
from pellucid.images.concepts import Concepts
from pellucid.index import Index
from pellucid.index.make import index
from pellucid.index.several import Indexes
from pellucid.index.unit import Unit
from pellucid.methods.units.table import table

_methods = methods_of(__name__, __path__[0])
globals().update(_methods)  # a file of its folder that declares a method needs no line here

__all__ = ["Concepts", "Index", "Indexes", "Unit", "index", "table", *_methods]
