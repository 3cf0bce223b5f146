"""Localization: does a map lie on the thing that it explains?"""

from pellucid.catalogue import methods_of
from pellucid.evaluation.boxes import boxes, masks
from pellucid.evaluation.truth import ClassPairs, Truth

_methods = methods_of(__name__, __path__[0])
globals().update(_methods)  # a file of its folder that declares a method needs no line here

__all__ = ["ClassPairs", "Truth", "boxes", "masks", *_methods]
