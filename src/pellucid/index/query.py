"""The units of an index as the rows of a table that is asked in SQL."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import MissingExtra, PellucidError
from pellucid.index.index import Index
from pellucid.index.selectivity import COUNT, INDEXES, measured
from pellucid.notes import collected

ABOUT = {
    "unit": "layer and channel",
    "layer": "",
    "channel": "",
    "mean": "of its activations, at the sampled places",
    "sd": "of its activations, at the sampled places",
    "max_mean": "of its largest activation in each image",
    "max_sd": "of its largest activation in each image",
    "least": "largest activation in the image where that is least",
    "greatest": "activation anywhere",
    "silent": "share of the images in which its largest activation is zero",
    "class_selectivity": "of class means: (best − mean of the others) / (best + mean of the others)",
    "best_class": "class with the largest mean",
    "color_selectivity": f"1 − Σ a' / Σ a over its {COUNT} strongest images, a' with them in gray",
}
"""What each column is."""
_PATIENCE = 10.0
"""Seconds that a condition may take."""
_ALONE: dict[str, Any] = {"enable_external_access": False, "threads": 1, "memory_limit": "1GB"}
"""No file and no address is opened, whatever the condition says."""


def columns_of(index: Index, *, color: bool) -> dict[str, NDArray[Any]]:
    """Column -> (units,); `color`: with color selectivity, which has to be measured."""
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
    if color:
        held["color_selectivity"] = _color(index)
    return held


def _color(index: Index) -> NDArray[np.float64]:
    """Measured once, and kept with the index."""
    name = INDEXES[0]
    kept = index.kept(name)
    if kept is None or len(kept) != index.n_units:
        with collected() as said:
            kept = measured(index, index.layers, (name,))[name]
        if not said:  # else an image is missing, and others would get it when all are back
            index.keep(name, kept)
    return kept


def rows_of(
    held: dict[str, NDArray[Any]], shown: tuple[str, ...], where: str | None, sort: str | None, most: int
) -> list[tuple[Any, ...]]:
    """The columns `shown` of those units that `where` holds for, at most `most` (0: all), in the order of `sort`.

    Raises PellucidError, in one line, for what DuckDB refuses and for what takes it too long.
    """
    try:
        import duckdb
        import pyarrow
    except ImportError as error:
        raise MissingExtra("asking for units in SQL", "query") from error
    for name in shown:
        if name not in held:
            raise PellucidError(f"no column {name!r}: the units have {', '.join(ABOUT)}")
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
            raise PellucidError(f"{where or sort!r}: {first}; the columns are {', '.join(ABOUT)}") from error
        finally:
            timer.cancel()
    return rows
