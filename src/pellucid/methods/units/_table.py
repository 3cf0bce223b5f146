"""All units of an index as one table that can be asked in SQL."""

from __future__ import annotations

import re
import threading
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue.signed import question
from pellucid.described import Default, Shell
from pellucid.errors import MissingExtra, PellucidError
from pellucid.index.index import Index, IndexLike
from pellucid.index.selectivity import COUNT, INDEXES, measured
from pellucid.notes import collected
from pellucid.result import Meta, Table, versions

_ABOUT = {
    "unit": "layer and channel",
    "layer": "",
    "channel": "",
    "mean": "of its activations, at the sampled places",
    "sd": "of its activations, at the sampled places",
    "max_mean": "of its largest activation in each picture",
    "max_sd": "of its largest activation in each picture",
    "least": "largest activation in the picture where that is least",
    "greatest": "activation anywhere",
    "silent": "share of the pictures in which its largest activation is zero",
    "class_selectivity": "of class means: (best − mean of the others) / (best + mean of the others)",
    "best_class": "class with the largest mean",
    "colour_selectivity": f"1 − Σ a' / Σ a over its {COUNT} strongest pictures, a' with them in grey",
}
USUAL = ("unit", "greatest", "mean", "silent", "class_selectivity", "best_class")


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
    most: Annotated[int, Field(ge=0, description="maximum number of rows; 0 shows all")] = 20,
) -> Table:
    """The units of an index that a condition in SQL holds for: one row for each, at most `most` (0: all).

    `where` is what may stand behind WHERE, over the columns unit, layer, channel, mean, sd, max_mean, max_sd, least,
    greatest, silent, class_selectivity, best_class, colour_selectivity; `sort` is a column, largest first, or what may
    stand behind ORDER BY. colour_selectivity is measured when it is first asked for, which runs the network over the
    strongest pictures of all units, and is kept with the index. Needs the extra `query` (DuckDB).
    """
    asked = f"{where or ''} {sort or ''} {' '.join(columns or ())}"
    given = index
    index = Index.of(given)
    with collected() as notes:
        held = _held(index, colour="colour_selectivity" in asked)
    usual = [name for name in USUAL if index.classes or "class" not in name]
    shown = columns or tuple(dict.fromkeys([*usual, *(name for name in held if name in re.findall(r"\w+", asked))]))
    rows = _asked(held, shown, where, sort, most)
    found = {name: tuple(row[i] for row in rows) for i, name in enumerate(shown)}
    pictured = tuple(n for n in shown if n not in ("channel",) and not isinstance(held[n][0], str))[:4]
    said = (f"the first {most}: most=0 shows all",) if most and len(rows) == most else ()
    if not rows:
        said = (f"none of the {index.n_units} units: nothing matches {where!r}",)
    options = {"where": where, "sort": sort, "columns": shown, "most": most}
    asked_of = question("units", {"index": given}, {"index": index}, options)
    meta = Meta(asked_of, "Units", {"index": index.facts()}, notes=tuple(notes), versions=versions())
    return Table(found, {name: _ABOUT[name] for name in shown}, said, pictured=pictured if rows else (), meta=meta)


def _held(index: Index, *, colour: bool) -> dict[str, NDArray[Any]]:
    """Column -> (units,)."""
    moments, widths = index.moments, [index[name].channels for name in index]
    channels = np.concatenate([np.arange(n) for n in widths])
    layers = np.repeat(np.array(index.layers), widths)
    held: dict[str, NDArray[Any]] = {
        "unit": np.array([f"{layer}:{channel}" for layer, channel in zip(layers, channels.tolist(), strict=True)]),
        "layer": layers,
        "channel": channels,
        **{name: getattr(moments, name) for name in ("mean", "sd", "max_mean", "max_sd", "least", "greatest")},
        "silent": moments.silent_share,
        "class_selectivity": index.class_selectivity,
        "best_class": np.array(index.best_class),
    }
    if colour:
        held["colour_selectivity"] = _colour(index)
    return held


def _colour(index: Index) -> NDArray[np.float64]:
    """Measured once, and kept with the index."""
    name = INDEXES[0]
    kept = index.kept(name)
    if kept is None or len(kept) != index.n_units:
        with collected() as said:
            kept = measured(index, index.layers, (name,))[name]
        if not said:  # else a picture is missing, and others would get it when all are back
            index.keep(name, kept)
    return kept


def _asked(
    held: dict[str, NDArray[Any]], shown: tuple[str, ...], where: str | None, sort: str | None, most: int
) -> list[tuple[Any, ...]]:
    try:
        import duckdb
        import pyarrow
    except ImportError as error:
        raise MissingExtra("asking for units in SQL", "query") from error
    for name in shown:
        if name not in held:
            raise PellucidError(f"no column {name!r}: the units have {', '.join(_ABOUT)}")
    order = f"{sort} desc nulls last" if sort in held else sort
    with duckdb.connect(":memory:", config=dict(_ALONE)) as db:
        arrow = {k: pyarrow.array(v, from_pandas=v.dtype.kind == "f") for k, v in held.items()}
        timer = threading.Timer(_PATIENCE, db.interrupt)
        timer.daemon = True
        timer.start()
        try:
            db.register("units", pyarrow.table(arrow))
            db.execute("set lock_configuration = true")
            # each part is parsed as one expression: nothing behind a semicolon is ever reached
            found = db.table("units")
            found = found.filter(where) if where else found
            found = found.order(order) if order else found
            found = found.limit(most) if most else found
            rows: list[tuple[Any, ...]] = found.project(", ".join(f'"{name}"' for name in shown)).fetchall()
        except duckdb.InterruptException as error:
            raise PellucidError(f"{where or sort!r}: it takes longer than {_PATIENCE:.0f} seconds") from error
        except duckdb.Error as error:
            first = " ".join(str(error).split("\n")[:1])
            raise PellucidError(f"{where or sort!r}: {first}; the columns are {', '.join(_ABOUT)}") from error
        finally:
            timer.cancel()
    return rows


_PATIENCE = 10.0
"""Seconds that a condition may take."""
_ALONE: dict[str, Any] = {"enable_external_access": False, "threads": 1, "memory_limit": "1GB"}
"""No file and no address is opened, whatever the condition says."""
