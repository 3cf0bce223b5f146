"""All sections of an audit, one after another, as its answer."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from pellucid.errors import PellucidError
from pellucid.evaluation.truth import ClassPairs, Truth
from pellucid.notes import say
from pellucid.result import Audit, Grid, Meta
from pellucid.result.audit import KINDS, TEST, TITLES
from pellucid.training_set.audited import Audited, Pictures
from pellucid.training_set.in_context import in_context
from pellucid.training_set.sections import Section, copied, mislabeled, outliers, quality, rare, similar, skipped

_UNLABELED = "the images have no labels of two classes"


def verdict_of(
    of: Audited, kinds: Collection[str], count: int, truth: Truth | None = None, classes: ClassPairs | None = None
) -> Audit:
    """`count` findings of each of these kinds. One that cannot be looked for says why; PellucidError where none can."""
    pictures = Pictures(of)
    sections, grid, merges = dict[str, Section](), None, None
    if "mislabeled" in kinds:
        sections["mislabeled"] = _tried("mislabeled", lambda: mislabeled(of, pictures, count), of.classes_known)
    if "leaks" in kinds or "duplicates" in kinds:
        sections["leaks"], sections["duplicates"] = copied(of, pictures, count)
    if "outliers" in kinds:
        sections["outliers"] = _tried("outliers", lambda: outliers(of, pictures, count))
    if "quality" in kinds:
        sections["quality"] = quality(of, pictures, count)
    if "similar" in kinds:
        sections["similar"], grid, merges = similar(of, pictures, count)
    if "context" in kinds:
        sections["context"] = (
            skipped("context", "it needs masks or boxes of the objects: name them as truth")
            if truth is None
            else in_context(of, pictures, count, truth, classes)
        )
    if "subgroups" in kinds:
        sections["subgroups"] = _tried("subgroups", lambda: rare(of, pictures, count), of.classes_known)
    return _made(of, pictures, [sections[kind] for kind in KINDS if kind in kinds], grid, merges)


def _tried(kind: str, look: Callable[[], Section], labeled: bool = True) -> Section:
    """A section, or why there is none: one kind that cannot be looked for must not cost the others."""
    try:
        return look() if labeled else skipped(kind, _UNLABELED)
    except PellucidError as error:
        return skipped(kind, str(error))


def _made(
    of: Audited, pictures: Pictures, sections: list[Section], grid: Grid | None, merges: np.ndarray | None
) -> Audit:
    if not any(one.looked.done for one in sections):
        raise PellucidError("; ".join(f"{one.looked.of_kind}: {one.looked.rule}" for one in sections))
    thumbs, rows, names = pictures.made()
    items = [item for section in sections for item in section.items]
    suggested = {one.images[0]: one.suggestion for one in items if one.suggestion}
    tables = {one.looked.of_kind: one.table for one in sections if one.table is not None and len(one.table)}
    for note in of.examples.notes:
        say(note)
    return Audit(
        tuple(items), tuple(one.looked for one in sections), thumbs, tuple(names),
        tuple(of.label(row) if row is not None else "" for row in rows),
        tuple(suggested.get(i, "") for i in range(len(names))),
        tuple(of.part(row) if row is not None else "" for row in rows), of.examples.classes, len(of), grid, merges,
        _findings(sections), tables,
        Meta(found={"examples": len(of), **({TEST: len(of.test)} if of.test is not None else {})}),
    )  # fmt: skip


def _findings(sections: list[Section]) -> tuple[str, ...]:
    """A line for each kind with findings, and one for the others."""
    said = [f"{TITLES[one.looked.of_kind].lower()}: {one.looked.found} found" for one in sections if one.looked.found]
    none = [TITLES[one.looked.of_kind].lower() for one in sections if one.looked.done and not one.looked.found]
    left = [f"{TITLES[one.looked.of_kind].lower()} ({one.looked.rule})" for one in sections if not one.looked.done]
    return (
        *said,
        *([f"nothing found: {', '.join(none)}"] if none else []),
        *([f"not looked for: {'; '.join(left)}"] if left else []),
    )
