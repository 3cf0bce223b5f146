"""DeepLIFT: the difference of two scores, shared out by what differs between two images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.net import Net
from pellucid.net.rules import Rescale
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Heatmap
from pellucid.result.coverage import Met
from pellucid.saliency.backward import Signal, derivative, joined
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import missed, no_rule, pixel_map
from pellucid.target import BEST, Target, fixed


@method(
    "DeepLIFT",
    purpose="contributions against a reference image",
    shows=(
        "A positive pixel raises the score because it differs from the reference, a negative one lowers it; all pixels "
        "sum to the difference of the two scores. A pixel of the reference's color gets nothing, so the default "
        "reference, black, hides black things, and another reference gives another map. Single pixels are noisy: read "
        "sums over regions. One forward and one backward pass over image and reference, for each reference."
    ),
    source="Shrikumar, Greenside & Kundaje 2017, section 3.5.1 (rescale); Lundberg & Lee 2017, section 4.2",
)
def deep_lift(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    baseline: Annotated[
        BaselineLike,
        Field(description="reference image: a named fill, or images of your own, over which the maps are averaged"),
    ] = "black",
) -> Heatmap:
    """(pixel − reference) × multiplier, summed over colors: (N, H, W), signed, in units of the score.

    The map sums to the score minus the reference's score: the multipliers of single numbers are Δy / Δx, of
    products the mean of the other factor, of max-pools the cross-maximum, on any graph and for any activation.
    Layer norms and softmax are taken apart into such steps, for each image alone. `Meta.completeness` is what the
    sum misses, relative to the difference. Several images as reference: the mean over them (DeepSHAP).
    """
    prepared = net.prepare(images)
    parts: list[Signal] = []
    errors: list[float] = []
    for i in range(len(prepared)):
        one = prepared[i]
        asked: Target | None = None
        start = baseline_of(net, one, baseline).to(one.pixels)
        total, change, coverage = torch.zeros_like(one.pixels, dtype=torch.float64), 0.0, Counter[Met]()
        for reference in steps(start.split(1), "DeepLIFT"):
            pair = torch.cat([one.pixels, reference])
            with torch.enable_grad():
                run = net.run(pair, layers=target.layers, rule=Rescale(1), grad="pixels")
                asked = fixed(target, run) if asked is None else asked  # as it is for the image, the first of the two
                scores, (gradient,) = derivative(run, [run.pixels], asked, "the pixels", first=1)
            total += (gradient[:1] * (one.pixels - reference)).double() / len(start)
            change += float(scores[0] - scores[1]) / len(start)
            coverage.update(run.coverage)
        parts.append(Signal(total, scores[:1], dict(coverage), (asked,) if asked is not None else ()))
        errors += missed(total.sum(1), total.new_tensor([change]))
    whole = joined(parts)
    values = whole.gradient.sum(1).to(prepared.pixels.dtype)
    return pixel_map(
        net,
        prepared,
        target,
        values,
        whole,
        unit=target.unit_of(net),
        signed=True,
        found={"completeness": tuple(errors)},
        notes=(*no_rule(whole.coverage), *_missing(errors, prepared.ids)),
    )


def _missing(errors: Sequence[float], names: Sequence[str]) -> tuple[Note, ...]:
    """What to say of images whose map does not sum to the difference of the scores: rounding, where numbers inside are
    very large."""
    return tuple(
        Note("completeness", f"completeness error {error:.2%}: another baseline, such as blur, may do", name)
        for name, error in zip(names, errors, strict=True)
        if error > _TOLD
    )


_TOLD = 0.01
"""Completeness errors up to this are not worth a word."""
