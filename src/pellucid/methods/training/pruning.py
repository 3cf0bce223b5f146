"""Pruning: how many of its weights does a network need?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.learning.masks import SCHEMES, output_layer, prunable, pruned, retrained, share
from pellucid.learning.objective import tensors_of
from pellucid.methods.training._pruned import ROWS, Found, curve, enough, knee, row, said
from pellucid.methods.training._sensitivity import by_layer, by_removal
from pellucid.net import Net
from pellucid.net.answers import Shown
from pellucid.notes import Note
from pellucid.progress import steps as each
from pellucid.result import Meta, Study, Table
from pellucid.rng import Seed


@method(
    "Pruning",
    purpose="find how many weights a network needs",
    shows=(
        "Read down to which share the accuracy holds within its error, and how far magnitude is ahead of random "
        "weights. Without retraining it says how much the network bears, not how small one could be; losses of single "
        "layers do not add up, and zeros save no time by themselves. 37 forward passes over the images, one more for "
        "each layer with weights, and about two for each block that can be taken out."
    ),
    source="Han et al. 2015, section 3; Li et al. 2017, section 3.1 and figure 2 (channels, layer by layer)",
    over="all",
)
def pruning(
    net: Net,
    data: Data,
    *,
    kept: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...],
        Field(min_length=1, description="shares of the weights that stay, each from 0 to 1"),
    ] = (0.7, 0.5, 0.3, 0.2, 0.1, 0.05),
    layer_kept: Annotated[
        float, Field(gt=0, lt=1, description="share of the weights of one layer that stay while all others are whole")
    ] = 0.2,
    controls: Annotated[int, Field(ge=1, le=100, description="number of draws of random weights")] = 3,
    max_loss: Annotated[
        float, Field(ge=0, lt=1, description="share of the images whose right answer may be lost")
    ] = 0.01,
    steps: Annotated[
        int, Field(ge=0, le=10**6, description="number of steps of retraining, on half of the images; 0: none")
    ] = 0,
    seed: Seed = 0,
) -> Study:
    """Accuracy against the share of weights kept: `kept` has one row for each scheme and share.

    Weights of convolutions and linear layers are set to 0, in a view of the network that is not changed; biases and
    norms stay. `accuracy` holds a line (shares,) for each scheme, with errors that are half the width of the Wilson
    interval over 1.96 (for random weights the spread over the draws, where that is larger). With `steps` every scheme
    has a second line, of copies that were trained again with these zeros; half of the images, at random, are then
    trained on, and only the others judge anything. `layers` has one row for each layer that is pruned alone: which of
    them the network is sensitive to. `removed` has one row for each layer or block taken out whole, where it gives the
    shape that it takes, one after another, first those that cost least alone; their share is of all parameters.
    Zeros save no time by themselves. Raises Refused for a regression and for a network without such weights.
    """
    weights, axes, left = prunable(net)
    half, mixed = len(data) // 2 if steps else 0, data.shuffled(seed)
    shown = Shown(net, mixed.part(half, len(data)) if half else data)
    whole, shares = shown.answers(), sorted({1.0, *kept})
    found: Found = {(one, 1.0): [(whole, share(weights))] for one in SCHEMES}
    last = output_layer(net, weights, axes)
    asked = [(scheme, one, draw) for scheme in SCHEMES for one in shares if one < 1
             for draw in range(controls if scheme == "random" else 1)]  # fmt: skip
    for scheme, one, draw in each(asked, "networks"):
        values = pruned(weights, axes, one, scheme, seed, draw, last)
        found.setdefault((scheme, one), []).append((shown.answers(net.with_weights(values)), share(values)))
    if half:
        given = tensors_of(net, mixed.part(0, half))
        tuned = shown.answers(retrained(net, weights, given, steps, seed))
        found |= {(f"{scheme}, retrained", 1.0): [(tuned, share(weights))] for scheme in SCHEMES}
        for scheme, one in each([(scheme, one) for scheme in SCHEMES for one in shares[:-1]], "retraining"):
            values = pruned(weights, axes, one, scheme, seed, 0, last)
            tuned = shown.answers(retrained(net, values, given, steps, seed))
            found[f"{scheme}, retrained", one] = [(tuned, share(values))]
    names = [f"{one}{again}" for again in ("", ", retrained")[: 1 + bool(half)] for one in SCHEMES]
    rows = [row(name, one, found[name, one]) for name in names for one in shares]
    layers = by_layer(
        shown, weights, lambda name: pruned({name: weights[name]}, axes, layer_kept, "layer magnitude"), whole
    )
    tables = {"kept": Table(dict(zip(ROWS, zip(*rows, strict=True), strict=True)), ROWS), "layers": layers}
    removed = by_removal(shown, whole)
    if removed is not None:
        tables["removed"] = removed
    few, between = enough(found, shares, whole, max_loss), knee(rows)
    total = sum(p.numel() for p in net.module.parameters())
    count = sum(one.numel() for one in weights.values())
    base = float(whole.right.mean())
    facts = {"enough": few[0], "enough low": few[1], "enough high": few[2], "prunable": count, "parameters": total}
    meta = Meta(found={**facts, "accuracy": base}, notes=_notes(left, count, total, len(whole), half))
    words = said(rows, tables, few, between, count, base, max_loss)
    return Study(words, {"accuracy": curve(rows, between, removed)}, tables=tables, meta=meta)


def _notes(left: list[str], count: int, total: int, images: int, trained: int) -> tuple[Note, ...]:
    again = f"retrained on {trained} other images" if trained else "nothing is trained again"
    said = [Note("reading", f"{count:,} of {total:,} parameters may go: weights of convolutions and linear layers; "
                            f"{again}; over {images} images")]  # fmt: skip
    if left:
        said.append(Note("choice", f"weights that are computed from others stay whole: {', '.join(left[:4])}"))
    return tuple(said)
