"""A study, or a table, as a page: its plots, and every row of its tables, to be sorted, searched and compared."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pellucid.draw import curve, grid, pictures, words
from pellucid.draw.curve import WIDE
from pellucid.draw.heatmaps import MARGIN
from pellucid.draw.lengths import bars
from pellucid.draw.letters import readable, sentence
from pellucid.draw.look import Look
from pellucid.draw.pages import filled
from pellucid.draw.picture import Picture, svg
from pellucid.draw.sheet import Sheet
from pellucid.result import Curve, Grid, Pictures, Table
from pellucid.result.table import Cell


def study_page(
    parts: Mapping[str, Curve | Grid | Table | Pictures], findings: Sequence[str], notes: Sequence[str],
    said: Mapping[str, str], names: frozenset[str], log: bool | None = None, *, dark: bool,
) -> bytes:  # fmt: skip
    """The page. `said` is its TITLE, ABOUT and ALT; sentences leave `names` as they are."""
    told = [*_parts(parts, findings, names, log)]
    data = {"findings": [sentence(one, names) for one in findings], "notes": list(notes), "parts": told}
    return filled("study.html", said, data, dark=dark)


def _parts(
    parts: Mapping[str, Curve | Grid | Table | Pictures],
    findings: Sequence[str],
    names: frozenset[str],
    log: bool | None,
) -> Iterator[dict[str, Any]]:
    for key, part in parts.items():
        told = () if isinstance(part, Pictures) else part.findings
        own = [sentence(one, names) for one in told if one not in findings]
        shared = {"name": readable(key), "findings": own, "notes": []}
        if isinstance(part, Pictures):
            plot = partial(pictures.pictured, result=part, room=WIDE)
            yield shared | _plotted(key, plot, words.noted(part.meta), pictures.summed(part))
        elif isinstance(part, Table):
            if len(part):
                marked = [*part.highlighted]
                yield shared | {"columns": [*_columns(part)], "marked": marked, "plotted": len(part.plot_columns)}
        else:
            if isinstance(part, Curve):
                plot, notes, alt = partial(curve.curved, result=part, log=log), curve.read(part, log), curve.said(part)
            else:
                plot, notes, alt = partial(grid.gridded, result=part), grid.how_read(part), grid.said(part)
            yield shared | _plotted(key, plot, notes, alt)


def _plotted(name: str, drawn: Callable[..., float], notes: Sequence[str], said: str) -> dict[str, Any]:
    """A plot in both themes, and what it shows in words."""
    found, alt = [], f"{readable(name)}: {said}"
    for dark in (False, True):
        look = Look(dark=dark)
        sheet = Sheet.sized(WIDE + 2 * MARGIN, look.theme.paper)
        sheet.height = drawn(sheet, 0, look=look) + MARGIN
        found.append(["dark" if dark else "light", base64.b64encode(svg(Picture(sheet, alt), "outlines")).decode()])
    return {
        "pictures": found,
        "alt": alt,
        "width": round(WIDE + 2 * MARGIN),
        "notes": list(notes),
    }


def _columns(table: Table) -> Iterator[dict[str, Any]]:
    """Every column but those of errors, which stand beside what they are errors of."""
    beside = {error: name for name, error in table.errors.items()}
    for key, cells in table.columns.items():
        if beside.get(key) in table.columns:
            continue
        known = [one for one in cells if one is not None]
        error = table.errors.get(key, "")
        yield {
            "key": key, "name": readable(key), "help": table.column_help.get(key, ""), "cells": [*map(_plain, cells)],
            "words": any(isinstance(one, str) for one in known), "flags": all(isinstance(one, bool) for one in known),
            "whole": all(isinstance(one, int) for one in known),
            "bars": bars(table, key) if key in table.plot_columns else None,
            "spread": [*map(_plain, table.columns[error])] if error in table.columns else None, "error": error,
        }  # fmt: skip


def _plain(value: Cell) -> Cell:
    """What JSON can hold: a number that is none is not known."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
