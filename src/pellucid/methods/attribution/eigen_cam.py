"""Eigen-CAM: what a layer responds to most, whatever the class."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.errors import BadNetwork
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.rules.elementwise import upcast
from pellucid.notes import Note
from pellucid.result import Heatmap, Meta
from pellucid.saliency.backward import chunks
from pellucid.saliency.class_maps import Mapped, class_maps
from pellucid.saliency.layers import Chosen, LayerNames, PlacingOption

_SPLIT = 1e-2
"""First and second singular value nearer than this, relatively: any mixture of both directions is as good."""
_SILENT = 1e-9
_NO_CLASS = Note(
    "reading", "no class was asked about: the map shows where the layer is active, not why the network decided"
)


@method(
    "Eigen-CAM",
    purpose="main pattern in a layer's maps, of no class",
    shows=(
        "A large cell is a place where the channels of the layer respond together in the one pattern that explains "
        "most of their activation. No class is asked about, so the map is the same for all classes and gives no reason "
        "for a decision. Its sign is a convention, and where two patterns are equally strong the map is arbitrary, as "
        "a note then says. One forward pass."
    ),
    source="Muhammad & Yeasin 2020, section III (the first right singular vector)",
)
def eigen_cam(
    net: Net,
    images: Images,
    *,
    layer: LayerNames = None,
    centered: Annotated[bool, Field(description="subtract the mean of each channel first")] = False,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """A · v, the activation along its first right singular vector v: (N, rows, columns), signed, in the layer's frame.

    It asks no class, and says where the layer is active, not why the network decided. The sign of v is free: it is
    chosen so that the product with the mean activation is positive, so a rectified layer's map is nowhere negative
    unless `centered`. Where two singular values are all but equal the map is arbitrary, and a note says so. Several
    layers give one map of pixels (N, H, W), the mean of the layers' raw maps. Refused where a layer has no places.
    """
    prepared, arbitrary = net.prepare(images), []

    def maps_of(prepared: Images, chosen: Chosen) -> Mapped:
        maps: list[Tensor] = []
        for pixels in chunks(prepared.pixels, net, "Eigen-CAM"):
            for one in net.run(pixels, layers=[chosen.name])[chosen.name]:
                values, distinct = principal(one.double(), centered)
                if not distinct:
                    said = f"two directions explain {chosen.name} equally"
                    arbitrary.append(Note("values", said, prepared.ids[len(maps)]))
                maps.append(values.to(upcast(one).dtype))
        return Mapped(torch.stack(maps), torch.zeros(len(maps)))

    found = class_maps(net, prepared, (), layer, placement, maps_of)
    values = found.values.cpu().numpy()
    meta = Meta(found={"layer": found.layer}, notes=(_NO_CLASS, *prepared.notes, *found.notes, *arbitrary))
    return Heatmap(values, found.placement, prepared.views, unit="activation", signed=True, meta=meta, sign="number")


def principal(activation: Tensor, centered: bool) -> tuple[Tensor, bool]:
    """(the map (rows, columns) of (channels, rows, columns), whether its direction stands out)."""
    if not torch.isfinite(activation).all():
        raise BadNetwork("an activation is not finite: the weights hold NaN or infinity, or overflow")
    cells = activation.flatten(1)
    mean = cells.mean(0)
    if centered:
        cells = cells - cells.mean(1, keepdim=True)
    # The smaller of the two Gram matrices has the same leading direction; a full decomposition would need both.
    few = cells.shape[0] <= cells.shape[1]
    values, vectors = torch.linalg.eigh(cells @ cells.T if few else cells.T @ cells)
    along = vectors[:, -1] @ cells if few else vectors[:, -1] * values[-1].clamp(min=0).sqrt()
    agreement = along @ mean
    if agreement.abs() <= _SILENT * along.norm() * mean.norm():  # the mean activation takes no side
        agreement = along[along.abs().argmax()]
    if agreement < 0:
        along = -along
    second = values[-2] if len(values) > 1 else values.new_zeros(())
    distinct = bool(second.clamp(min=0).sqrt() <= (1 - _SPLIT) * values[-1].clamp(min=0).sqrt())
    return along.view(activation.shape[1:]), distinct
