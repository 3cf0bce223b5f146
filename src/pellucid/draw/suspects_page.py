"""Suspects as a page: one file that works from disk, on which labels are decided about and written to decisions.csv."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.draw.letters import sentence
from pellucid.draw.pages import filled, sheet_of
from pellucid.files import unplaced
from pellucid.result import Suspects

_ACROSS = 40  # pictures in a row of the sheet: the page relies on it


def suspects_page(result: Suspects, said: Mapping[str, str], notes: Sequence[str], *, dark: bool) -> bytes:
    """The page. `said` is its TITLE, ABOUT and ALT."""
    return filled("suspects.html", said, _data(result, notes), dark=dark)


def _data(result: Suspects, notes: Sequence[str]) -> dict[str, Any]:
    """What the page knows; `key` is that of its decisions, the same for the same labels of the same images."""
    labels = sorted(zip(result.names, result.given, strict=True))
    key = hashlib.sha256(json.dumps([result.meta.weights, labels]).encode()).hexdigest()[:16]
    return {
        "key": key,
        "net": unplaced(result.meta.net),
        "side": result.thumbs.shape[1],
        "sheet": sheet_of(result.thumbs, _ACROSS),
        "thumbs": [list(pair) for pair in zip(result.thumb_names, result.thumb_labels, strict=True)],
        "classes": list(result.classes),
        "spaces": list(result.spaces),
        "scores": list(result.scores),
        "total": result.total,
        "over": str(result.meta.found.get("margins over", "checkpoints")),
        "steps": None if result.steps is None else result.steps.tolist(),
        "suspects": [
            {"image": result.names[m], "given": result.given[m], "suggestion": result.suggestions[m],
             "p": [round(float(one), 4) for one in result.probabilities[m]],
             "tails": [float(f"{one:.3g}") for one in result.tails[m]], "thumb": int(result.shown[m]),
             "near": result.near[m].tolist(),
             "margins": None if result.margins is None else [float(f"{one:.4g}") for one in result.margins[m]]}
            for m in range(len(result))
        ],
        "findings": [sentence(one) for one in result.findings],
        "notes": list(notes),
    }  # fmt: skip
