"""All that Zeiler & Fergus read from covered images, from one pass for each cover."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.notes import Note
from pellucid.result import Heatmap, LabelMap, Meta, Panel
from pellucid.rng import Seed
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as, asked_of, heatmap
from pellucid.saliency.layers import chosen_layer
from pellucid.saliency.occluders import Border, Cover, Occluders, Size, Stride
from pellucid.saliency.ranks import ahead, by_class, class_of, names_of
from pellucid.target import BEST, Channel, Probability, Target, fixed, scored
from pellucid.target.units import layer_and_unit


@method(
    "Occlusion, all products",
    purpose="all that occlusion shows: score, map, class",
    shows=(
        "In the maps of probability and response, covering a positive cell lowers the number and covering a negative "
        "one raises it; the other two show the first guess and how many classes are ahead. A probability near 1 hides "
        "losses, the feature map was chosen for its strength and not because the class needs it, and the gray cover is "
        "itself seen. About 170 forward passes at the defaults for all four."
    ),
    source="Zeiler & Fergus 2013, section 4.2, figure 7 (b), (d) and (e)",
)
def occlusion_products(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    size: Size = None,
    stride: Stride = None,
    fill: Cover = "gray",
    border: Border = "inside",
    unit: Annotated[
        str | None,
        Field(description="unit whose response is mapped, as LAYER:UNIT, or LAYER for its strongest one"),
        Default("the strongest of the last layer with spatial maps"),
    ] = None,
    seed: Seed = 0,
) -> Panel:
    """What covering a place does to the class, to one feature map, to the answer: four maps (N, rows, columns).

    `probability` is how far the probability of the class falls; `response` how far the total activation of one
    feature map falls, by default the map that responds most to the whole image in the last layer with places.
    Both are signed, and `Meta.score` of each part holds the whole image's number: score − fall is what the
    paper draws. `label` is the best guess, `rank` how many classes are ahead of it.
    The target is a class: Refused for others.
    """
    prepared = net.prepare(images)
    occluders = Occluders.over(prepared, size, stride, border)
    named, index = layer_and_unit(unit, net) if unit else (None, None)
    layer = named if named and index is not None else chosen_layer(net, prepared, (), named, "field").name
    whole, covered, units, classes, asked = [], [], [], [], []
    for one in prepared:
        plain = net.run(one.pixels, layers=(layer, *target.layers))
        units.append(Channel(layer, _strongest(plain[layer]) if index is None else index, "sum"))
        classes.append(class_of(target, plain))
        asked.append(fixed(target, plain))
        whole.append(_read(plain, classes[-1], units[-1]))
        runs = occluders.runs(net, one.pixels, baseline_of(net, one, fill, seed), (layer,))
        covered.append(torch.cat([_read(run, classes[-1], units[-1]) for run in runs]).view(*occluders.shape, 4))
    scores, maps = torch.cat(whole), torch.stack(covered)
    score_drops = as_exact_as(scores[:, None, None, :2] - maps[..., :2], prepared)
    labels = maps[..., 2].long().cpu().numpy()

    def part(values: Tensor, column: int, of: str, signed: bool = True) -> Heatmap:
        first = scores[:, column]
        return heatmap(net, prepared, target, values, occluders.placement, first, unit=of, signed=signed, asked=asked)

    names, own = [net.class_name(index) for index in classes], target.depends_on_run
    probability, rank = (
        part(score_drops[..., 0], 0, "probability"),
        part(maps[..., 3], 3, "classes ahead", signed=False),
    )
    response, strongest = part(score_drops[..., 1], 1, "activation"), index is None
    chosen = tuple(Note("choice", f"responds most in {u}", name) for name, u in zip(prepared.ids, units, strict=True))
    return Panel(
        {
            "probability": _about(probability, [f"p({name})" for name in names], f"p({target})", own),
            "response": _about(response, [*map(str, units)], f"the strongest map of {layer}", strongest),
            "label": LabelMap(labels, occluders.placement, prepared.views, names_of(net, labels)),
            "rank": _about(rank, names, str(target), own),
        },
        Meta(
            found={**asked_of(net, target, asked), "layer": layer},
            notes=(*prepared.notes, *(chosen if strongest else ())),
        ),
    )


def _about(heat: Heatmap, each: Sequence[str], whole: str, own: bool) -> Heatmap:
    """The map with what it asks of every image, `whole` where that is not one for all; `own`: the image decides it."""
    target, targets = each[0] if len({*each}) == 1 else whole, tuple(each) if own else ()
    return dataclasses.replace(heat, meta=heat.meta.finding(target=target, targets=targets))


def _strongest(activation: Tensor) -> int:
    """The map of one image that responds most in total."""
    return int(activation[0].detach().double().flatten(1).sum(1).argmax())


def _read(run: Run, index: int, unit: Channel) -> Float[Tensor, "n 4"]:
    """(probability of the class, response of the unit, best guess, rank of the class) in float64."""
    numbers = scored(Probability(index), run), scored(unit, run), by_class(run).argmax(1), ahead(run, index)
    return torch.stack([one.detach().double() for one in numbers], 1)
