"""All units of an index as one table that can be asked in SQL."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from pellucid.catalogue.signed import question
from pellucid.described import Default, Shell
from pellucid.index.index import Index, IndexLike
from pellucid.index.query import ABOUT, columns_of, rows_of
from pellucid.notes import collected
from pellucid.result import Meta, Table, versions

_USUAL = ("unit", "greatest", "mean", "silent", "class_selectivity", "best_class")


def table(
    index: IndexLike,
    *,
    where: Annotated[
        str | None,
        Field(description="SQL condition on the columns, such as \"layer = 'blocks.6' and silent < 0.1\""),
        Default("all units"),
        Shell(value="SQL"),
    ] = None,
    sort: Annotated[
        str | None,
        Field(description="column to sort by, largest first; or an SQL ORDER BY clause"),
        Default("by layer and channel"),
        Shell(value="COLUMN"),
    ] = None,
    columns: Annotated[
        tuple[str, ...] | None,
        Field(description="columns to show"),
        Default("a few, and those that the condition names"),
        Shell(value="NAME,…"),
    ] = None,
    max_rows: Annotated[int, Field(ge=0, description="maximum number of rows; 0 shows all")] = 20,
) -> Table:
    """The units of an index that a condition in SQL holds for: one row for each, at most `max_rows` (0: all).

    `where` is what may stand behind WHERE, over the columns unit, layer, channel, mean, sd, max_mean, max_sd, least,
    greatest, silent, class_selectivity, best_class, color_selectivity; `sort` is a column, largest first, or what may
    stand behind ORDER BY. color_selectivity is measured when it is first asked for, which runs the network over the
    strongest images of all units, and is kept with the index. Needs the extra `query` (DuckDB).
    """
    asked = f"{where or ''} {sort or ''} {' '.join(columns or ())}"
    given = index
    index = Index.of(given)
    with collected() as notes:
        held = columns_of(index, color="color_selectivity" in asked)
    usual = [name for name in _USUAL if index.classes or "class" not in name]
    shown = columns or tuple(dict.fromkeys([*usual, *(name for name in held if name in re.findall(r"\w+", asked))]))
    rows = rows_of(held, shown, where, sort, max_rows)
    found = {name: tuple(row[i] for row in rows) for i, name in enumerate(shown)}
    plotted = tuple(n for n in shown if n not in ("channel",) and not isinstance(held[n][0], str))[:4]
    said = (f"the first {max_rows}: max_rows=0 shows all",) if max_rows and len(rows) == max_rows else ()
    if not rows:
        said = (f"none of the {index.n_units} units: nothing matches {where!r}",)
    options = {"where": where, "sort": sort, "columns": shown, "max_rows": max_rows}
    question_asked = question("units", {"index": given}, {"index": index}, options)
    meta = Meta(question_asked, "Units", {"index": index.facts()}, notes=tuple(notes), versions=versions())
    return Table(found, {name: ABOUT[name] for name in shown}, said, plot_columns=plotted if rows else (), meta=meta)
