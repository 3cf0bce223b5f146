"""Excitation backprop: how often a winner that walks down from the class passes each place."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import LayerName, Net, Run
from pellucid.net.rules import Excitation
from pellucid.result import Heatmap
from pellucid.result.coverage import Met
from pellucid.saliency.backward import chunks
from pellucid.saliency.heatmaps import heatmap, no_rule
from pellucid.saliency.layers import PlacingOption, chosen_layer
from pellucid.target import BEST, Target, resolved, scored


@method(
    "Excitation backprop",
    purpose="pass probability down to the winning cells",
    shows=(
        "A positive cell is reached more often from the class than from its opposite, the unit with negated weights; a "
        "negative cell less often. The values are differences of probabilities and not parts of the score. Negative "
        "activations take no part, so a network that relies on them is only partly explained. Two forward passes and "
        "two backward passes that end at the layer; one of each without contrast."
    ),
    source="Zhang et al. 2016, equations 1 and 5, and section 3.4 (contrastive)",
)
def excitation_backprop(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer at which the backward pass stops", examples=["blocks.4"]),
        Default("the last layer with spatial maps"),
    ] = None,
    contrastive: Annotated[
        bool, Field(description="subtract the map of the opposite unit, whose last weights are negated")
    ] = True,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """The probability that the winner passes a cell, summed over channels: (N, rows, columns).

    Without contrast every map is positive and sums to 1, but for what reaches places that nothing excites. With
    contrast it is the difference of two probabilities, and sums to 0 where something speaks against the class too.
    Only positive weights and activations take part; the activations of the paper's networks are not negative, and a
    negative one (SiLU, the sum of a skip) receives nothing.
    """
    prepared = net.prepare(images)
    chosen = chosen_layer(net, prepared, target.layers, layer, placement)
    maps, scores, asked, coverage = [], [], list[Target](), Counter[Met]()
    for pixels in chunks(prepared.pixels, net, "excitation backprop"):
        walked, score, run = _walked(net, pixels, target, chosen.name, Excitation())
        if contrastive:
            walked = walked - _walked(net, pixels, target, chosen.name, Excitation(dual=True))[0]
        maps.append(walked.sum(1))
        scores.append(score)
        asked += resolved(target, run)
        coverage.update(run.coverage)
    return heatmap(
        net,
        prepared,
        target,
        torch.cat(maps),
        chosen.placement,
        torch.cat(scores),
        unit="difference of probabilities" if contrastive else "probability",
        asked=asked,
        signed=contrastive,
        found={"layer": chosen.name},
        coverage=dict(coverage),
        notes=(*chosen.note, *no_rule(coverage)),
    )


def _walked(net: Net, pixels: Tensor, target: Target, layer: str, rule: Excitation) -> tuple[Tensor, Tensor, Run]:
    """(probability at each number of the layer, scores, the run)."""
    with torch.enable_grad():
        run = net.run(pixels, layers=[layer, *target.layers], rule=rule, grad="pixels")
        scores = scored(target, run)
        ends = [run.at[name] for name in target.layers] or [run.output]
        pulls = run.gradients(scores.sum(), ends, retain_graph=True, allow_unused=True)
        starts = [None if pull is None else _start(pull, end) for pull, end in zip(pulls, ends, strict=True)]
        given = [(end, start) for end, start in zip(ends, starts, strict=True) if start is not None]
        if not given:
            raise Refused(f"the score of {target} does not depend on what it reads: there is nowhere to walk from")
        found = run.gradients([end for end, _ in given], run[layer], [start for _, start in given], allow_unused=True)[
            0
        ]
    if found is None:
        raise Refused(f"the score of {target} does not depend on layer {layer!r}: the walk never comes there")
    activation = run[layer].detach()
    return torch.where(activation == 0, 0.0, found * activation), scores.detach(), run


def _start(pull: Tensor, end: Tensor) -> Tensor:
    """Probability 1 over the units that the target wants, as m = P / value."""
    wanted = pull.clamp(min=0)
    shares = wanted / wanted.flatten(1).sum(1).clamp(min=1e-30).view(-1, *[1] * (wanted.dim() - 1))
    value = end.detach()
    return shares / torch.where(value == 0, 1.0, value)
