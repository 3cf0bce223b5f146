"""Gradient times input: the first-order share of each pixel in the score."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.saliency.backward import signals
from pellucid.saliency.heatmaps import pixel_map
from pellucid.target import BEST, Target


@method(
    "Gradient × input",
    purpose="gradient of the score times the input",
    shows=(
        "A positive pixel would add to the score, a negative one take from it, if the network were linear between zero "
        "input and the image. A pixel of the mean color is zero after normalization and gets nothing, whatever it "
        "shows. Biases are left out, so the sum is the score only for rectifier networks without them; single pixels "
        "are noisy, so read sums over regions. One forward and one backward pass."
    ),
    source="Shrikumar et al. 2016, section 2; Ancona et al. 2018, table 1",
)
def gradient_times_input(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    reference: Annotated[
        Literal["normalized", "black"],
        Field(description="value that counts as no input: zero after normalization, or a black pixel"),
    ] = "normalized",
) -> Heatmap:
    """d score / d input × input, summed over colors: (N, H, W), signed, in units of the score.

    With `normalized` the input is what the first layer receives, so that for a ReLU network without biases the
    map sums to the score exactly (positive homogeneity). With `black` the input is the pixel itself.
    """
    prepared = net.prepare(images)
    signal = signals(net, prepared, target, "gradient × input")
    inputs = prepared.pixels.to(signal.gradient)
    if reference == "normalized":
        # d/d pixel = (d/d input) / std, so the network's input is (pixel − mean) / std · std in pixel units.
        inputs = inputs - inputs.new_tensor(net.preprocess.mean).view(1, -1, 1, 1)
    values = (signal.gradient * inputs).sum(1)
    return pixel_map(net, prepared, target, values, signal, unit=target.unit_of(net), signed=True)
