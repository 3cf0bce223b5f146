"""Representation: where images lie in a layer's feature space."""

from pellucid.methods.representation.atlas import atlas
from pellucid.methods.representation.map import map
from pellucid.methods.representation.neighbours import neighbours
from pellucid.methods.representation.place import place

__all__ = ["atlas", "map", "neighbours", "place"]
