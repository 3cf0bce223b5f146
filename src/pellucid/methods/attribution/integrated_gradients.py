"""Integrated gradients: the gradient averaged on the way from a baseline, shared out exactly."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.images.touch import Fill, filled
from pellucid.methods.attribution._skeleton import Signal, backward, chunks, pixel_map, scored
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import BEST, Target, fixed

Quadrature = Literal["gauss_legendre", "midpoint", "trapezoid"]


@method("Integrated gradients", source="Sundararajan, Taly & Yan 2017, equation 1")
def integrated_gradients(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    steps: Annotated[int, Field(ge=1, le=4096, description="gradients on the way from the baseline to the image")] = 50,
    baseline: Annotated[Fill, Field(description="the picture that stands for nothing, in pixel values")] = "black",
    quadrature: Annotated[Quadrature, Field(description="how the steps are placed and weighted")] = "gauss_legendre",
) -> Heatmap:
    """(pixel − baseline) × mean gradient on the straight way between them: (N, H, W), signed, in units of the score.

    Summed over all pixels the map is the score minus the baseline's score, up to the quadrature's error:
    `Meta.completeness` holds that error for every image, relative to the difference of the scores.
    """
    seen = net.see(images)
    nodes, weights = rule(steps, quadrature)
    parts, errors = [], []
    for i in range(len(seen)):
        pixels = seen[i].pixels
        asked = fixed(target, net.run(pixels, at=target.layers))
        start = filled(pixels, baseline)
        mean, scores = _mean_gradient(net, pixels, start, asked, nodes, weights)
        share = mean * (pixels - start).to(mean)
        change = float(scores[0] - scores[1])
        errors.append(abs(float(share.sum(dtype=torch.float64)) - change) / max(abs(change), 1e-12))
        parts.append(Signal(share, scores[:1], {}))
    whole = Signal(torch.cat([p.gradient for p in parts]), torch.cat([p.scores for p in parts]), {})
    notes = tuple(
        f"completeness error {e:.1%} for {name}" for e, name in zip(errors, seen.ids, strict=True) if e > 0.01
    )
    return pixel_map(
        net,
        seen,
        target,
        whole.gradient.sum(1),
        whole,
        unit=target.unit,
        signed=True,
        completeness=tuple(errors),
        notes=notes,
    )


def rule(steps: int, quadrature: Quadrature) -> tuple[list[float], list[float]]:
    """Nodes in 0..1 and weights that sum to 1."""
    if quadrature == "gauss_legendre":
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        return ((nodes + 1) / 2).tolist(), (weights / 2).tolist()
    if quadrature == "midpoint" or steps == 1:
        return [(i + 0.5) / steps for i in range(steps)], [1 / steps] * steps
    ends = [0.5 if i in (0, steps - 1) else 1.0 for i in range(steps)]
    return [i / (steps - 1) for i in range(steps)], [end / (steps - 1) for end in ends]


def _mean_gradient(
    net: Net, pixels: Tensor, start: Tensor, target: Target, nodes: list[float], weights: list[float]
) -> tuple[Tensor, Tensor]:
    """(mean gradient on the way (1, C, H, W), scores of the image and of its baseline (2,))."""
    way = pixels.new_tensor(nodes).view(-1, 1, 1, 1)
    total = torch.zeros_like(pixels, dtype=torch.float64)
    done = 0
    for portion in chunks(way, net, "integrated gradients", (pixels.shape[-2], pixels.shape[-1])):
        gradient = backward(net, start + portion * (pixels - start), target).gradient.double()
        weight = gradient.new_tensor(weights[done : done + len(portion)])
        total += torch.einsum("n,nchw->chw", weight, gradient).to(total.device)
        done += len(portion)
    ends = scored(target, net.run(torch.cat([pixels, start]), at=target.layers))
    return total.to(pixels.dtype), ends.detach()
