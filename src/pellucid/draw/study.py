"""Studies: what was found, then every picture, curve, grid and table below it under its name."""

from __future__ import annotations

from typing import Any

from pellucid.draw import words
from pellucid.draw.curve import WIDE, Log, curved, read, said
from pellucid.draw.drawings import drawing
from pellucid.draw.grid import gridded, how_read
from pellucid.draw.heatmaps import BODY, MARGIN, findings, footnotes, heading
from pellucid.draw.letters import readable
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import pictured
from pellucid.draw.sheet import Sheet
from pellucid.draw.study_page import study_page
from pellucid.draw.tables import cut, headline, tabled, wide
from pellucid.errors import PellucidError
from pellucid.result import Curve, Grid, Pictures, Study, Table

_APART = 22.0


@drawing(Study)
def draw_parts(
    result: Study, over: Any = None, *, title: str | None = None, dark: bool = False, log: Log = None
) -> Picture:
    """What was found, then pictures, curves, grids and the first rows of the tables, each under its name."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a study is not drawn over images: draw it without over=")
    if not result.names and not result.findings:
        raise PellucidError("the study is empty: there is nothing to draw")
    title = title or words.title_of(result.meta)
    full = {name: table for name, table in result.tables.items() if len(table)}
    tables = {name: cut(table) for name, table in full.items()}
    least = WIDE if result.curves or result.grids or result.pictures else 420.0
    sheet = Sheet.sized(max(least, *(wide(table) for table in tables.values()), 0.0) + 2 * MARGIN, look.theme.paper)
    below = words.below(result.meta, result.meta.target)
    y = heading(sheet, title, below, look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + (12 if result.findings else 0)
    alone = len(result.names) == 1

    def named(y: float, name: str, found: tuple[str, ...] = ()) -> float:
        if not alone:
            y = sheet.lines(MARGIN, y, [name], BODY + 1.5, look.theme.accent, bold=True) + 5
        return findings(
            sheet, y, [one for one in found if one not in result.findings], look, names=words.names_in(result)
        )

    for name, shown in result.pictures.items():
        y = pictured(sheet, named(y, readable(name)), shown, look, sheet.width - 2 * MARGIN)
        y = footnotes(sheet, y - 8, words.noted(shown.meta), look) + _APART - 8
    for name, curve in result.curves.items():
        y = named(y, readable(name), curve.findings)
        y = curved(sheet, y, curve, look, log)
        y = footnotes(sheet, y, read(curve, log), look) + _APART
    for name, grid in result.grids.items():
        y = named(y, readable(name), grid.findings)
        y = gridded(sheet, y, grid, look)
        y = footnotes(sheet, y, how_read(grid), look) + _APART
    for name, table in tables.items():
        y = named(y, headline(name, table, full[name]), table.findings)
        y = tabled(sheet, y, table, look) + _APART
    notes = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y - 8, notes, look) + MARGIN
    told = [one.rstrip(".") for one in result.findings] or [f"{name}: {said(c)}" for name, c in result.curves.items()]
    alt = f"{title}: {'. '.join(told) or ', '.join(result.names)}".rstrip(".") + "."
    about = {"TITLE": title, "ABOUT": below, "ALT": alt}

    def page() -> bytes:
        parts: dict[str, Curve | Grid | Table | Pictures] = {
            **result.pictures, **result.curves, **result.grids, **result.tables
        }  # fmt: skip
        return study_page(parts, result.findings, notes, about, words.names_in(result), log, dark=dark)

    return Picture(sheet, alt, words.about(result.meta, title, alt), page=page)
