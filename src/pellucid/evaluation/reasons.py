"""Reasons: where the network looks for the class of each photo, as maps of one size, with what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, InstanceOf
from torch.nn import functional as F

from pellucid.data import Data
from pellucid.described import Default, Shell
from pellucid.errors import BadImage, PellucidError, Refused
from pellucid.evaluation.explainers import Explainer, Explainers, ExplainersLike
from pellucid.evaluation.judged import Case
from pellucid.evaluation.parts import Regions, share
from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats, Pair
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.notes import Note, say
from pellucid.resume import kept, measured_at
from pellucid.rng import generator
from pellucid.target import Probability, Target, scored

Numbers = NDArray[np.int64]
_FACTS = 4
"""Beside each map: the probability of the class, the answer, and the map's two jumps."""
EDGES = {name: Regions.of(name) for name in ("border", "corners")}


@dataclass(frozen=True, eq=False)
class Reasons:
    """Of N photos of one data set, each asked about its own class."""

    maps: Floats
    """(N, S, S), means over cells of the map."""
    labels: Numbers
    """(N,) the classes."""
    numbers: Numbers
    """(N,) places in the data."""
    names: tuple[str, ...]
    probability: Floats
    """(N,) of the class."""
    answer: Numbers
    """(N,) what the network says."""
    shares: Mapping[str, Floats]
    """(N,) of the absolute attribution what lies in each region; NaN for photos that have none."""
    areas: Mapping[str, Floats]
    """(N,) of the pixels what lies there."""
    jump: Pair = (1.0, 1.0)
    """Pixels of the network's input from one cell of a map to the next, down and across, before they became maps of one
    size."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is the class."""
        return np.asarray(self.answer == self.labels)


def own_class(net: Net, data: Data, i: int) -> Case:
    """Image i, asked about its own class. Raises BadImage."""
    raw, label = data.item(i)
    return Case(net, i, net.prepare(raw), Target.of(label), Probability(label))


def pooled(heat: Floats, side: int) -> Floats:
    """(side, side) means over cells of a map (H, W), each pixel shared out by how much of it lies in a cell."""
    wide = F.adaptive_avg_pool2d if not (heat.shape[0] % side or heat.shape[1] % side) else _areas
    found: Floats = wide(torch.from_numpy(heat)[None, None], (side, side))[0, 0].numpy()
    return found


def _areas(heat: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(heat, size, mode="area")


def chosen(data: Data, net: Net, class_name: str | None, count: int, seed: int) -> Numbers:
    """Places of up to `count` photos of every class, drawn at random; of one class those, and as many of all others to
    compare with. They are drawn and stand by their names: what follows does not depend on the order in which they came.
    PellucidError for a class that no photo has.
    """
    labels, picked = data.labels, list[int]()
    asked = None if class_name is None else net.class_index(class_name)
    if asked is not None and asked not in labels:
        have = ", ".join(net.class_name(int(one)) for one in np.unique(labels)[:8])
        raise PellucidError(f"class_name={class_name!r}: no photo of {data} is of that class; its classes: {have}")
    groups = [labels == one for one in np.unique(labels)] if asked is None else [labels == asked, labels != asked]
    for k, inside in enumerate(groups):
        own = sorted(map(int, np.flatnonzero(inside)), key=data.name)
        key = k if asked is None else f"{asked} {k}"
        picked += [own[i] for i in generator(seed, "photos", key).permutation(len(own))[:count]]
    return np.array(sorted(picked, key=data.name), np.int64)


def reasons(
    net: Net, data: Data, of: Explainers, which: Sequence[int] | Numbers, side: int, seed: int = 0,
    regions: Mapping[str, Regions] = EDGES,
) -> Reasons:  # fmt: skip
    """The maps of these photos for their own classes, with progress; kept and shared out as all evaluations are.

    Photos that cannot be read, and those whose map is zero everywhere, are left out and noted. Refused where the method
    is, and for a regression.
    """
    if net.meaning.scores == "regression":
        raise Refused(f"{net.name} is a regression: reasons are asked for by class")
    explainer, numbers = one_of(of), np.asarray(which, np.int64)
    regions = {name: one.over(net, data, numbers, data.labels) for name, one in regions.items()}

    def measure(i: int) -> Floats:
        try:
            case = own_class(net, data, i)
            inside = [one.mask(net, data.image(i), i) for one in regions.values()]
        except BadImage:
            return np.full(side * side + _FACTS + 2 * len(regions), np.nan)
        heat, jump = explainer.heat_and_jump(net, case.image, case.target, seed)
        return _judged(case, heat, jump, side, inside)

    def identity() -> str:
        return json.dumps([net.identity, data.identity, explainer.identity, f"own class, {side} cells, jump", seed,
                           [one.identity for one in regions.values()], machine(net)])  # fmt: skip

    found = measured_at(kept(identity, lambda at: measure(int(at[0]))), [(float(i),) for i in numbers], explainer.name)
    rows = np.stack(found)
    known = np.isfinite(rows).all(1)
    for i in numbers[~known]:
        say(Note("unreadable", f"{data.name(int(i))} was left out: it cannot be read, or its map is zero everywhere"))
    if not known.any():
        raise PellucidError(f"{explainer.name} has no map of any photo of {data} that is not zero everywhere")
    rows, numbers = rows[known], numbers[known]
    maps, facts = rows[:, : side * side].reshape(-1, side, side), rows[:, side * side :].T
    inside = {name: np.where(facts[k] < 0, np.nan, facts[k]) for k, name in enumerate(regions, _FACTS)}
    areas = dict(zip(regions, facts[_FACTS + len(regions) :], strict=True))
    names = tuple(data.name(int(i)) for i in numbers)
    return Reasons(
        maps, data.labels[numbers], numbers, names, facts[0], facts[1].astype(np.int64), inside, areas,
        (float(facts[2].max()), float(facts[3].max())),
    )  # fmt: skip


def _judged(case: Case, heat: Floats, jump: Pair, side: int, inside: Sequence[Mask | None]) -> Floats:
    with torch.no_grad():
        run = case.net.run(case.pixels[None])
        said = float(scored(case.probability, run)) if case.probability is not None else np.nan
        answer = int(run.probabilities.argmax(1))
    shares = [-1.0 if one is None else share(heat, one) for one in inside]
    areas = [0.0 if one is None else float(one.mean()) for one in inside]
    return np.array([*pooled(np.asarray(heat, np.float64), side).ravel(), said, answer, *jump, *shares, *areas])


def protocol(of: Explainers, side: int, found: Reasons) -> dict[str, Any]:
    """For Meta: how the maps were made."""
    return {"protocol": f"reasons:of={one_of(of).identity},cells={side},class=own", "photos": len(found)}


def one_of(of: Explainers) -> Explainer:
    """The one method. PellucidError for several."""
    if len(of) != 1:
        raise PellucidError(f"of={str(of)!r}: one method at a time, such as of='lrp'")
    return of.each[0]


def _given(value: ExplainersLike) -> Any:
    if isinstance(value, Explainers) or value is None:
        return value
    try:
        found = Explainers.of(value)
        one_of(found)
    except (PellucidError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    return found


EXPLAINER = Explainers.of("grad_cam")
ExplainerOption = Annotated[
    InstanceOf[Explainers],
    BeforeValidator(_given),
    Field(description="attribution method with its options", examples=["lrp"]),
    Default("grad_cam"),
    Shell(flag="--method", value="METHOD"),
]
ClassNameOption = Annotated[
    str | None, Field(description="name of the only class to examine"), Default("every class"),
    Shell(flag="--class", value="CLASS"),
]  # fmt: skip
Count = Annotated[int, Field(ge=4, le=5000, description="number of photos of each class, drawn at random")]
