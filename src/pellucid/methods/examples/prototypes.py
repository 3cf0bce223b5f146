"""Prototypes: few images that stand for a class or for all, and criticisms: those that they stand for worst."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default, Shell
from pellucid.index import Index
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Meta, Prototypes
from pellucid.rng import Seed
from pellucid.training_set.stood_for import Grouped, findings, judged, shown


@method(
    "Prototypes",
    purpose="find few images that stand for a class or for all",
    shows=(
        "Prototypes are what the images are mostly like in this space, criticisms what that leaves out: look there for "
        "rare subgroups, other views and wrong labels. Few prototypes are enough where their MMD² is far below that of "
        "images drawn at random. They are typical to the network and not to a person: compare another space, such as "
        "hog. A criticism is no error by itself. No pass through the network; all pairs of images are compared once."
    ),
    source="Kim, Khanna & Koyejo 2016, sections 2 and 3 (MMD-critic); Gurumoorthy et al. 2019, algorithm 1 (ProtoDash)",
    over="all",
)
def prototypes(
    index: Index,
    *,
    classes: Annotated[
        str | tuple[str, ...] | None,
        Field(
            description="class whose images are summarized, by its name; several, as a,b, or each, for every class, "
            "give a group each",
            examples=["each"],
        ),
        Default("the images of all classes together"),
        Shell(flag="--class", value="CLASS"),
    ] = None,
    space: Annotated[
        str | None,
        Field(description="embedded layer by which images are compared, or hog, lbp, colors, pixels", examples=["hog"]),
        Default("the last embedded layer"),
    ] = None,
    count: Annotated[int, Field(ge=1, le=1000, description="number of prototypes of each group")] = 10,
    criticisms: Annotated[int, Field(ge=0, le=1000, description="number of criticisms of each group")] = 5,
    variant: Annotated[
        Literal["mmd_critic", "proto_dash"],
        Field(
            description="definition: equal weights (mmd_critic), or weights of 0 or more that fit best (proto_dash)",
            examples=["proto_dash"],
        ),
    ] = "mmd_critic",
    seed: Seed = 0,
) -> Prototypes:
    """The images that stand for a group of images, and `criticisms` that they stand for worst: (N,) groups, with up to
    `count` prototypes each.

    Prototypes make the squared maximum mean discrepancy (MMD²) between them and all images of the group small,
    greedily, with the kernel exp(−γ d²), γ = 1 / the median squared distance of two images (of more than 2,000, of so
    many drawn by `seed`). The features of a layer are taken as directions about the mean of the index. Criticisms make
    Σ |witness| + log det K large. The `table` says how small MMD² is, what share of the other images has the class of
    the nearest prototype, and what images drawn at random come to, mean of 20 draws; of a class by itself also how many
    of the images nearest to its prototypes are of it. Raises UnknownName for a class or a space that the index does not
    have.
    """
    grouped = Grouped.of(index, space, classes)
    many = grouped.groups.items()
    found = [
        shown(grouped, index, name, members, variant, count, criticisms, seed)
        for name, members in (steps(many, "groups") if len(many) > 1 else many)
    ]
    table = judged(grouped, found, seed)
    few = [one.group.name for one in found if len(one.group) < count]
    some = f"{', '.join(few[:5])}{' …' if len(few) > 5 else ''}"
    said = f"fewer than {count} prototypes of {some}: there are no more images, or no further one adds anything"
    return Prototypes(
        tuple(one.group for one in found), table, grouped.space.layer, findings(table, found),
        Meta(
            found={"layer": grouped.space.layer, "gamma": tuple(one.gamma for one in found)},
            notes=(*grouped.space.notes, *Note.many("values", [said] if few else [])),
        ),
    )  # fmt: skip
