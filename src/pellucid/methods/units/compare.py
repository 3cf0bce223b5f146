"""Two networks, or two states of one, unit by unit: which have stayed, which are new, which are gone."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.index import Index
from pellucid.index.matching import (
    Floats,
    chance_level,
    common_layer,
    correlations,
    matched,
    side_by_side,
    standard,
)
from pellucid.index.patches import patches
from pellucid.index.unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, Patches, PatchRow, Report, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_ABOUT = {
    "unit": "of the first network",
    "other": "of the second",
    "state": "matched; gone, only in the first; new, only in the second; silent, the same on all images",
    "correlation": "of their largest activations, over the images of the probe",
    "next": "the unit's largest correlation with another of the second layer",
    "strength": "mean largest activation of the second over that of the first",
    "selectivity": "for classes, second less first",
}
_ORDER = ("gone", "new", "matched", "silent")


@method(
    "Units compared",
    purpose="match the units of two networks",
    shows=(
        "A pair is matched where its correlation exceeds what any two units reach by chance; the others are gone or "
        "new. Gone only says that no single unit of the second network does the same: several together may. Compared "
        "are the largest activations in each image, so units that look for different things in the same images match "
        "as well. No network is run; the two indexes are correlated once, and 20 times with images shuffled."
    ),
    source="Li et al. 2016 (convergent learning), section 3: one-to-one matching by correlation",
    over="all",
)
def compare(
    index: Index,
    other: Index,
    *,
    layer: Annotated[
        str | None,
        Field(description="layer of the first network", examples=["blocks.4"]),
        Default("the last layer with spatial maps in both"),
    ] = None,
    other_layer: Annotated[
        str | None, Field(description="layer of the second network"), Default("the layer of the same name")
    ] = None,
    shuffles: Annotated[
        int, Field(ge=1, description="number of shuffles of the images, to measure what chance gives")
    ] = 20,
    examples: Annotated[int, Field(ge=0, description="number of pairs of each kind whose patches are shown")] = 3,
    seed: Seed = 0,
) -> Report:
    """Two networks over the same images: one row for each unit of either, first those that are gone and new.

    Units are matched one to one so that the correlations of their largest activations, over the images that both
    probes have, add up to the most. A pair counts as matched where its correlation exceeds all that any two units
    reach when the images of one network are shuffled, in all `shuffles`, each among those that excite both layers
    about as much: with 20, networks that share nothing more than that would have any match at all in one of 21
    comparisons. The others are gone (of the first) and new (of the second). Images that are alike among
    themselves, such as windows of the same photo, make the true level of chance higher.
    """
    layer = layer or common_layer(index, other)
    other_layer = other_layer or layer
    values, others = side_by_side(index, layer, other, other_layer)
    table = correlations(values, others)
    limit = chance_level(values, others, shuffles, seed)
    rows, columns = matched(table)
    good = table[rows, columns] > limit
    pairs = list(zip(rows[good].tolist(), columns[good].tolist(), strict=True))
    found = _rows(index, layer, other, other_layer, table, pairs, (_silent(values), _silent(others)))
    counts = {state: sum(row["state"] == state for row in found) for state in _ORDER}
    drift = [float(table[pair]) for pair in pairs]
    said = [
        f"of {table.shape[0]} units {counts['matched']} are matched, and those that are not: {counts['gone']} gone, "
        f"{counts['new']} new, {counts['silent']} silent in either",
        f"by chance no pair correlates above {limit:.2f} in {shuffles} shuffles of {len(values)} images",
    ]
    if drift:
        said.insert(1, f"the matched correlate by {np.median(drift):.2f} in the middle, {min(drift):.2f} at the least")
    columns_ = {name: tuple(row[name] for row in found) for name in _ABOUT}
    marked = tuple(i for i, row in enumerate(found) if row["state"] in ("gone", "new"))
    known = {name for name, cells in columns_.items() if any(cell is not None for cell in cells)}
    pictured = tuple(name for name in ("correlation", "strength") if name in known)
    heads = tuple(f"{one.name} · {name}" for one, name in ((index, layer), (other, other_layer)))
    note = Note("reading", f"compared with {other.name}, weights {other.weights[:12]}")
    meta = Meta(found={"layer": layer}, notes=(note,))
    strips = _strips(index, layer, other, other_layer, found, examples)
    return Report({"units": Table(columns_, _ABOUT, (), pictured, marked)}, strips, tuple(said), heads, meta)


def _silent(values: Floats) -> NDArray[np.bool_]:
    """Units that give the same on all images, or no numbers."""
    return np.asarray(~standard(values).any(0))


def _rows(index: Index, layer: str, other: Index, other_layer: str, table: Floats, pairs: list[tuple[int, int]],
          silent: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> list[dict[str, Cell]]:  # fmt: skip
    """Gone and new units first, then the matched from the least alike to the most."""
    strengths = [one[name].moments.max_mean for one, name in
                 ((index, layer), (other, other_layer))]  # fmt: skip
    selective = [one[name].class_selectivity for one, name in ((index, layer), (other, other_layer))]
    found: list[dict[str, Cell]] = []
    for a, b in sorted(pairs, key=lambda pair: (table[pair], pair)):
        following = np.delete(table[a], b)
        first, change = float(strengths[0][a]), float(selective[1][b] - selective[0][a])
        found.append({
            "unit": a, "other": b, "state": "matched", "correlation": float(table[a, b]),
            "next": float(following.max()) if len(following) else None,
            "strength": float(strengths[1][b]) / first if first > 0 else None,
            "selectivity": change if np.isfinite(change) else None,
        })  # fmt: skip
    taken = ({a for a, _ in pairs}, {b for _, b in pairs})
    for side, name, state in ((0, "unit", "gone"), (1, "other", "new")):
        for unit in range(table.shape[side]):
            if unit not in taken[side]:
                best = table[unit].max() if side == 0 else table[:, unit].max()
                one: dict[str, Cell] = dict.fromkeys(_ABOUT)
                said = "silent" if silent[side][unit] else state
                found.append({**one, name: unit, "state": said, "next": float(best)})
    return sorted(found, key=lambda row: _ORDER.index(str(row["state"])))


def _strips(
    index: Index, layer: str, other: Index, other_layer: str, rows: list[dict[str, Cell]], examples: int
) -> tuple[PatchRow, ...]:
    """A few of every kind: gone, new, those that changed most and those that changed least."""
    matches = [row for row in rows if row["state"] == "matched"]
    least = matches[-examples:][::-1] if examples else []
    kinds = {
        "gone": [row for row in rows if row["state"] == "gone"][:examples],
        "new": [row for row in rows if row["state"] == "new"][:examples],
        "changed most": [row for row in matches[:examples] if row not in least],
        "changed least": least,
    }
    strips = []
    for kind, chosen in kinds.items():
        for row in chosen:
            names = (layer, row["unit"]), (other_layer, row["other"])
            groups = tuple(_best(one, *name) for one, name in zip((index, other), names, strict=True))
            said = " → ".join("–" if number is None else f"{name}:{number}" for name, number in names)
            alike = f"correlation {row['correlation']:.2f}" if row["correlation"] is not None else (
                f"largest correlation {row['next']:.2f}")  # fmt: skip
            strips.append(PatchRow(kind, (said, alike), groups))
    return tuple(strips)


def _best(index: Index, layer: str, channel: Cell) -> Patches:
    count = 0 if channel is None else min(4, index.n_kept)
    unit = Unit(layer, int(channel or 0))
    return patches(index, unit, index[layer].top(unit.channel, count))
