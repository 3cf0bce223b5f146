"""Guided Grad-CAM: the fine lines of guided backpropagation, where Grad-CAM finds the class."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.methods.attribution.guided_backprop import ruled
from pellucid.net import Net
from pellucid.net.rules import Guided, Smooth
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.backward import Reduction, reduced
from pellucid.saliency.class_maps import class_maps, warnings_for
from pellucid.saliency.heatmaps import called, pixel_map
from pellucid.saliency.layers import LayerNames, PlacingOption, at_pixels
from pellucid.saliency.weighting import by_mean_gradient, weighted
from pellucid.target import BEST, Target

_LINES = Note(
    "reading",
    "its lines are those of guided backpropagation, which hardly depend on the class that is asked about; only where "
    "they are shown does (Nie et al. 2018, Adebayo et al. 2018)",
)


@method(
    "Guided Grad-CAM",
    purpose="guided backpropagation within Grad-CAM's region",
    shows=(
        "A large magnitude marks a line or texture at a place where Grad-CAM speaks for the class; where Grad-CAM is "
        "negative the map is zero. Only the region depends on the class: the lines in it are those of guided "
        "backpropagation, which are nearly the same for every class, and their signs say nothing about the evidence. "
        "Two forward and two backward passes."
    ),
    source="Selvaraju et al. 2017, section 3.4",
)
def guided_grad_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    reduce: Reduction = "signed",
    smooth: Annotated[
        Smooth,
        Field(
            description="backward rule of SiLU, GELU, Mish and Hardswish: clamp after the product, gate by x > 0, or "
            "the plain gradient"
        ),
    ] = "positive_product",
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Guided backpropagation × the positive part of Grad-CAM: (N, H, W) in pixels of the network's input.

    Grad-CAM is read at the pixels by where its cells see them, after its ReLU: the product is zero where nothing
    speaks for the target. `reduce` and `smooth` are those of `guided_backprop`, `layer` and `placement` those of
    `grad_cam`. Raises Refused where a layer has no places, or no activation has a guided rule.
    """
    prepared = net.prepare(images)
    maps_of = weighted(net, target, "Grad-CAM", by_mean_gradient)
    found = class_maps(net, prepared, target.layers, layer, placement, maps_of, shared=True)
    height, width = prepared.pixels.shape[-2:]
    signal = ruled(net, prepared, target, Guided(smooth))
    where = at_pixels(found.values.relu(), found.placement, (height, width)).to(signal.gradient)
    return pixel_map(
        net,
        prepared,
        target,
        reduced(signal.gradient, reduce) * where,
        signal,
        unit=f"guided {target.unit_of(net)} per pixel range × {target.unit_of(net)}",
        signed=reduce == "signed",
        sign="ruled",
        found={"layer": found.layer},
        notes=(_LINES, *found.notes, *warnings_for(prepared, found.values, called(net, target, found.asked) or target)),
    )
