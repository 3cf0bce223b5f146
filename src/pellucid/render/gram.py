"""Gram matrices: which features of a layer occur together, wherever they are (Gatys et al. 2015)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.render.matching import features, relative


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
