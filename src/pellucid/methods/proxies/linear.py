"""Linear: how much of a network's answers, and of the labels, a linear read-out finds at every layer."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.index import Index
from pellucid.index.folds.embeddings import Embeddings
from pellucid.net import LayerName
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator
from pellucid.statistics import share_of
from pellucid.surrogates.linear import PENALTY, standardized
from pellucid.surrogates.mirrored import SCORES, Groups, Judged, Mirrored, own_rows
from pellucid.training_set.softmax import fitted

_HELP = {
    "layer": "embedded layer that is read",
    "units": "how many it has",
    **{name: SCORES[name] for name in ("fidelity", "error")},
    "accuracy": "share of the labeled held-out images of which a read-out of the labels says the label",
    "control": "share of the held-out images of which a read-out fitted to shuffled answers says the network's",
    "stability": SCORES["stability"],
}


@method(
    "Linear read-outs",
    purpose="read the answers off every embedded layer linearly",
    shows=(
        "A layer whose read-out is as faithful as the last one's holds the decision already. Compare with the control, "
        "fitted to answers that were shuffled among the images: what it finds, any features of that many units would. "
        "A read-out says what can be found in a layer, and not that the network uses it. Fits on the rows of the "
        "index, and no pass through the network."
    ),
    source="Alain & Bengio 2017, section 3; Hewitt & Liang 2019, section 2 (control with random answers)",
    over="all",
)
def linear(
    index: Index,
    *,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(description="embedded layers that are read", examples=["blocks.6"]),
        Default("all that the index embeds, and what the last layer reads"),
    ] = None,
    groups: Groups = None,
    penalty: Annotated[float, Field(gt=0, description="penalty on the squared weights of a read-out")] = PENALTY,
    seed: Seed = 0,
) -> Study:
    """Softmax regressions on embedded layers, one row for each, fitted to the network's answers on half of the images:
    their fidelity on the other half.

    Beside it the accuracy of a read-out of the labels, where there are some, and the control: a read-out of the same
    features fitted to answers that were shuffled. Features are brought to mean 0 and variance 1 over the images that
    are fitted to, so that one penalty is fair to all layers. Raises PellucidError for a layer that is not embedded.
    """
    names = _layers(index, layers)
    found = [(Mirrored.of(index, name, groups, seed)) for name in names]
    rows = [_read(one, penalty, seed) for one in steps(found, "layers")]
    table = Table(dict(zip(_HELP, zip(*(row for row, _ in rows), strict=True), strict=True)), _HELP, (),
                  ("fidelity", "control"), errors={"fidelity": "error"})  # fmt: skip
    last = rows[-1][1]
    parts, _ = last.parted()
    told = {"layers": len(found), "fidelity": float(last.fidelity), "judges": len(found[-1].outside)}
    notes = tuple(dict.fromkeys(note for one in found for note in one.notes))
    curves = {"over depth": _curve(table, found[-1])} if len(found) > 1 else {}
    return Study(_findings(table, found[-1]), curves, {}, {"layers": table, "parted": parts},
                 Meta(found=told, notes=notes))  # fmt: skip


def _layers(index: Index, layers: tuple[str, ...] | None) -> list[str | None]:
    """In the order of the network; None for what the last layer reads."""
    if layers is not None:
        if not layers:
            raise PellucidError("layers= names no layer")
        kept = sorted(set(layers), key=lambda one: index.layers.index(index[one].name) if one in index else -1)
        return list(kept)
    every = index.read_fold(Embeddings).layers if index.has(Embeddings) else ()
    names: list[str | None] = sorted(every, key=index.layers.index)
    if Mirrored.of(index).layer not in every:
        names.append(None)
    return names


def _read(mirrored: Mirrored, penalty: float, seed: int) -> tuple[tuple[Cell, ...], Judged]:
    x = standardized(mirrored.features, mirrored.inside)

    def read(rows: NDArray[np.int64], said: NDArray[np.int64]) -> Int[np.ndarray, " h"]:
        weight, bias = fitted(x[rows], said, mirrored.classes, penalty)
        return np.asarray((x[mirrored.outside] @ weight.T + bias).argmax(1))

    judged = mirrored.both(lambda rows: read(rows, mirrored.answers[rows]))
    inside, answers = mirrored.inside, mirrored.answers
    shuffled = answers[inside][generator(seed, "shuffled answers").permutation(len(inside))]
    control = float((read(inside, shuffled) == answers[mirrored.outside]).mean())
    labeled, judges = inside[mirrored.labels[inside] >= 0], mirrored.labels[mirrored.outside]
    accuracy: float | None = None
    if len(np.unique(mirrored.labels[labeled])) > 1 and (judges >= 0).any():
        said = read(labeled, mirrored.labels[labeled])
        accuracy = float((said == judges)[judges >= 0].mean())
    share, error = share_of(judged.faithful)
    return (mirrored.layer, x.shape[1], share, error, accuracy, control, judged.stability), judged


def _curve(table: Table, mirrored: Mirrored) -> Curve:
    at = np.arange(1, len(table) + 1, dtype=np.float64)
    quantity = "share of held-out images"

    def values(name: str) -> NDArray[np.float64]:
        return np.array([np.nan if one is None else float(one) for one in table[name]])

    lines = [Line("fidelity", at, values("fidelity"), values("error"), quantity=quantity)]
    if any(one is not None for one in table["accuracy"]):
        lines.append(Line("accuracy", at, values("accuracy"), quantity=quantity))
        own = np.full(len(at), float(own_rows(mirrored)[0][3] or 0))
        lines.append(Line("network's accuracy", at, own, quantity=quantity, style="dashed"))
    lines += [
        Line("stability", at, values("stability"), quantity=quantity),
        Line("control", at, values("control"), quantity=quantity, style="dashed"),
    ]
    named = ", ".join(f"{i + 1} {name}" for i, name in enumerate(table["layer"]))
    return Curve(tuple(lines), f"embedded layers in the order of the network: {named}")


def _findings(table: Table, mirrored: Mirrored) -> tuple[str, ...]:
    rows = table.rows
    last, best = rows[-1], max(rows, key=lambda row: float(row["fidelity"] or 0))
    chance = float(own_rows(mirrored)[1][1] or 0)
    said = [
        f"a linear read-out of {last['layer']} says what the network says of {last['fidelity']:.1%} of "
        f"{len(mirrored.outside)} images that it was not fitted to, its control of {last['control']:.1%}, the most "
        f"frequent answer alone of {chance:.1%}"
    ]
    if best is not last:
        said.append(f"the most faithful one reads {best['layer']}: {best['fidelity']:.1%}")
    early = next((row for row in rows if float(row["fidelity"] or 0) >= 0.9 * float(best["fidelity"] or 0)), last)
    if early is not last and early is not best:
        said.append(f"{early['layer']} is the first layer with nine tenths of that: {early['fidelity']:.1%}")
    stable = f"{last['stability']:.1%}"
    said.append(f"a second read-out of {last['layer']}, of images drawn anew, answers the same of {stable}")
    return tuple(said)
