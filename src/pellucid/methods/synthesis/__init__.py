"""Synthesis: pictures made to excite, to invert, to fool, to imitate; each with what it is worth."""

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
from pellucid.render.parts import PARTS
from pellucid.render.recipes import PRESETS, Recipe

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
