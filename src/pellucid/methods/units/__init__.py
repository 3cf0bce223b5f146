"""Units over a data set: what excites them, how choosy they are, who is like them. They read an index."""

from pellucid.methods.units._make import index
from pellucid.methods.units._unit import Unit
from pellucid.methods.units.top_images import top_images
from pellucid.sweep.index import Index

__all__ = ["Index", "Unit", "index", "top_images"]
