"""What is said about a result: captions, footnotes, the words for those who do not see it, the files' metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw.letters import number, readable
from pellucid.draw.overlay import seen_box, whole_box
from pellucid.files import unplaced
from pellucid.plugins import METHODS
from pellucid.result import Curve, Grid, Heatmap, Meta, Result, Study, Surface, Table
from pellucid.result.maps import Sign

_FEW = 6  # footnotes on a picture; Meta holds them all
_ENOUGH = 0.01  # a completeness error below this is no news
_SAYS: dict[Sign, tuple[str, str]] = {
    "slope": ("where a brighter pixel raises the score", "where it lowers it"),
    "ruled": ("where the changed gradient is positive", "where it is negative"),
    "number": ("is above zero", "is below zero"),
}


_MAGNITUDES = {"sober": "violet: the size of the numbers", "vivid": "violet to pink: the size of the numbers"}
_SIDES = {"sober": ("orange-red", "blue"), "vivid": ("red to yellow", "blue to cyan")}


def title_of(meta: Meta) -> str:
    """A heading: the method as people say it."""
    return meta.title or readable(meta.method) or "Heatmap"


def about(meta: Meta, title: str, alt: str) -> dict[str, str]:
    """Metadata for a file: where the picture comes from, and nothing about this machine."""
    versions = ", ".join(f"{name} {version}" for name, version in meta.versions.items())
    facts = {
        "method": meta.method, "target": ", ".join(meta.targets) or meta.target, "layer": meta.layer,
        "network": unplaced(meta.net),
        "weights sha256": meta.weights, "seed": meta.seed, "images": ", ".join(map(unplaced, meta.images)),
        "versions": versions,
    }  # fmt: skip
    origin = "; ".join(f"{name}: {value}" for name, value in facts.items() if value not in (None, ""))
    return {"Title": title, "Description": f"{alt} [{origin}]" if origin else alt, "Software": "pellucid"}


def subtitle(heat: Heatmap) -> str:
    """Target, layer and score, as far as they are one for all images."""
    meta, parts = heat.meta, []
    if meta.target:
        parts.append(meta.target)
    if meta.layer:
        parts.append(f"layer {meta.layer}")
    if meta.score and len(meta.score) == 1:
        parts.append(f"score {number(meta.score[0])}")
    if meta.net:
        parts.append(unplaced(meta.net))
    return " · ".join(parts)


def below(meta: Meta, *what: str | None) -> str:
    """The line below a title: what is shown, whose statistics batch norms used, where that is a choice, the network."""
    return " · ".join(filter(None, [*what, policy(meta), unplaced(meta.net)]))


def policy(meta: Meta) -> str:
    """Whose statistics batch norms used, which every picture of a landscape says; empty where Meta says none."""
    norms = meta.found.get("norms")
    return f"batch norm: {norms}" if norms else ""


def origin(meta: Meta) -> str:
    """The line that lets somebody find the network again."""
    parts = [f"network {unplaced(meta.net)}"] if meta.net else []
    parts += [f"weights {meta.weights[:12]}"] if meta.weights else []
    return " · ".join([*parts, *(f"{name} {version}" for name, version in meta.versions.items())])


def notes_of(heats: Sequence[Heatmap]) -> list[str]:
    """Every note once; the completeness errors of several maps as one range."""
    said = [
        str(note) for heat in heats for note in heat.meta.notes if note.topic != "completeness" or heat.meta.absorbed
    ]
    notes = [*dict.fromkeys(map(_unplaced_words, said))]
    errors = [e for heat in heats if not heat.meta.absorbed for e in heat.meta.completeness or () if e > _ENOUGH]
    if errors:
        low, high = min(errors), max(errors)
        notes.append(f"completeness error {low:.0%}" + (f" to {high:.0%}" if f"{low:.0%}" != f"{high:.0%}" else ""))
    broken = sum(int((~np.isfinite(heat.values)).sum()) for heat in heats)
    if broken:
        notes.append(f"{broken} values are not finite: hatched")
    return notes


def noted(meta: Meta) -> list[str]:
    """The notes of a result, as footnotes."""
    return few(meta.said)


def few(notes: Iterable[str]) -> list[str]:
    """As many footnotes as anybody reads."""
    notes = list(notes)
    return (
        notes if len(notes) <= _FEW else [*notes[: _FEW - 1], f"{len(notes) - _FEW + 1} more notes are in meta.notes"]
    )


def shows(results: Sequence[Result]) -> str:
    """What the method of these results says of reading them, without what it costs: its last sentence."""
    name = results[0].meta.method
    if not name or not METHODS.has(name) or len({one.meta.method for one in results}) > 1:
        return ""
    told = str(METHODS.row(name).said.get("shows", ""))
    return " ".join(re.split(r"(?<=\.) (?=[A-Z])", told)[:-1])


def doubtful(heats: Sequence[Heatmap]) -> str:
    """Of maps of sampled methods: how much of them may be chance."""
    known = [one for one in heats if one.error is not None and np.isfinite(one.error).any()]
    if not known:
        return ""
    error = np.concatenate([one.error.ravel() for one in known if one.error is not None])
    value = np.concatenate([np.abs(one.values).ravel() for one in known])
    near = float(np.mean(value[np.isfinite(error)] < 2 * error[np.isfinite(error)]))
    unit = f" {known[0].unit}" if known[0].unit else ""
    return (
        f"Sampled: the standard error of a place is {number(float(np.nanmedian(error)))}{unit} in the median, and "
        f"{near:.0%} of the map lies within two standard errors of zero."
    )


def _unplaced_words(note: str) -> str:
    return re.sub(r"(?<!\S)(?:/|[A-Za-z]:\\)\S+", lambda found: unplaced(found[0]), note)


def reading(view: str, palette: str, meaning: tuple[str, str]) -> str:
    """How the colors are to be read: those of a scheme, or of somebody's `own`."""
    up, down = meaning
    said = {"positive": f"shown is only {_what(up)}", "negative": f"shown is only {_what(down)}"}
    if view in said:
        return said[view]
    if view == "magnitude":
        return f"{_MAGNITUDES.get(palette, 'numbers')}, without their sign"
    warm, cold = _SIDES.get(palette, ("", ""))
    return f"{warm} {up}, {cold} {down}" if warm else ""


def _what(side: str) -> str:
    return side if side.startswith("where") else f"what {side}"


def meaning(heats: Sequence[Heatmap], what: str = "target") -> tuple[str, str]:
    """What a positive and what a negative number says: a derivative speaks of change, not of evidence."""
    sign = heats[0].sign if heats[0].meta.target is not None else "number"
    return _SAYS.get(sign) or (f"speaks for the {what}", "against it")


def alt_of(heats: Sequence[Heatmap], title: str) -> str:
    """The picture in words: what it is, how large its numbers are, where the largest lies."""
    count = sum(len(heat) for heat in heats)
    asked = [target for heat in heats for target in heat.meta.targets or (heat.meta.target,)]
    targets = [*dict.fromkeys(filter(None, asked))]
    names = [*dict.fromkeys(unplaced(name) for heat in heats for name in heat.meta.images)]
    said = title + (f" for {_listed(targets)}" if targets else "") + (f" on {_listed(names)}" if names else "")
    finite = np.concatenate([heat.values[np.isfinite(heat.values)].ravel() for heat in heats])
    if not finite.size:
        return f"{said}: no finite value."
    if not finite.any():
        return f"{said}: zero everywhere, no evidence."
    unit = f" {heats[0].unit}" if heats[0].unit else ""
    low, high = float(finite.min()), float(finite.max())
    said += f": {f'{count} maps, ' if count > 1 else ''}values from {number(low)} to {number(high)}{unit}"
    return f"{said}; {_strongest(heats[0])}." if count == 1 else f"{said}."


def _strongest(heat: Heatmap) -> str:
    """Where the largest value lies in the picture."""
    y, x = strongest_cell(heat.values[0])
    rows, columns = heat.placement.centers(*heat.values.shape[1:])
    down, right = heat.views[0].to_original(float(rows[y]), float(columns[x]))
    height, width = heat.views[0].original
    return f"the largest lies {_share(right, width)} from the left and {_share(down, height)} from the top"


def _share(at: float, length: int) -> str:
    return f"{min(max((at + 0.5) / length, 0), 1):.0%}"


def strongest_cell(values: NDArray[Any]) -> tuple[int, int]:
    """(row, column) of the largest finite value."""
    flat = int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))
    return flat // values.shape[1], flat % values.shape[1]


def names_in(result: Result) -> frozenset[str]:
    """What a result calls networks, runs, groups, rows and columns: sentences leave these as they are."""
    parts = [result]
    if isinstance(result, Study):
        parts += [*result.curves.values(), *result.grids.values(), *result.tables.values()]
    found = {text for facts in result.meta.nouns.values() for text in facts.values() if isinstance(text, str)}
    for part in parts:
        if isinstance(part, Curve):
            found |= {line.group for line in part.lines}
        elif isinstance(part, Grid):
            found |= {*part.rows, *part.columns}
        elif isinstance(part, Table) and part.columns:
            found |= {text for text in next(iter(part.columns.values())) if isinstance(text, str)}
        elif isinstance(part, Surface):
            found |= {*part.names}
    return frozenset(found - {""})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def unseen_note(heat: Heatmap) -> str:
    """Says what the frame is, where there is one."""
    for view in heat.views:
        if seen_box(view) != whole_box(*view.original):
            return "the network saw what lies inside the frame"
    return ""
