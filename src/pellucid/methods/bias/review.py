"""Review: the clusters of reasons with their photos and maps, as a page on which a person accepts or suspects them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch.nn import functional as F

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.evaluation.clusters import shares
from pellucid.evaluation.odd import Cluster, surveyed
from pellucid.evaluation.reasons import (
    EXPLAINER,
    ClassNameOption,
    Count,
    ExplainerOption,
    Reasons,
    protocol,
)
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Meta, Review, ReviewedCluster
from pellucid.rng import Seed

_SIDE, _MOST = 112, 60
"""Pixels of a small photo, and clusters that a page shows."""


@method(
    "Review of reasons",
    purpose="page of clusters of reasons, odd ones first, to accept or suspect",
    shows=(
        "Look at the photos and maps of each cluster, and suspect it where they share what should not count. "
        "Suspicious is what the paste test says, and no verdict; a mark on all photos of a class makes no cluster and "
        "is not shown. Your marks stay in the browser until its button writes them to a file. One map and one forward "
        "pass for each of up to 200 photos of each class, and 144 passes for each cluster that is tested."
    ),
    source="Lapuschkin et al. 2019, section 2 and supplementary note 1 (spectral relevance analysis)",
    over="all",
    resumable=True,
    quick={"count": 20},
)
def review(
    net: Net,
    data: Data,
    *,
    class_name: ClassNameOption = None,
    of: ExplainerOption = EXPLAINER,
    cells: Annotated[int, Field(ge=2, le=64, description="number of cells along a side of the compared maps")] = 8,
    photos: Annotated[int, Field(ge=1, le=100, description="number of photos shown of each cluster")] = 12,
    count: Count = 200,
    seed: Seed = 0,
) -> Review:
    """What `clusters` of this chapter finds, with photos and maps of each of K clusters, (K, cells, cells) their means:
    saved as .html it is one page, on which each cluster is accepted or suspected.

    The suspicious clusters come first, then the others by how odd they are. The marks are kept by the browser, and a
    button of the page writes them with the names of the photos as JSON. No more than 60 clusters are shown. Maps are
    those that were compared, (cells, cells), each over its largest absolute value. Raises PellucidError for a class
    that no photo has, and Refused where the method refuses.
    """
    data = data.on(net)
    survey = surveyed(net, data, of, class_name, count, cells, seed)
    found, odd, sizes = survey.reasons, survey.clusters, survey.sizes
    notes = (Note("choice", f"{_MOST} of {len(odd)} clusters are shown"),) if len(odd) > _MOST else ()
    odd = odd[:_MOST]
    shown = [(k, i) for k, one in enumerate(odd) for i in one.typical(found)[:photos]]
    picked = [i for _, i in shown]
    maps = found.maps[picked]
    peaks = np.abs(maps).max((1, 2), keepdims=True)
    return Review(
        tuple(_cluster(net, found, one, sizes[one.of_class]) for one in odd),
        np.stack([_small(net, data, int(found.numbers[i])) for i in picked]), maps / peaks,
        np.stack([shares(found.maps[one.members]).mean(0) for one in odd]), np.array([k for k, _ in shown]),
        tuple(found.names[i] for i in picked), tuple(net.class_name(int(found.answer[i])) for i in picked),
        found.probability[picked], _findings(odd, net),
        Meta(found=protocol(of, cells, found), notes=notes),
    )  # fmt: skip


def _small(net: Net, data: Data, i: int) -> np.ndarray:
    """(side, side, 3) of 8 bits; one channel is gray, and of many the first three are shown."""
    pixels = net.prepare(data.image(i)).pixels.float()
    pixels = pixels.expand(-1, 3, -1, -1) if pixels.shape[1] < 3 else pixels[:, :3]
    how = "nearest" if max(pixels.shape[-2:]) <= _SIDE // 2 else "area"
    whole = F.interpolate(pixels, (_SIDE, _SIDE), mode=how)[0].clamp(0, 1) * 255
    return whole.round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def _cluster(net: Net, found: Reasons, one: Cluster, photos: int) -> ReviewedCluster:
    place = one.focus
    cell = f"cell {place.cell[0]},{place.cell[1]}"
    said = [f"{cell}: {place.own:.0%} of its attribution, {place.elsewhere:.1%} of that of others",
            f"isolation {one.isolation:.2f}",
            f"border {found.shares['border'][one.members].mean():.0%}",
            f"corners {found.shares['corners'][one.members].mean():.0%}"]  # fmt: skip
    if one.pasted is not None:
        said.append(f"pasted on other photos: {one.pasted.gain:+.2f} (at least {one.pasted.low:+.2f})")
    return ReviewedCluster(
        net.class_name(one.of_class), one.number, tuple(found.names[i] for i in one.typical(found)),
        len(one.members) / photos, float(found.right[one.members].mean()), one.oddness, one.suspicious, "; ".join(said),
    )  # fmt: skip


def _findings(odd: list[Cluster], net: Net) -> tuple[str, ...]:
    marked = [one for one in odd if one.suspicious]
    classes = ", ".join(dict.fromkeys(net.class_name(one.of_class) for one in marked))
    if not marked:
        return (f"no cluster of {len(odd)} is suspicious",)
    return (f"{len(marked)} of {len(odd)} clusters {'is' if len(marked) == 1 else 'are'} suspicious, of {classes}",)
