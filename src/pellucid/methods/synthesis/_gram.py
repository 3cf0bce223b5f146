"""Gram matrices: which features of a layer occur together, wherever they are. And the layers that tell most of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.methods.synthesis._image import Size
from pellucid.methods.synthesis._match import features, relative
from pellucid.net import Net


def gram(values: Float[Tensor, "1 c h w"]) -> Float[Tensor, "c c"]:
    """F Fᵀ / (C · H · W) (Gatys et al. 2015, section 2, scaled as in neural-style)."""
    flat = values[0].flatten(1)
    return flat @ flat.T / flat.numel()


def textures(net: Net, pixels: Float[Tensor, "1 c h w"], layers: Sequence[str]) -> list[Float[Tensor, "_ _"]]:
    """What each layer's Gram matrix should be. Raises Refused for a layer that answers nothing."""
    found = [gram(values) for values in features(net, pixels, layers)]
    for layer, matrix in zip(layers, found, strict=True):
        if not matrix.any():
            raise Refused(f"layer {layer!r} answers 0 to this picture: it has no texture to imitate")
    return found


def apart(found: Iterable[Tensor], wanted: Iterable[Tensor]) -> Tensor:
    """How far Gram matrices are apart: the mean over layers of ‖G − A‖² / ‖A‖², so that all layers count alike."""
    return torch.stack([relative(one, other) for one, other in zip(found, wanted, strict=True)]).mean()


def widest(net: Net, size: Size | None = None) -> tuple[str, ...]:
    """Of each octave of resolution but the coarsest the layer with the most features, and of several the last.

    In networks that widen and narrow again, such as the bundled one, texture is told apart by the wide layers; what
    they are reduced to between them says little.
    """
    octaves: dict[int, tuple[int, str]] = {}
    for row in net.layers(size).rows:
        if row.spatial and row.shape[0] >= octaves.get(row.shape[1], (0, ""))[0]:
            octaves[row.shape[1]] = row.shape[0], row.name
    names = [name for _, name in octaves.values()]
    if not names:
        raise Refused(f"{net.name} has no layer with maps: it sees no texture")
    return tuple(names[: max(len(names) - 1, 1)])
