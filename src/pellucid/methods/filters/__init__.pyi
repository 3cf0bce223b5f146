"""Filters: the weights of convolutions, drawn and examined."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.net import NetLike
from pellucid.result.table import Table
from pellucid.result.weights import Filters
from torch.nn.modules.module import Module
from typing import Literal

def channels(
    net: NetLike,
    *,
    layer: str | Module | None = None,
    units: int | Sequence[int] | None = None,
) -> Filters:
    """Filters by input channel

    The weights of a layer's filters: (F, channels, height, width), for each filter the channels that it reads.

    Behind the first layer a filter reads channels that are no colors: each is drawn as a small gray picture of
    its own, white where the filter adds what the channel has found there, black where it takes it away. What
    there is to see is which channels a filter reads at all, and whether they are smooth in space. In a grouped
    convolution each filter reads the channels of its group, in a depthwise one a single channel: shown are those,
    under their numbers in the layer's input (`inputs`). A 1 × 1 convolution has one square for each channel.

    Pictures of large layers come in pages (`draw(..., page=2)`). Raises UnknownName for a layer that is not there,
    PellucidError for such a unit, and Refused for a layer that is no 2-d convolution.

    Source: Zeiler & Fergus 2013, section 2, equation 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        layer: convolution whose filters are shown (text; by default None)
        units: filters to show, by number: 3 or 3,17,40 (whole number; by default None)
    """

def first_layer(
    net: NetLike,
    *,
    order: Literal["kind", "unit", "norm"] = "kind",
) -> Filters:
    """First-layer filters

    Every filter of the first convolution: (F, channels, height, width), the weights as they are.

    The first convolution is found by running the network, not by its name. Its filters act on the picture itself
    and can be looked at as pictures: mid-gray is a weight of zero, and a filter answers most to what it looks
    like. A trained network shows edges of all directions, stripes and color contrasts; noise speaks of an
    ill-trained one, see `health`.

    Sorted by kind come filters that look for light and dark, by the direction of their edges (in degrees,
    counterclockwise from the horizontal), then patches without a direction, then color contrasts by their axis, at
    last those that are near zero. A network that takes another number of channels than three, or whose filters
    read only some of them, is shown channel by channel. Weights are with respect to the normalized input; batch
    norms behind the layer are not folded in. Refused for networks without a 2-d convolution as a module.

    Source: Krizhevsky, Sutskever & Hinton 2012, figure 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        order: order of the filters: by what they respond to (light and dark, then colors), by number, or by norm, strongest first (kind | unit | norm; by default "kind")
    """

def health(
    net: NetLike,
    *,
    layer: str | Module | None = None,
    seed: int = 0,
) -> Table:
    """Filter health

    Noisy, near-zero and duplicated filters of a convolution: one row for each of its F filters, and a verdict.

    A well-trained filter is smooth in space, or its channels agree on one pattern; random weights are neither.
    Each filter is compared with 2000 random twins of its shape: `chance` is the share of them that are as far out
    as it is, and a filter is noise where that is above 5 %. Of a layer of random weights nearly all filters are
    noise, of a well-trained first layer nearly none; noisy filters beside good ones mean that the network was
    trained too shortly, with too little data, or with too large a step. Filters of fewer than 27 weights can be
    random by chance: they are judged together only, by how far the layer's means lie from those of random weights,
    in standard errors. Filters of 1 × 1 have no neighbors, so that their smoothness is unknown (None).

    A filter is near zero where its norm, times the gain of a batch norm behind it, is below 5 % of the layer's
    median; it is a duplicate where its cosine with another one is 0.95 or more, and it is the weaker of the two.
    What to do about it stands in `findings`.

    Source: Zeiler & Fergus 2013, section 4.1; von Neumann 1941, equation 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        layer: convolution to examine (text; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
