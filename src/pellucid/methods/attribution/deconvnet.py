"""The deconvnet: the score projected back to the pixels through rectified transposes."""

from __future__ import annotations

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.methods.attribution.guided_backprop import HARDLY, ruled
from pellucid.net import Net
from pellucid.net.rules.operations import MAX_POOLING
from pellucid.net.rules.rectifiers import Deconvnet
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.backward import Reduction, reduced
from pellucid.saliency.heatmaps import pixel_map
from pellucid.target import BEST, Target

_NO_SWITCHES = "{} has no max-pooling, whose switches tie a deconvnet to the image: prefer guided_backprop"


@method(
    "Deconvnet",
    purpose="project the score back, rectifying gradients",
    shows=(
        "A large magnitude marks a pixel where much of the projected signal arrives; its sign says nothing about the "
        "evidence. Do not read it as a reason for the class: maps of different classes are nearly the same, and "
        "without max-pooling, whose switches tie it to the image, the map hardly depends even on the image. One "
        "forward and one backward pass."
    ),
    source="Zeiler & Fergus 2013, section 2.1",
)
def deconvnet(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    reduce: Reduction = "signed",
) -> Heatmap:
    """The gradient with R · [R > 0] at every rectifier, whatever it did forward: (N, H, W) in input pixels.

    ReLU6, hardtanh and smooth units are rectified the same way; leaky and exponential units keep their slope.
    Max-pooling sends everything through its switches, as in the paper; without any, the projection hardly
    depends on the image (Springenberg et al. 2015, section 3.4), and Meta.notes says so. It starts from 1.
    The map hardly depends on the class, and its signs say nothing on the score (a note says so).
    Raises Refused where the network has no activation that the rule knows.
    """
    prepared = net.prepare(images)
    signal = ruled(net, prepared, target, Deconvnet())
    pooled = any(operation in MAX_POOLING for operation, _ in signal.coverage)
    return pixel_map(
        net,
        prepared,
        target,
        reduced(signal.gradient, reduce),
        signal,
        unit=f"rectified {target.unit_of(net)} per pixel range",
        signed=reduce == "signed",
        sign="ruled",
        notes=(*(() if pooled else (Note("reading", _NO_SWITCHES.format(net.name)),)), HARDLY),
    )
