"""Activations: what the layers of a network do with images."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.images import ImagesLike
from pellucid.net import NetLike
from pellucid.result.activations import ActivationMaps
from pellucid.result.table import Table
from torch.nn.modules.module import Module

def maps(
    net: NetLike,
    images: ImagesLike,
    *,
    layer: str | Module | None = None,
    units: int | Sequence[int] | None = None,
    max_units: int = 16,
) -> ActivationMaps:
    """Activation maps

    What units of one layer do with each image, place by place: (N, units, rows, columns), raw and signed.

    Any layer with places can be asked. By default its strongest units are shown: those with the largest value
    (by magnitude) at any place of any of the images, the larger mean first where several reach the bound of
    their activation; they are the same units for all images. Drawn over the photos, the maps lie where their
    cells' receptive fields have their centers. Places where a unit gives exactly zero are marked as blank, which
    is something else than weak; `blank` is the share of all the layer's maps that are zero everywhere, for each
    image.

    The network runs no further than the layer. Raises UnknownName for a layer that is not there, PellucidError
    for a unit, and Refused for a layer without maps.

    Source: Yosinski et al. 2015, section 2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layer: layer of the maps (text; by default None)
        units: units to show, by number: 3 or 3,17,40 (whole number; by default None)
        max_units: maximum number of units, where none are named (1 or more; by default 16)
    """

def profile(
    net: NetLike,
    images: ImagesLike,
) -> Table:
    """Activation profile

    What every layer does with all the images together: one row for each layer, in the order of execution.

    Mean and spread (standard deviation) of its values, the share of zeros, of dead units, of saturated and of
    broken values; `findings` names the layers that are sick and where it begins. A unit is dead that gives the same
    value at all places of all the images: a rectifier's that is never above zero, or one behind a layer that is
    silent. Show many images: a unit of a deep layer may merely find nothing in one. Where each unit gave but one
    number in all, whether it is dead is unknown (None), as is the saturation of layers that have no bounds.

    Sigmoids, tanhs and clips that are called as functions come as rows of their own, "layer: sigmoid". A channel that
    the network pads with zeros for every image, as shortcuts of some ResNets do, is no dead unit.

    Layers that only hand on what the last layer inside them has said are left out. Statistics are in float64 and
    add up image by image, so that neither the batch size nor the memory matters: one activation at a time is
    held.

    Source: Glorot & Bengio 2010, section 3, figures 2 to 4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
    """
