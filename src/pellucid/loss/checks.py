"""What a line or a surface says at its center, computed a second time by other means.

In float64 on a copy of the network, over the first images: float32 hides a slope where the loss is small.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.loss.labeled import LabeledBatches
from pellucid.loss.points import Places
from pellucid.loss.products import Curved, in_double
from pellucid.loss.weights import Moved, Vector, dot
from pellucid.net import Net
from pellucid.net.norms import Norms
from pellucid.result import Check

SLOPES, CURVATURES = 128, 8
"""Images over which slopes, and curvatures, are compared."""
_SLOPE, _CURVATURE = 1e-7, 1e-6
"""Steps of the differences, in units of the axis: so small that hardly any rectifier changes its side within them."""
_LIKE = 1e-4
"""How far slopes over two steps may be apart, as a share of them, where no kink lies between."""
_EPS = 2.2e-16


def of_center(
    net: Net, images: LabeledBatches, directions: Sequence[Vector], names: Sequence[str], norms: Norms, center: float
) -> tuple[Check, ...]:
    """The value at the center against the network as it is, and slope and curvature along each direction.

    Gradients are those of the network with its norms as they are stored: with others nothing is compared.
    """
    if norms != "frozen":
        return ()
    found = [_value(images, center)]
    wide = in_double(net)
    some = images.part(SLOPES).doubled()
    gradient = Curved.of(wide, some).gradient()
    hardest = images.losses.topk(min(CURVATURES, len(images))).indices.tolist()  # others are hardly curved
    singles = [images.single(i).doubled() for i in hardest]
    for name, direction in zip(names, directions, strict=True):
        along = {key: one.double() for key, one in direction.items()}
        found += _slope(name, wide, along, some, norms, gradient)
        found += _curvature(name, wide, along, singles, norms)
    return tuple(found)


def _value(images: LabeledBatches, center: float) -> Check:
    plainly = float(images.losses.mean())
    finest = 0.0 if images.pixels[0].dtype == torch.float64 else 1e-7  # nats: what float32 knows of logits of ten
    said = "the surface at its center, and the loss of the network as it is"
    return Check("value", plainly, center, max(1e-6 * abs(plainly), 1e-8, finest), said)


def _slope(name: str, net: Net, along: Vector, images: LabeledBatches, norms: Norms, gradient: Vector) -> list[Check]:
    """Over the images for which no rectifier changes its side within the step: there differences over the step and over
    a quarter of it agree. None where every image has such a kink. `gradient` is that over all of them.
    """
    places = Places(Moved(net, [along]), [images], norms)
    (whole, _), (quarter, sizes) = (_first(places, h) for h in (_SLOPE, _SLOPE / 4))
    rounding = 16 * _EPS * sizes.clamp(min=1e-2) / _SLOPE
    smooth = (whole - quarter).abs() <= _LIKE * whole.abs() + 4 * rounding
    if not smooth.any():
        return []
    if not smooth.all():
        gradient = Curved.of(net, images.chosen(smooth)).gradient()
    expected = dot(along, gradient)
    slack = 1e-3 * abs(expected) + float(rounding[smooth].mean()) + _LIKE * float(quarter[smooth].abs().mean())
    said = "the slope of the surface, and gradient · direction"
    if not smooth.all():
        said += f", over the {int(smooth.sum())} of {len(images)} images without a kink in the step"
    return [Check(f"slope along {name}", expected, float(quarter[smooth].mean()), slack, said)]


def _curvature(name: str, net: Net, along: Vector, singles: Sequence[LabeledBatches], norms: Norms) -> list[Check]:
    """Image by image, over those where no rectifier changes its side within the step: there the loss is smooth, and
    differences over the step and over half of it agree. None where every image has such a kink.
    """
    expected, found, slack, smooth = 0.0, 0.0, 0.0, 0
    for image in singles:
        places = Places(Moved(net, [along]), [image], norms)
        here = float(places.at((0.0,))[0, 0])
        whole, half = (_second(places, here, h) for h in (_CURVATURE, _CURVATURE / 2))
        rounding = 64 * _EPS * max(abs(here), 1e-2) / _CURVATURE**2
        if abs(whole - half) > 1e-2 * abs(whole) + rounding:
            continue
        smooth += 1
        expected += dot(along, Curved.of(net, image).product(along))
        found += whole
        slack += rounding
    if not smooth:
        return []
    said = f"second differences, and dᵀHd, over the {smooth} of {len(singles)} images without a kink in the step"
    slack = (slack + 2e-2 * abs(expected)) / smooth
    return [Check(f"curvature along {name}", expected / smooth, found / smooth, slack, said)]


def _first(places: Places, step: float) -> tuple[Tensor, Tensor]:
    """(N,) the slope for each image, and its loss there."""
    before, behind = (places.each((h,)) for h in (-step, step))
    return (behind - before) / (2 * step), before.abs()


def _second(places: Places, here: float, step: float) -> float:
    before, behind = (float(places.at((h,))[0, 0]) for h in (-step, step))
    return (before - 2 * here + behind) / step**2
