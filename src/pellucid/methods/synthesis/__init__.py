"""Synthesis: images made to excite, invert, fool or imitate."""

from pellucid.catalogue import methods_of
from pellucid.render.parts import PARTS
from pellucid.render.recipes import PRESETS, Recipe

_methods = methods_of(__name__, __path__[0])
globals().update(_methods)  # a file of its folder that declares a method needs no line here

__all__ = ["PARTS", "PRESETS", "Recipe", *_methods]
