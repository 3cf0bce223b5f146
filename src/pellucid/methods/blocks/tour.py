"""Tour: one walk through a network for a class, from the first filters to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid import catalogue
from pellucid.catalogue import method
from pellucid.decomposition import toured
from pellucid.decomposition.assembled import Points, Steps
from pellucid.described import Default
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.layout.layout import laid_out
from pellucid.net import LayerName, Net
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.directions import pictures_of
from pellucid.render.photos import Real
from pellucid.result import ActivationMaps, Filters, Meta, Tour, TourLayer, Walk
from pellucid.rng import Seed
from pellucid.saliency.between import AtLayer, at_layer, ordered, rectified
from pellucid.saliency.heatmaps import asked_of
from pellucid.saliency.layers import chosen_layer
from pellucid.target import BEST, Channel, Target, fixed, scored

_CLASSES, _MAPS, _COLORED = 5, 8, 4


@method(
    "Tour",
    purpose="walk through a network for a class, on one page",
    shows=(
        "Read from top to bottom: what the first filters look for, which units of each layer add most to the score and "
        "what excites them, how much color they need, which photos are alike to the network, and where the score comes "
        "from. A picture shows what excites a unit, not that the unit needs it, and patches are no better than the "
        "photos that they come from. Passes over the photos, a backward pass for each point of each layer, and 64 "
        "optimization steps for each picture."
    ),
    source="Olah et al. 2017, section 'Feature visualization'; Zeiler & Fergus 2014, figure 2; "
    "Rafegas & Vanrell 2018, section 3",
    quick={"steps": 16, "points": 4, "units": 3},
)
def tour(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(description="layers of the walk, as a,b,c", examples=["blocks.2,blocks.4,blocks.6"]),
        Default("the last layer without negative activations of each size of maps"),
    ] = None,
    units: Annotated[int, Field(ge=1, le=12, description="number of units shown of each layer")] = 4,
    photos: Annotated[
        Real | None,
        Field(description="folder of real images, for patches, colors and the map of images", examples=["photos/"]),
        Default("the photos that come with Pellucid"),
    ] = None,
    points: Points = 16,
    steps: Steps = 64,
    seed: Seed = 0,
) -> Tour:
    """A walk for each of N images: of each layer a map (rows, columns), the units that add most to the score, and what
    the photos say of all units.

    The share of a layer is Σ A ∘ g, with g the mean gradient of the score between no activation and the layer's own
    A, at `points`; its sum over channels is the map, its sum over places what each unit adds, (K,). Selectivity
    for color is 1 − Σ a' / Σ a over the five photos that excite it most, a' being the activation at the same place of
    the same photo in gray. Photos lie in the plane of the first two principal components of a layer's means over
    places, and the image is placed among them. Filters and their maps are those of `first_layer` and `maps`. Saved as
    .html it is one page to open and share. Raises PellucidError for fewer than two photos or more units than a layer
    has, and Refused where a layer has no places or the score does not depend on it.
    """
    prepared = net.prepare(images)
    size = (prepared.pixels.shape[-2], prepared.pixels.shape[-1])
    names = ordered(net, size, layers) if layers else rectified(net, prepared.pixels[:1], target.layers)
    photos_seen = toured.beside(net, photos, names)
    filters, notes = _filters(net)
    shown = _Shown(photos_seen, units, points, steps, seed)
    walks, asked = [], []
    for i in told(range(len(prepared)), "tour: images") if len(prepared) > 1 else range(len(prepared)):
        asked.append(fixed(target, net.run(prepared.pixels[i : i + 1], layers=target.layers)))
        walks.append(_walk(net, prepared[i], target, asked[-1], names, shown, filters))
    scores = tuple(one.score for one in walks)
    if photos_seen.left_out:
        said = f"{len(photos_seen.names)} of {len(photos_seen.names) + photos_seen.left_out} photos were looked at"
        notes.append(Note("choice", said))
    meta = Meta(
        found={**asked_of(net, target, asked), "score": scores, "layer": ", ".join(names)},
        notes=(*prepared.notes, *notes, *toured.missed(walks, prepared.ids, points)),
    )
    found = _findings(walks[0].layers)
    return Tour(tuple(walks), filters, photos_seen.thumbs, photos_seen.names, target.unit_of(net), found, meta)


@dataclass(frozen=True)
class _Shown:
    """What is shown of each layer: photos, how many units, and how their pictures are made."""

    photos: toured.Beside
    units: int
    points: int
    steps: int
    seed: int


def _filters(net: Net) -> tuple[Filters | None, list[Note]]:
    """Those of the first convolution, and why there are none."""
    try:
        found: Filters = catalogue.find("first_layer").function(net)
    except Refused as error:
        return None, [Note("refused", f"filters: {error}")]
    return found, []


def _walk(
    net: Net, image: Images, target: Target, asked: Target, names: Sequence[str], shown: _Shown,
    filters: Filters | None,
) -> Walk:  # fmt: skip
    pixels, photos = image.pixels, shown.photos
    layers, last = [], np.zeros(0)
    for name in told(names, "layers"):
        at = at_layer(net, pixels, asked, name, shown.points)
        means = at.activation.mean(0)
        rows = photos.answers[name].means
        plane = laid_out(rows, "pca", 0, shown.seed)
        places = np.concatenate([plane.values, plane.place(means[None])])
        layers.append(_layer(net, image, name, at, places, shown))
        last = np.linalg.norm(rows - means, axis=1)
    gray = float("nan")
    if pixels.shape[1] == 3:
        gray = float(scored(asked, net.run(toured.grayed(pixels), layers=target.layers))[0])
    maps: ActivationMaps | None = None
    if filters is not None and filters.meta.layer:
        maps = catalogue.find("maps").function(net, image, layer=filters.meta.layer, max_units=_MAPS)
    same = 1e-6 * last.max(initial=0)  # the image itself, where it is one of the photos
    nearest = tuple(int(i) for i in np.argsort(last, kind="stable") if last[i] > same)
    (ranked,) = net.predict(image, _CLASSES).ranked
    name = asked_of(net, target, [asked])["target"]
    return Walk(image.shown(0, seen=True), ranked, tuple(layers), name, at.score, gray, nearest, maps)


def _layer(net: Net, image: Images, name: str, at: AtLayer, places: np.ndarray, shown: _Shown) -> TourLayer:
    whole, photos = toured.shares_of_units(at), shown.photos
    if shown.units > len(whole):
        raise PellucidError(f"units={shown.units}: layer {name!r} has {len(whole)}")
    units = np.argsort(-whole, kind="stable")[: shown.units]
    pictures = None
    if shown.steps:
        targets = [Channel(name, int(unit)) for unit in units]
        pictures = pictures_of(net, targets, shown.steps, shown.seed, what=f"pictures of {name}")
    patches = [toured.patch(net, photos, name, int(unit)) for unit in units]
    colored = toured.most_colored(photos.answers[name], _COLORED)
    strips = [toured.patch(net, photos, name, int(unit))[0] for unit in colored]
    side = patches[0][0].shape[0]
    return TourLayer(
        name, chosen_layer(net, image, (), name, "auto").placement,
        (at.activation * at.gradient).sum(1).reshape(at.places), units, whole[units],
        at.activation[:, units].T.reshape(-1, *at.places), pictures, np.stack([one for one, _ in patches]),
        tuple(source for _, source in patches), toured.selectivity(photos.answers[name]), colored,
        np.stack(strips) if strips else np.zeros((0, side, side, 3), np.uint8), places, at.empty,
    )  # fmt: skip


def _findings(layers: Sequence[TourLayer]) -> tuple[str, ...]:
    """How much color the layers need."""
    said = [f"{one.layer} {one.colored:.0%}" for one in layers if one.colored is not None]
    return (f"units that lose more than a quarter of their activation in gray: {', '.join(said)}",) if said else ()
