"""Cover: does the class depend on a suspected place? It is covered, or something is pasted there, on every photo."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default, Shell
from pellucid.errors import PellucidError
from pellucid.evaluation.covered import covered
from pellucid.evaluation.parts import RegionsOption
from pellucid.evaluation.summary import Protocol, interval, paired, say_too_few
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.images.perturb import Fill, PictureOption
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.notes import Note, say
from pellucid.result import Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.resume import kept, measured_at
from pellucid.rng import Seed
from pellucid.target import BEST, Target

_CHANGE = {
    "measure": "score of the target, or probability of its class",
    "where": "the region, or as large a one at random places of the same photos",
    "photos": "number of them",
    "before": "mean over the photos as they are",
    "after": "mean with the region changed",
    "change": "after − before, mean over the photos",
    "low": "lower end of the 95 % interval of that mean (bootstrap over photos)",
    "high": "upper end of it",
    "p": "probability of such a change by chance (signs of the paired differences flipped)",
    "fell": "share of the photos whose number falls",
}
_PHOTOS = {
    "photo": "asked about",
    "score": "of the target, as it is",
    "change": "of the score with the region changed",
    "control": "the same at random places, mean over the controls",
    "probability": "of the class, as it is; none where the target is no class",
    "probability change": "of it with the region changed",
}


@method(
    "Covering a suspected place",
    purpose="test whether a class depends on a suspected place",
    shows=(
        "Read the size of the change, and whether covering a place elsewhere changes as much; over many photos even a "
        "tiny change has a small p. A cover is itself something to see, so try another fill; a random place may lie on "
        "the thing itself, and a class that does not fall may rest on the same reason elsewhere in the photo. 11 "
        "forward passes for each photo, six where the target is no class."
    ),
    source="Lapuschkin et al. 2019, section 2 and figure 2 (the tag pasted and removed)",
    over="all",
    resumable=True,
    quick={"controls": 1},
)
def cover(
    net: Net,
    images: ImageSet,
    target: Target = BEST,
    *,
    masks: Annotated[
        RegionsOption,
        Field(
            description="place: 'bottom right', 'text', top,left,bottom,right as shares, a mask or a folder of them",
            examples=["bottom_right"],
        ),
        Shell(value="REGION"),
    ],
    patch: Annotated[
        PictureOption | None,
        Field(description="picture that is pasted there, stretched to the place"),
        Default("the place is covered"),
        Shell(value="IMAGE"),
    ] = None,
    fill: Annotated[Fill, Field(description="filling of the place where nothing is pasted")] = "mean",
    controls: Annotated[int, Field(ge=0, le=50, description="number of random places of each photo")] = 3,
    seed: Seed = 0,
) -> Study:
    """How a score and a probability change when a place is covered or pasted over: `change` has one row for each.

    The same is done at random places of the same photos, as large and of the same form, so that a change by any cover
    is told from one by this place; the last rows of `change` are the differences of both, photo by photo. `photos` has
    one row for each photo, (N,). Masks are white where the place is; photos without one are left out. The best guess is
    that of the unchanged photo. To paste, give photos without the suspected thing; to cover, those with it.
    """
    images = images.on(net)
    masks = masks.over(net, images, range(len(images)))
    laid = ("fill", fill) if patch is None else ("patch", patch.ids[0])
    how = Protocol("cover", (("masks", str(masks)), laid, ("controls", str(controls))), "Lapuschkin et al. 2019")

    def identity() -> str:
        pasted = "" if patch is None else patch.identity
        parts = [net.identity, images.identity, target.identity, masks.identity, pasted]
        return json.dumps([how.id, *parts, seed, machine(net)])

    def measure(i: int) -> Floats:
        return covered(net, images, target, masks, patch, fill, controls, seed, i)

    measured = kept(identity, lambda at: measure(int(at[0])))
    rows = np.stack(measured_at(measured, [(float(i),) for i in range(len(images))], "photos"))
    known = np.isfinite(rows[:, 0])
    for i in np.flatnonzero(~known):
        why = "it cannot be read, has no mask, or lies all inside it"
        say(Note("unreadable", f"{images.name(int(i))} was left out: {why}"))
    if not known.any():
        raise PellucidError(f"masks={str(masks)!r}: no photo of {images} has such a place")
    say_too_few(int(known.sum()))
    names, rows = [images.name(int(i)) for i in np.flatnonzero(known)], rows[known]
    drawn = rows[sorted(range(len(names)), key=names.__getitem__)]  # resampled alike in whatever order they came
    measures = {"score": drawn[:, :3], **({"probability": drawn[:, 3:]} if np.isfinite(drawn[:, 3]).all() else {})}
    table, said = _change(measures, str(masks), controls, seed)
    what = "covering" if patch is None else "pasting over"
    findings = tuple(f"{what} {one}" for one in said)
    return Study(
        findings,
        tables={"change": table, "photos": _photos(names, rows)},
        meta=Meta(found={"protocol": how.id, **_found(rows)}),
    )


def _change(measures: dict[str, Floats], where: str, controls: int, seed: int) -> tuple[Table, list[str]]:
    """A row for each measure and place, and what is to be said of the first."""
    rows: list[tuple[Cell, ...]] = []
    said = []
    for measure, values in measures.items():
        before, after, other = values.T
        first = _row(measure, where, before, after, seed)
        rows.append(first)
        told = (
            f"{where} changes the {measure} by {first[5]:+.3g} [{first[6]:+.3g}, {first[7]:+.3g}], p = {first[8]:.2g}"
        )
        if controls:
            rows.append(_row(measure, "random places", before, other, seed))
            rows.append(_row(measure, "difference", other, after, seed))
            told += f"; as large a place elsewhere by {rows[-2][5]:+.3g}, p of the difference {rows[-1][8]:.2g}"
        said.append(told)
    return Table(dict(zip(_CHANGE, zip(*rows, strict=True), strict=True)), _CHANGE, (), ("change",)), said[::-1]


def _row(measure: str, where: str, before: Floats, after: Floats, seed: int) -> tuple[Cell, ...]:
    apart = after - before
    low, high = interval(apart, seed, measure, where)
    ends = float(before.mean()), float(after.mean()), float(apart.mean()), float(low), float(high)
    return measure, where, len(apart), *ends, paired(after, before, seed, measure, where), float((apart < 0).mean())


def _photos(names: list[str], rows: Floats) -> Table:
    def cells(values: Floats) -> tuple[Cell, ...]:
        return tuple(None if not np.isfinite(one) else float(one) for one in values)

    columns = (tuple(names), cells(rows[:, 0]), cells(rows[:, 1] - rows[:, 0]), cells(rows[:, 2] - rows[:, 0]),
               cells(rows[:, 3]), cells(rows[:, 4] - rows[:, 3]))  # fmt: skip
    return Table(dict(zip(_PHOTOS, columns, strict=True)), _PHOTOS, (), ("change",))


def _found(rows: Floats) -> dict[str, float | int]:
    apart = rows[:, 1] - rows[:, 0]
    return {"photos": len(rows), "change": float(apart.mean())}
