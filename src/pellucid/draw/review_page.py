"""A review as a page: one file that works from disk, with everything in it and no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw.letters import sentence
from pellucid.draw.pages import filled, sheet_of
from pellucid.files import unplaced
from pellucid.result import Review

_ACROSS = 10  # photos in a row of the sheet: the page relies on it


def review_page(result: Review, said: Mapping[str, str], notes: Sequence[str], *, dark: bool) -> bytes:
    """The page. `said` is its TITLE, ABOUT and ALT."""
    return filled("review.html", said, _data(result, notes), dark=dark)


def _data(result: Review, notes: Sequence[str]) -> dict[str, Any]:
    """What the page knows; `key` is that of its marks, the same for the same clusters of the same network."""
    members = [[one.name, one.members] for one in result.clusters]
    key = hashlib.sha256(json.dumps([result.meta.weights, members]).encode()).hexdigest()[:16]
    return {
        "key": key,
        "net": unplaced(result.meta.net),
        "side": result.pictures.shape[1],
        "cells": result.maps.shape[1],
        "sheet": sheet_of(result.pictures, _ACROSS),
        "maps": _packed(result.maps),
        "means": _packed(result.means / np.maximum(np.abs(result.means).max((1, 2), keepdims=True), 1e-12)),
        "photos": [
            [result.names[i], result.answers[i], round(float(result.probabilities[i]), 4)]
            for i in range(len(result.names))
        ],
        "clusters": [
            {"label": one.label, "number": one.number, "members": list(one.members), "share": one.share,
             "accuracy": one.accuracy, "oddness": one.oddness, "suspicious": one.suspicious, "said": one.said,
             "photos": result.photos_of(k)}
            for k, one in enumerate(result.clusters)
        ],
        "findings": [sentence(one) for one in result.findings],
        "notes": list(notes),
    }  # fmt: skip


def _packed(maps: NDArray[np.float64]) -> str:
    """Values in −1..1 as whole numbers of 8 bits."""
    return base64.b64encode(np.rint(maps.clip(-1, 1) * 127).astype(np.int8).tobytes()).decode()
