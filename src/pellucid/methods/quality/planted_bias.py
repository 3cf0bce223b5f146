"""Planted bias: which maps would have found what a network should not look at, and which repair it."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid import catalogue
from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.summary import few
from pellucid.evaluation.told_apart import told_apart
from pellucid.geometry import Floats
from pellucid.learning.planted import BOX, CLASS, Planted, planted
from pellucid.learning.twins import as_net
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.result import Meta, Study, Table
from pellucid.resume import kept, measured_at
from pellucid.rng import Seed

_REASONS = ("gradient", "integrated_gradients", "grad_cam")
"""Those that `right_reasons` can hold down."""
REPAIRED = "repaired"
_ACCURACIES = ("given", "control", REPAIRED)
HELP = {
    REPAIRED: "accuracy on digits of other classes with the tag, after training that holds this explanation down "
    "there; nothing for methods that training cannot use",
}


@method(
    "Planted bias",
    purpose="check which maps find and repair a planted bias",
    shows=(
        "The column found is the chance that more of the map lies on the tag for the network that uses it: 1 finds the "
        "bias, 0.5 is that of a map which only shows the image. A coarse map may fail because its cells are larger "
        "than the tag, and a tag in a corner does not stand for other biases. Two trainings of small networks, two "
        "maps of each method for up to 30 digits, and two trainings for each repair."
    ),
    source="Ross et al. 2017, section 4 (decoys); Adebayo et al. 2020, section 4 (spurious correlation)",
    over="all",
    resumable=True,
    quick={"digits": 8, "repair": False},
)
def planted_bias(
    net: Net,
    *,
    of: ExplainersOption = DEFAULT,
    digits: Annotated[int, Field(ge=4, le=60, description="number of digits whose maps are compared, at most")] = 30,
    repair: Annotated[
        bool, Field(description="repair the network as well, by the methods that training can use")
    ] = True,
    seed: Seed = 0,
) -> Study:
    """Two small networks saw a bright corner in some digits; for one it means a three, for its twin nothing.

    Both are asked why a three with the tag is a three. `planted` has one row for each method and each map that knows no
    network: `found` is the chance that more of the absolute attribution lies on the tag for the network that uses it
    than for its twin, 1 for a map that finds the bias. What only shows the image is the same for both: 0.5. `repaired`
    is the accuracy on other digits with the tag after `right_reasons` held this explanation down there, beside that of
    the network as it was and of training without a penalty, which `meta.found` has. A tag of 3 × 3 pixels is smaller
    than a cell of coarse maps. The network that is asked about does not matter.
    """
    known = planted(seed)
    biased, twin = as_net(known.biased, "biased"), as_net(known.twin, "twin")
    images = Data.of((known.threes[:digits].numpy(), [CLASS] * len(known.threes[:digits])))
    found = told_apart(biased, twin, images, of, BOX, seed)
    asked = [name for name in _REASONS if name in {str(one) for one in found["method"]}] if repair else []
    repaired = _repairs(biased, known, asked, seed)
    rows, said = {name: found[name] for name in found.columns}, dict(found.column_help)
    told: dict[str, float | int | str] = {"net": net.name, "protocol": f"planted_bias:digits={digits}"}
    if repaired:
        rows[REPAIRED] = tuple(repaired.get(str(name), {}).get("repaired") for name in found["method"])
        said |= HELP
        told |= {name: next(iter(repaired.values()))[name] for name in ("given", "control")}
    table = Table(rows, said, (), ("found",), errors={"found": "error"})
    return Study(_findings(found, repaired), tables={"planted": table}, meta=Meta(found=told))


def _repairs(biased: Net, known: Planted, asked: list[str], seed: int) -> dict[str, dict[str, float]]:
    """The accuracies after a repair by each of these methods; kept and shared out as maps are."""

    def identity() -> str:
        return json.dumps(["repairs", biased.identity, _REASONS, seed, machine(biased)])

    measured = kept(identity, lambda at: _repaired(biased, known, _REASONS[int(at[0])], seed))
    rows = measured_at(measured, [(float(_REASONS.index(name)),) for name in asked], "repairs")
    return {name: dict(zip(_ACCURACIES, map(float, row), strict=True)) for name, row in zip(asked, rows, strict=True)}


def _repaired(biased: Net, known: Planted, reasons: str, seed: int) -> Floats:
    """(3,) the accuracy on other digits with the tag: of the network as given, trained on as before, and repaired."""
    given, test = ((one.inputs.numpy(), one.labels.numpy()) for one in (known.biased_on, known.others))
    asked = catalogue.find("right_reasons").function
    study = asked(biased, given, masks=BOX, reasons=reasons, test=test, recipe=f"epochs=10,lr=0.002,seed={seed}")
    return np.array(study["networks"]["test"], np.float64)


def _findings(found: Table, repaired: dict[str, dict[str, float]]) -> tuple[str, ...]:
    sure, missed = list[str](), list[str]()
    for name, area, error, blind in zip(*(found[key] for key in ("method", "found", "error", "baseline")), strict=True):
        if not blind:
            (sure if float(area or 0) - 1.96 * float(error or 0) > 0.5 else missed).append(str(name))
    said = []
    if sure:
        said.append(f"{few(sure)}: more attribution on the tag where the network uses it")
    if missed:
        said.append(f"{few(missed)}: no more attribution on the tag where the network uses it than where it does not")
    for name, one in repaired.items():
        before = f"{one['given']:.3f} as given, {one['control']:.3f} trained on without a penalty"
        said.append(
            f"accuracy on other digits with the tag: {before}, {one['repaired']:.3f} with {name} held down there"
        )
    return tuple(said)
