"""Hierarchy: the classes joined two by two by the last layer's weights, and every image decided about that way."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import UnknownName, unknown
from pellucid.index import Index
from pellucid.notes import Note
from pellucid.result import DecisionTree, Meta, Table
from pellucid.result.decision_tree import Parting
from pellucid.result.table import Cell
from pellucid.statistics import share_of
from pellucid.surrogates.joined import Joined
from pellucid.surrogates.mirrored import SCORES
from pellucid.surrogates.pictured import SIDE
from pellucid.surrogates.walked import agreed, decided, image_table, node_table, ordered, shares, sides
from pellucid.training_set.curvature import softmax
from pellucid.training_set.examples import Examples, examples_of

_PARTED = 8  # pictures of images that part


@method(
    "Hierarchy of classes",
    purpose="join the classes by the last layer and decide step by step",
    shows=(
        "The tree says which classes the last layer treats alike; what is joined late differs most. It decides for "
        "every image from the root down, so a wrong answer can be traced to the node that took it the wrong way. A "
        "node is called by the class in its middle, and was never trained for what it seems to mean. The tree "
        "loses little of the accuracy for ten classes of photos, and most for a thousand. No pass through the network."
    ),
    source="Wan et al. 2021, sections 3.1 and 3.2 (NBDT; without tree supervision)",
    over="all",
)
def hierarchy(
    index: Index,
    *,
    image: Annotated[
        str | None,
        Field(description="image of the index whose decisions are drawn, by its name or number", examples=["0"]),
        Default("the one that the network is surest of where it and the tree part"),
    ] = None,
) -> DecisionTree:
    """The classes of a network as a binary tree, (M,) nodes, and soft and hard decisions about (N,) images of an index.

    The rows of the last layer's weights are brought to unit length and joined by Ward's method. A node scores the mean
    of the logits below it, bias included. Soft: a class has the product of the softmaxes along its way, and these
    products have the sum 1; hard: the likelier child is followed. Nothing is fitted to the images, so all of them
    judge. Raises Refused where the network does not end in a linear layer and a softmax, UnknownName for an image that
    the index does not have.
    """
    examples = examples_of(index)
    joined = Joined.of(examples.weight, examples.bias)
    soft, p, hard = decided(joined, examples.logits)
    answers = examples.answers
    parts = np.flatnonzero(soft != answers)
    sure = np.concatenate([softmax(examples.logits[[i]]).max(1) for i in parts]) if len(parts) else np.zeros(0)
    parts = parts[np.argsort(-sure, kind="stable")]
    shown = _asked(examples, image, parts)
    order, back = ordered(joined)
    walk = joined.reached(examples.logits[[shown]])[0][order]
    follows = sides(joined, examples.logits, answers)
    names = examples.classes
    called = tuple(joined.called(int(node), names) for node in order)
    children = [joined.children(int(node)) if node >= joined.classes else () for node in order]
    parents = np.full(len(order), -1)
    for m, pair in enumerate(children):
        parents[[back[k] for k in pair]] = m
    pictures = np.stack([examples.picture(int(i), SIDE) for i in (*parts[:_PARTED], shown)])
    tables = {
        "scores": _scores(examples, soft, hard, joined),
        "nodes": node_table(joined, names, follows, order),
        "images": image_table(examples, soft, p, hard),
    }
    reading = Note("reading", "a node scores the mean of the logits of the classes below it")
    return DecisionTree(
        parents, ("",) * len(order), tuple(_question(called, back, pair) for pair in children), called,
        shares(joined, answers)[order], agreed(joined, soft, answers)[order], pictures,
        np.full((len(order), 0), -1), walk, examples.names[shown],
        np.array([0.0 if node < joined.classes else joined.heights[node - joined.classes] for node in order]),
        _parted(examples, parts, soft), tables, _said(examples, joined, tables["scores"], tables["nodes"]),
        Meta(found={"fidelity": float((soft == answers).mean()), "nodes": len(order)},
             notes=(*examples.notes, reading)),
    )  # fmt: skip


def _asked(examples: Examples, image: str | None, parts: NDArray[np.int64]) -> int:
    """The row of the image whose decisions are drawn."""
    if image is None:
        return int(parts[0]) if len(parts) else 0
    if image in examples.names:
        return examples.names.index(image)
    if image.isdigit() and int(image) in examples.numbers:
        return int(np.flatnonzero(examples.numbers == int(image))[0])
    tails = [i for i, name in enumerate(examples.names) if name.endswith(f"/{image}")]
    if len(tails) == 1:
        return tails[0]
    raise (
        unknown("image of the index", image, examples.names)
        if not tails
        else UnknownName(
            f"image={image!r} could be {examples.names[tails[0]]!r} or {examples.names[tails[1]]!r}: name its folder"
        )
    )


def _question(called: tuple[str, ...], back: dict[int, int], pair: tuple[int, ...]) -> str:
    return " or ".join(called[back[k]] for k in pair) + "?" if pair else ""


def _scores(examples: Examples, soft: NDArray[np.int64], hard: NDArray[np.int64], joined: Joined) -> Table:
    known = examples.labels >= 0
    rows: list[tuple[Cell, ...]] = []
    for name, said in (("network", examples.answers), ("soft tree", soft), ("hard tree", hard)):
        share, error = share_of(said == examples.answers)
        right = float((said == examples.labels)[known].mean()) if known.any() else None
        size = examples.weight.size if name == "network" else joined.root + 1
        counts = "weights of its last layer" if name == "network" else "nodes"
        rows.append((name, share, None if name == "network" else error, right, size, counts))
    help_ = {name: said for name, said in SCORES.items() if name != "stability"}
    help_["fidelity"] = "share of the images of which it says what the network says: nothing was fitted to them"
    columns = dict(zip(help_, zip(*rows, strict=True), strict=True))
    return Table(columns, help_, (), ("fidelity",), errors={"fidelity": "error"})


def _parted(examples: Examples, parts: NDArray[np.int64], soft: NDArray[np.int64]) -> tuple[Parting, ...]:
    names = examples.classes
    return tuple(
        Parting(examples.names[i], names[examples.answers[i]], names[soft[i]],
                examples.class_name(int(examples.labels[i])), k)
        for k, i in enumerate(parts[:_PARTED].tolist())
    )  # fmt: skip


def _said(examples: Examples, joined: Joined, scores: Table, nodes: Table) -> tuple[str, ...]:
    soft, hard = scores.rows[1], scores.rows[2]
    one, other = (joined.called(k, examples.classes) for k in joined.children(joined.root))
    said = [
        f"the tree says what the network says of {soft['fidelity']:.1%} of {len(examples)} images (soft), "
        f"{hard['fidelity']:.1%} (hard), without any training for it",
        f"first it tells {one} from {other}",
    ]
    if joined.classes <= 20:
        said.append(f"the tree: {joined.written(examples.classes)}")
    if soft["accuracy"] is not None:
        said.append(
            f"it is right about {soft['accuracy']:.1%} (soft) and {hard['accuracy']:.1%} (hard), the network about "
            f"{scores.rows[0]['accuracy']:.1%}"
        )
    lost = [row for row in nodes.rows if row["follows"] is not None and int(row["images"] or 0) >= 5]
    if lost:
        worst = min(lost, key=lambda row: float(row["follows"] or 0))
        said.append(
            f"the node that loses most: {worst['one']} or {worst['other']}, which follows the network for "
            f"{worst['follows']:.1%} of {worst['images']} images"
        )
    return tuple(said)
