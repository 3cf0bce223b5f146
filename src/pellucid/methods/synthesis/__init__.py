"""Synthesis: pictures made to excite, to invert, to fool, to imitate; each with what it is worth."""

from pellucid.methods.synthesis._recipe import PARTS, PRESETS, Recipe
from pellucid.methods.synthesis.activation_maximisation import activation_maximisation

__all__ = ["PARTS", "PRESETS", "Recipe", "activation_maximisation"]
