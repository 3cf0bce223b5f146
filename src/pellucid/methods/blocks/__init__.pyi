"""Building blocks: units, groups and ways that a decision is made of."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from pellucid.images import ImagesLike
from pellucid.index.index import IndexLike
from pellucid.net import NetLike
from pellucid.render.photos import Photos
from pellucid.result.blocks import Blocks
from pellucid.result.maps import Panel
from pellucid.result.tour import Tour
from pellucid.target.base import TargetLike
from torch.nn.modules.module import Module
from typing import Literal, TypeVar, overload

_TargetLike = TypeVar("_TargetLike", bound=TargetLike)

@overload
def layer_attribution(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | None = None,
    later: str | Module | None = None,
    of: Literal["groups", "cells", "units"] = "groups",
    count: int = 4,
    points: int = 16,
) -> Panel:
    """Attribution between layers

    Of each part a map over the cells of `layer`, (N, rows, columns), signed, in units of the score.

    A part is a projection m · A of the later layer's activations A whose value is its share of the score: with g the
    gradient there, all of g in one cell, of one channel, or what belongs to a group of `neuron_groups`. Its map is
    Σ over channels of B ∘ d (m · A) / d B at the earlier layer B, the gradient taken as at `points`. `the rest` is
    everything else, so that with `points` = 1 all maps sum to the earlier layer's own attribution, exactly.

    Source: Olah et al. 2018, section 'Where does attribution go?', figure 4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: earlier layer, of the maps (text; by default None)
        later: later layer, of the parts (text; by default None)
        of: parts of the later layer: its cells, its units, or groups of units (groups | cells | units; by default "groups")
        count: number of parts, those with the largest shares of the score (1 to 24; by default 4)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
    """

@overload
def layer_attribution(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | None = None,
    later: str | Module | None = None,
    of: Literal["groups", "cells", "units"] = "groups",
    count: int = 4,
    points: int = 16,
) -> tuple[Panel, ...]:
    """Attribution between layers: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: earlier layer, of the maps (text; by default None)
        later: later layer, of the parts (text; by default None)
        of: parts of the later layer: its cells, its units, or groups of units (groups | cells | units; by default "groups")
        count: number of parts, those with the largest shares of the score (1 to 24; by default 4)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
    """

@overload
def neuron_groups(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | None = None,
    groups: int = 6,
    method: Literal["nmf", "pca"] = "nmf",
    points: int = 16,
    steps: int = 64,
    seed: int = 0,
) -> Blocks:
    """Neuron groups

    A ≈ W G of a layer's activations A (cells, channels), for each image: (N, groups, rows, columns) maps W of one
    layer, in `layers`.

    The directions G have unit length, so a map is in units of activation. With g = d score / d A the share of a group
    is Σ w_k(x) G_k · g(x), and all shares with the residual sum to Σ A ∘ g, which is the score less its bias where one
    linear layer follows, directly or behind an average. Layers with activations below zero are split into both signs
    before they are factored, and their groups take from channels as well as add; a note says so. Refused where the
    layer has no places, or the score does not depend on it.

    Source: Olah et al. 2018, section 'Making Things Human-Scale'; Lee & Seung 1999, equation 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer that is taken apart (text; by default None)
        groups: number of groups (1 to 24; by default 6)
        method: non-negative factorization, or principal components of the activations (nmf | pca; by default "nmf")
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def neuron_groups(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | None = None,
    groups: int = 6,
    method: Literal["nmf", "pca"] = "nmf",
    points: int = 16,
    steps: int = 64,
    seed: int = 0,
) -> tuple[Blocks, ...]:
    """Neuron groups: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer that is taken apart (text; by default None)
        groups: number of groups (1 to 24; by default 6)
        method: non-negative factorization, or principal components of the activations (nmf | pca; by default "nmf")
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def pathways(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    groups: int = 4,
    points: int = 16,
    steps: int = 64,
    seed: int = 0,
) -> Blocks:
    """Pathways

    `neuron_groups` at each of the `layers`, and links (N, groups + 1, groups + 1) between each two that follow.

    The link from group i to group j of the next layer is Σ w_i(x) G_i · d (share of j) / d A(x), with the score's
    gradient at the later layer held; maps are the weights of a least squares problem, whose derivative is exact. The
    last row and column belong to the residuals. The links of a group to all of the next layer sum to its share exactly;
    those into a group sum to its share but for biases between the layers and what is not linear there, which is shown.

    Source: Olah et al. 2018, sections 'What Does the Network See?' and 'How Are Concepts Assembled?', figure 5.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layers: layers from early to late, as a,b,c (by default None)
        groups: number of groups at each layer (1 to 12; by default 4)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def pathways(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    groups: int = 4,
    points: int = 16,
    steps: int = 64,
    seed: int = 0,
) -> tuple[Blocks, ...]:
    """Pathways: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layers: layers from early to late, as a,b,c (by default None)
        groups: number of groups at each layer (1 to 12; by default 4)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def semantic_dictionary(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | None = None,
    cell: tuple[int, int] | None = None,
    order: Literal["attribution", "activation"] = "attribution",
    units: int = 4,
    index: IndexLike | None = None,
    steps: int = 64,
) -> Blocks:
    """Semantic dictionary

    Of each cell its strongest units: (N, units) activations there, and shares of the score.

    `layers` has an entry for each cell, with the whole maps of its units, (N, units, rows, columns). With g the
    gradient of the score at the layer, taken at 16 points on the way from no activation, a share is A ∘ g in that cell,
    and the residual that of all its other units: their sum over all cells is the layer's attribution. Raises
    PellucidError for a cell that is not there.

    Source: Olah et al. 2018, section 'Making Sense of Hidden Layers', figure 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer whose cells are read (text; by default None)
        cell: row and column of one cell, as 3,4 (by default None)
        order: order of the units: by their shares of the score in the cell, or by their activations (attribution | activation; by default "attribution")
        units: number of units for each cell (1 to 12; by default 4)
        index: index of the same network, for a patch of a real image beside each picture (INDEX; by default None)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
    """

@overload
def semantic_dictionary(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | None = None,
    cell: tuple[int, int] | None = None,
    order: Literal["attribution", "activation"] = "attribution",
    units: int = 4,
    index: IndexLike | None = None,
    steps: int = 64,
) -> tuple[Blocks, ...]:
    """Semantic dictionary: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer whose cells are read (text; by default None)
        cell: row and column of one cell, as 3,4 (by default None)
        order: order of the units: by their shares of the score in the cell, or by their activations (attribution | activation; by default "attribution")
        units: number of units for each cell (1 to 12; by default 4)
        index: index of the same network, for a patch of a real image beside each picture (INDEX; by default None)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
    """

@overload
def tour(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    units: int = 4,
    photos: Photos | ImagesLike | None = None,
    points: int = 16,
    steps: int = 64,
    seed: int = 0,
) -> Tour:
    """Tour

    A walk for each of N images: of each layer a map (rows, columns), the units that add most to the score, and what
    the photos say of all units.

    The share of a layer is Σ A ∘ g, with g the mean gradient of the score between no activation and the layer's own
    A, at `points`; its sum over channels is the map, its sum over places what each unit adds, (K,). Selectivity
    for color is 1 − Σ a' / Σ a over the five photos that excite it most, a' being the activation at the same place of
    the same photo in gray. Photos lie in the plane of the first two principal components of a layer's means over
    places, and the image is placed among them. Filters and their maps are those of `first_layer` and `maps`. Saved as
    .html it is one page to open and share. Raises PellucidError for fewer than two photos or more units than a layer
    has, and Refused where a layer has no places or the score does not depend on it.

    Source: Olah et al. 2017, section 'Feature visualization'; Zeiler & Fergus 2014, figure 2; Rafegas & Vanrell 2018, section 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layers: layers of the walk, as a,b,c (by default None)
        units: number of units shown of each layer (1 to 12; by default 4)
        photos: folder of real images, for patches, colors and the map of images (PHOTOS; by default None)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def tour(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    units: int = 4,
    photos: Photos | ImagesLike | None = None,
    points: int = 16,
    steps: int = 64,
    seed: int = 0,
) -> tuple[Tour, ...]:
    """Tour: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layers: layers of the walk, as a,b,c (by default None)
        units: number of units shown of each layer (1 to 12; by default 4)
        photos: folder of real images, for patches, colors and the map of images (PHOTOS; by default None)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
        steps: number of optimization steps for each picture; 0: no pictures are made (0 or more; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
