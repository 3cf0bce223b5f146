"""Exchange of regions: which parts of a photo of another class, put into an image, change its answer to that class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default, Shell
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.index import IndexOption
from pellucid.index.search import mean_of, nearest
from pellucid.net import LayerName, Net
from pellucid.progress import steps
from pellucid.result import Meta, Pair
from pellucid.rng import Seed
from pellucid.saliency.pairs import Paired, paired, says
from pellucid.training_set.examples import examples_of


@method(
    "Exchange of regions",
    purpose="swap few regions with a photo to change the answer",
    shows=(
        "The numbered regions of the image, and those of the other photo that take their places, are what the network "
        "tells the classes apart by here. Few exchanges mean much only beside the number that regions drawn at random "
        "take. Features are exchanged and not pixels, and each has seen beyond its region: the answer for the picture "
        "with the regions pasted in says how much the pixels alone do. At each step up to 2,500 passes from the layer "
        "on."
    ),
    source="Goyal et al. 2019, sections 3 and 4 (greedy search)",
    over="all",
)
def exchange(
    net: Net,
    images: Images,
    *,
    index: Annotated[
        IndexOption | None,
        Field(description="index of this network whose photos are exchanged with"),
        Default("none: the last image is the one exchanged with"),
        Shell(value="INDEX"),
    ] = None,
    new_class: Annotated[
        str | int | None,
        Field(description="class that the images are to be answered with, by its name or number", examples=["tabby"]),
        Default("the answer for the other image; with an index the most probable other class of which it has a photo"),
        Shell(flag="--to", value="CLASS"),
    ] = None,
    layer: Annotated[
        LayerName | None,
        Field(description="layer whose cells are exchanged", examples=["blocks.4"]),
        Default("the last layer with spatial maps"),
    ] = None,
    repeat: Annotated[bool, Field(description="let a region of the other image be used in several places")] = False,
    seed: Seed = 0,
) -> Pair:
    """The fewest exchanges of cells that a greedy search finds to turn each answer into another class: (N,) pairs.

    Of several images the last is the one that all others exchange with. With an `index` that is, for each image, the
    photo nearest to it in what the last layer reads, among those of the class that the network answers right.
    Each step exchanges the cell after which the log odds of the new class against the answer are largest; with `repeat`
    and behind a mean over places that is the best order there is. `random` says how many exchanges cells drawn at
    random take, in 20 draws by `seed`. Raises PellucidError for one image without an index, and where there is no photo
    of the class.
    """
    if index is None and len(images) < 2:
        raise PellucidError(
            f"{len(images)} image: name a second one to exchange regions with, or photos to choose from, index="
        )
    wanted = None if new_class is None else net.class_index(new_class)
    queries = [*images] if index is not None else [*images][:-1]
    found = list[Paired]()
    for one in steps(queries, "exchange: images") if len(queries) > 1 else queries:
        if index is None:
            found.append(paired(net, one, images[len(images) - 1], wanted, layer, repeat, seed))
            continue
        ranked = np.argsort(-says(net, net.prepare(one).pixels), kind="stable")[1:].tolist()
        asked, other = photo(index.with_net(net), one, ranked if wanted is None else [wanted])
        found.append(paired(net, one, other, asked, layer, repeat, seed))
    fields: dict[str, Any] = {name: tuple(one.fields[name] for one in found) for name in found[0].fields}
    fields |= {name: np.stack(fields[name]) for name in ("random", "pasted_values")}
    notes = (*images.notes, *dict.fromkeys(note for one in found for note in one.notes))
    findings = tuple(one.told for one in found)
    return Pair(**fields, findings=findings, meta=Meta(found={"layer": found[0].layer}, notes=notes))


def photo(index: Index, image: Images, wanted: Sequence[int]) -> tuple[int, Images]:
    """(class, photo) of an index: the first of some classes of which it has a photo that the network answers right, or
    that has no class and is answered so; of these the nearest to the image by cosine about the mean, in what the last
    layer reads. Refused where there is none.
    """
    examples = examples_of(index)
    if examples.fitted:
        raise Refused("the classes of these photos are none of the network's: name the other image itself")
    right = np.where((examples.labels < 0) | (examples.labels == examples.answers), examples.answers, -1)
    there = np.isin(wanted, right)
    if not there.any():
        called = examples.classes[wanted[0]] if len(wanted) == 1 else "another class"
        raise Refused(
            f"index={index.title!r} has no photo of {called!r} that is answered with that class: name another class, "
            "or the other image itself"
        )
    asked = wanted[int(there.argmax())]
    rows = np.flatnonzero(right == asked)
    center = mean_of(examples.features)
    _, near = nearest(examples.read(image), examples.features[rows], 1, "cosine", center=center)
    return asked, index.read(int(examples.numbers[rows[near[0, 0]]]))
