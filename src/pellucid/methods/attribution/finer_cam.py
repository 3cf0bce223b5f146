"""Finer-CAM: what tells a class from those that the network finds most alike."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Heatmap
from pellucid.saliency.class_maps import Mapped, class_map
from pellucid.saliency.layers import Chosen, LayerNames, PlacingOption
from pellucid.saliency.weighting import by_mean_gradient, weighted
from pellucid.target import BEST, Logit, Target, fixed, resolved, scored


@method(
    "Finer-CAM",
    purpose="Grad-CAM of a class against similar classes",
    shows=(
        "A positive cell still speaks for the class when a part of what speaks for the most similar classes is "
        "subtracted; a negative one speaks rather for those. What they have in common is weakened, so the map may "
        "leave out most of the thing: it answers why this class and not those, which a note names, and not why this "
        "class at all. Two forward passes and one backward pass."
    ),
    source="Zhang et al. 2025, section 3 (weights from the gradient of y^c − γ y^d)",
)
def finer_cam(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: LayerNames = None,
    strength: Annotated[
        float | int,
        Field(ge=0, le=10, description="weight γ of the similar classes that are subtracted; 0 is Grad-CAM"),
    ] = 0.6,
    classes: Annotated[int, Field(ge=1, le=100, description="number of similar classes to compare with")] = 3,
    placement: PlacingOption = "auto",
) -> Heatmap:
    """Grad-CAM of y^c − γ · (mean y^d over similar classes d): (N, rows, columns), signed, in the layer's own frame.

    Similar are the classes whose logits are nearest to that of c in this very image; a note names them. To choose
    them yourself ask another method for a difference, such as `tiger cat - lynx`. Meta.score is the difference.
    Several layers give one map of pixels (N, H, W) as in `grad_cam`. Refused for targets that are no class, and
    where the network knows no second one.
    """
    prepared = net.prepare(images)
    contrasts, notes, asked = [], [], list[Target]()
    for one in steps(list(prepared), "similar classes"):
        run = net.run(one.pixels)
        index = _class(target, run)
        asked += resolved(target, run)
        others = nearest(run.scores[0], index, classes)
        contrasts.append(_contrast(index, others, strength))
        notes.append(Note("choice", f"compared with {', '.join(map(net.class_name, others))}", one.ids[0]))

    def maps_of(prepared: Images, chosen: Chosen) -> Mapped:
        found = [
            weighted(net, contrast, "Finer-CAM", by_mean_gradient)(one, chosen)
            for one, contrast in zip(prepared, contrasts, strict=True)
        ]
        return Mapped(torch.cat([one.values for one in found]), torch.cat([one.scores for one in found]), tuple(asked))

    return class_map(net, prepared, target, layer, placement, maps_of, shared=True, notes=tuple(notes))


def nearest(scores: Tensor, index: int, classes: int) -> list[int]:
    """The classes whose scores lie nearest to that of class `index`, nearest first."""
    order = (scores - scores[index]).double().abs().argsort(stable=True).tolist()
    return [other for other in order if other != index and scores[other].isfinite()][:classes]  # −inf: masked


def _class(target: Target, run: Run) -> int:
    """The one class that is asked about."""
    asked = fixed(target, run)
    if run.by_class.shape[1] < 2 or run.scores.shape[1] < 2 or not isinstance(asked, Logit):
        raise Refused(
            f"Finer-CAM compares a class with others of {run.net.name}: {target} is no class out of several; "
            "ask grad_cam for it"
        )
    scored(asked, run)
    return run.net.class_index(asked.of_class)


def _contrast(index: int, others: list[int], strength: float | int) -> Target:
    whole: Target = Logit(index)
    for other in others:
        whole = whole - Logit(other) * (strength / len(others))
    return whole
