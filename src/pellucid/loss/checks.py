"""What a line or a surface says at its center, computed a second time by other means.

In float64 on a copy of the network, over the first images: float32 hides a slope where the loss is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pellucid.loss.labeled import LabeledBatches
from pellucid.loss.points import Places
from pellucid.loss.products import Curved, in_double
from pellucid.loss.weights import Moved, Vector, dot, numbers_of
from pellucid.net import Net
from pellucid.net.norms import Norms
from pellucid.result import Check

SLOPES, CURVATURES = 128, 8
"""Images over which slopes, and curvatures, are compared."""
_MIXED, _HEAVIER = 32, 12
"""Images over which slopes are compared where norms take the statistics of the images, as far as memory goes: those of
one graph, which float64, the norms as formulas and a pass for the statistics make so many times as large.
"""
_SLOPE, _CURVATURE = 1e-7, 1e-6
"""Steps of the differences, in units of the axis: so small that hardly any rectifier changes its side within them."""
_LIKE = 1e-4
"""How far slopes over two steps may be apart, as a share of them, where no kink lies between."""
_EPS = 2.2e-16


def of_center(
    net: Net, images: LabeledBatches, directions: Sequence[Vector], names: Sequence[str], norms: Norms, center: float
) -> tuple[Check, ...]:
    """The value at the center, and slope and curvature along each direction.

    Against the network as it is, where its norms use what is stored; else against norms that are written out as
    formulas, over the first images.
    """
    wide = in_double(net)
    stored = norms in ("frozen", "interpolated")
    size = (images.pixels[0].shape[-2], images.pixels[0].shape[-1])
    together = min(max(net.chunk(size, grad=True) // _HEAVIER, 2), _MIXED)
    some = images.part(SLOPES if stored else together).doubled()
    wide.run(some.pixels[0][:2])  # whether its images mix is found out with its norms as they are stored
    weights = {key: one for key, one in numbers_of(wide).items() if any(key in along for along in directions)}
    curved = Curved(wide, some, weights, norms)
    found = [_value(images, center) if stored else _value_written(curved)]
    singles = _hardest(images) if stored else list(images.part(min(CURVATURES, len(images.labels[0]))).cut(2))
    for name, direction in zip(names, directions, strict=True):
        along = {key: one.double() for key, one in direction.items()}
        found += _slope(name, curved, along)
        found += _curvature(name, curved, along, singles)
    return tuple(found)


def _hardest(images: LabeledBatches) -> list[LabeledBatches]:
    """Each of the images with the largest losses: others are hardly curved."""
    return [images.single(i) for i in images.losses.topk(min(CURVATURES, len(images))).indices.tolist()]


def _value(images: LabeledBatches, center: float) -> Check:
    plainly = float(images.losses.mean())
    finest = 0.0 if images.pixels[0].dtype == torch.float64 else 1e-7  # nats: what float32 knows of logits of ten
    said = "the surface at its center, and the loss of the network as it is"
    return Check("value", plainly, center, max(1e-6 * abs(plainly), 1e-8, finest), said)


def _value_written(curved: Curved) -> Check:
    """Over the first images alone: statistics of all images cannot be written out batch by batch."""
    plainly = curved.value()
    found = float(_places(curved, {}).at((0.0,))[0, 0])
    said = f"the surface at its center over {len(curved.images)} images, and the loss with norms as formulas"
    return Check("value", plainly, found, max(1e-6 * abs(plainly), 1e-8), said)


def _places(curved: Curved, along: Vector) -> Places:
    return Places(Moved(curved.net, [along], curved.at), [curved.images], curved.norms)


def _slope(name: str, curved: Curved, along: Vector) -> list[Check]:
    """Over the images for which no rectifier changes its side within the step: there differences over the step and over
    a quarter of it agree. None where every image has such a kink.
    """
    places = _places(curved, along)
    (whole, _), (quarter, sizes) = (_first(places, h) for h in (_SLOPE, _SLOPE / 4))
    rounding = 16 * _EPS * sizes.clamp(min=1e-2) / _SLOPE
    smooth = (whole - quarter).abs() <= _LIKE * whole.abs() + 4 * rounding
    if not smooth.any():
        return []
    expected = dot(along, replace(curved, shares=smooth.double()).gradient())
    slack = 1e-3 * abs(expected) + float(rounding[smooth].mean()) + _LIKE * float(quarter[smooth].abs().mean())
    said = "the slope of the surface, and gradient · direction"
    if not smooth.all():
        said += f", over the {int(smooth.sum())} of {len(smooth)} images without a kink in the step"
    return [Check(f"slope along {name}", expected, float(quarter[smooth].mean()), slack, said)]


def _curvature(name: str, curved: Curved, along: Vector, singles: Sequence[LabeledBatches]) -> list[Check]:
    """One after the other, over those where no rectifier changes its side within the step: there the loss is smooth,
    and differences over the step and over half of it agree. None where everywhere is such a kink.
    """
    expected, found, slack, smooth = 0.0, 0.0, 0.0, 0
    for image in singles:
        alone = replace(curved, images=image.doubled())
        places = _places(alone, along)
        here = float(places.at((0.0,))[0, 0])
        whole, half = (_second(places, here, h) for h in (_CURVATURE, _CURVATURE / 2))
        rounding = 64 * _EPS * max(abs(here), 1e-2) / _CURVATURE**2
        if abs(whole - half) > 1e-2 * abs(whole) + rounding:
            continue
        smooth += 1
        expected += dot(along, alone.product(along))
        found += whole
        slack += rounding
    if not smooth:
        return []
    kinds = "images" if all(len(one) == 1 for one in singles) else "pairs of images"
    said = f"second differences, and dᵀHd, over the {smooth} of {len(singles)} {kinds} without a kink in the step"
    slack = (slack + 2e-2 * abs(expected)) / smooth
    return [Check(f"curvature along {name}", expected / smooth, found / smooth, slack, said)]


def _first(places: Places, step: float) -> tuple[Tensor, Tensor]:
    """(N,) the slope for each image, and its loss there."""
    before, behind = (places.each((h,)) for h in (-step, step))
    return (behind - before) / (2 * step), before.abs()


def _second(places: Places, here: float, step: float) -> float:
    before, behind = (float(places.at((h,))[0, 0]) for h in (-step, step))
    return (before - 2 * here + behind) / step**2
