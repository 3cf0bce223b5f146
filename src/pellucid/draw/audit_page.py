"""An audit as a page: one file that works from disk, with every finding, its pictures, and decisions about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.draw.letters import sentence
from pellucid.draw.pages import filled, sheet_of
from pellucid.files import unplaced
from pellucid.result import Audit
from pellucid.result.audit import TEST, TITLES

_ACROSS = 40  # pictures in a row of the sheet: the page relies on it


def audit_page(result: Audit, said: Mapping[str, str], notes: Sequence[str], *, dark: bool) -> bytes:
    """The page. `said` is its TITLE, ABOUT and ALT."""
    return filled("audit.html", said, _data(result, notes), dark=dark)


def _data(result: Audit, notes: Sequence[str]) -> dict[str, Any]:
    """What the page knows; `key` is that of its decisions, the same for the same labels of the same images."""
    labels = sorted(zip(result.names, result.given, result.sets, strict=True))
    key = hashlib.sha256(json.dumps([result.meta.weights, labels]).encode()).hexdigest()[:16]
    return {
        "key": key,
        "net": unplaced(result.meta.net),
        "side": result.thumbs.shape[1],
        "sheet": sheet_of(result.thumbs, _ACROSS),
        "pictures": [
            list(row) for row in zip(result.names, result.given, result.suggestions, result.sets, strict=True)
        ],
        "test": TEST,
        "classes": list(result.classes),
        "total": result.total,
        "kinds": [
            {"kind": one.of_kind, "title": TITLES[one.of_kind], "found": one.found, "rule": sentence(one.rule),
             "done": one.done}
            for one in result.looked
        ],
        "items": [
            {"kind": one.of_kind, "title": one.title, "said": sentence(one.said), "advice": one.advice,
             "score": float(f"{one.score:.4g}"), "found": one.found, "images": list(one.images),
             "captions": list(one.captions), "beside": list(one.beside), "besideCaptions": list(one.beside_captions),
             "besideTitle": one.beside_title, "label": one.label, "suggestion": one.suggestion}
            for one in result.items
        ],
        "matrix": _matrix(result),
        "findings": [sentence(one) for one in result.findings],
        "notes": list(notes),
    }  # fmt: skip


def _matrix(result: Audit) -> dict[str, Any] | None:
    """The matrix of similar classes, with the tree of its rows."""
    if result.similar is None:
        return None
    values = [[None if np.isnan(one) else float(f"{one:.3g}") for one in row] for row in result.similar.values]
    merges = [] if result.merges is None else [[float(f"{one:.4g}") for one in row] for row in result.merges]
    return {"names": list(result.similar.rows), "values": values, "merges": merges, "quantity": result.similar.quantity}
