"""Modules and losses that make a network interpretable by how it is built, to be put into one's own."""

from pellucid.interpretable.bounds import Bounded, bounded, sampled_violations
from pellucid.interpretable.first_layers import BANKS, FixedConv, bank
from pellucid.interpretable.modular import Additive, Modular, Places, shares
from pellucid.interpretable.monotone import Mirrored, MonotoneLinear, NonNegativeLinear, monotone, negative_share
from pellucid.interpretable.prototypes import Prototypes, Pushed, push
from pellucid.interpretable.shrinkage import SoftAutoencoder, SoftThreshold, psnr
from pellucid.interpretable.sparse import Head, KWinners, hoyer, l1, overlap
from pellucid.interpretable.special import Bottleneck, ConceptWhitening, one_hot

__all__ = [
    "BANKS", "Additive", "Bottleneck", "Bounded", "ConceptWhitening", "FixedConv", "Head", "KWinners", "Mirrored",
    "Modular", "MonotoneLinear", "NonNegativeLinear", "Places", "Prototypes", "Pushed", "SoftAutoencoder",
    "SoftThreshold", "bank", "bounded", "hoyer", "l1", "monotone", "negative_share", "one_hot", "overlap", "psnr",
    "push", "sampled_violations", "shares",
]  # fmt: skip
