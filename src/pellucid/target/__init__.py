"""What is asked of a network: one number for each image, made from its outputs or from a layer.

Targets are values: they add, subtract, scale, hash, compare and pickle, and they know names only; which class
a name means is decided when the network has run.
"""

from pellucid.target.base import (
    ClassName,
    Peer,
    Sum,
    Target,
    TargetLike,
    Targets,
    TargetsLike,
    fixed,
    named,
    resolved,
    scored,
)
from pellucid.target.captions import Sentence, Word
from pellucid.target.classes import BEST, Logit, Loss, Output, Probability, Top
from pellucid.target.forms import documented, target
from pellucid.target.function import Function
from pellucid.target.places import Box, Region
from pellucid.target.similarity import Similarity
from pellucid.target.units import Channel, Direction, Energy, Neuron

__all__ = [
    "BEST",
    "Box",
    "Channel",
    "ClassName",
    "Direction",
    "Energy",
    "Function",
    "Logit",
    "Loss",
    "Neuron",
    "Output",
    "Peer",
    "Probability",
    "Region",
    "Sentence",
    "Similarity",
    "Sum",
    "Target",
    "TargetLike",
    "Targets",
    "TargetsLike",
    "Top",
    "Word",
    "fixed",
    "named",
    "resolved",
    "scored",
    "target",
]

documented(Target.of)
