"""Synthesis: images made to excite, invert, fool or imitate."""

from pellucid.methods.synthesis._recipe import PARTS, PRESETS, Recipe
from pellucid.methods.synthesis.activation_maximisation import activation_maximisation
from pellucid.methods.synthesis.caricature import caricature
from pellucid.methods.synthesis.deepdream import deepdream
from pellucid.methods.synthesis.diversity import diversity
from pellucid.methods.synthesis.fooling import fooling
from pellucid.methods.synthesis.fooling_noise import fooling_noise
from pellucid.methods.synthesis.interpolation import interpolation
from pellucid.methods.synthesis.inversion import inversion
from pellucid.methods.synthesis.style_transfer import style_transfer
from pellucid.methods.synthesis.texture import texture

__all__ = [
    "PARTS",
    "PRESETS",
    "Recipe",
    "activation_maximisation",
    "caricature",
    "deepdream",
    "diversity",
    "fooling",
    "fooling_noise",
    "interpolation",
    "inversion",
    "style_transfer",
    "texture",
]
