"""Representations: where pictures lie in a layer's space, which are alike, and what is between them."""

from pellucid.methods.representation.atlas import atlas
from pellucid.methods.representation.map import map
from pellucid.methods.representation.neighbours import neighbours
from pellucid.methods.representation.place import place

__all__ = ["atlas", "map", "neighbours", "place"]
