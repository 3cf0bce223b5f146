"""Saliency: how much each pixel moves the score."""

from __future__ import annotations

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.saliency.backward import Reduction, reduced, signals
from pellucid.saliency.heatmaps import pixel_map
from pellucid.target import BEST, Target


@method(
    "Gradient",
    purpose="sensitivity of the score to each pixel",
    shows=(
        "A large value marks a pixel where a small change would move the score most. By default it has no sign, and it "
        "does not say how much the pixel adds to the score. A probability near 1 hardly moves at all, so ask for the "
        "class, which is its logit. Values jump from pixel to pixel: read regions, not the largest pixel. One forward "
        "and one backward pass."
    ),
    source="Simonyan, Vedaldi & Zisserman 2013, section 3.1",
)
def gradient(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    reduce: Reduction = "max",
) -> Heatmap:
    """How strongly the score reacts to each pixel: |d score / d pixel|, (N, H, W) in pixels of the network's input.

    The derivative is with respect to pixel values in 0..1, before normalization: units of the score per full
    range of a pixel. `max` takes the largest magnitude over colors, as in the paper; `signed` keeps the sum.
    """
    prepared = net.prepare(images)
    signal = signals(net, prepared, target, "gradient")
    values = reduced(signal.gradient, reduce)
    unit = f"{target.unit_of(net)} per pixel range"
    return pixel_map(net, prepared, target, values, signal, unit=unit, signed=reduce == "signed", sign="slope")
