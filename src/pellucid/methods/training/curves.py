"""Training curves: losses, accuracies and gaps of runs side by side, and where they should have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.history import History, RunsOption, Series
from pellucid.learning.stopping import compared, edge, read, stops, verdicts
from pellucid.learning.watched import grids, said_of, watched
from pellucid.result import Curve, Line, Mark, Meta, Study, Table
from pellucid.result.table import Cell

_QUANTITIES = {"loss": "loss, nats", "accuracy": "accuracy"}
_MORE = 6  # further series that are drawn
_ABOUT = {
    "run": "the training run",
    "rule": "what ends the training: its own end, patience, or Prechelt's GL, UP and PQ",
    "stops": "step at which the rule ends it; unknown where it never does",
    "keeps": "step of the weights that are kept: of the lowest test loss until then",
    "test loss": "test loss of these weights, in nats",
    "regret": "that loss over the lowest of the whole run, difference in nats",
    "test accuracy": "test accuracy at that step, 0 to 1; unknown where it was not written down",
    "accuracy regret": "the highest test accuracy of the whole run less that one",
}


@method(
    "Training curves",
    purpose="over-fitting and the early stopping point of runs",
    shows="Over-fitting begins where the test loss rises while the training loss falls. A stop chosen on test images "
    "flatters their figures, and loss and accuracy may disagree about it. Nothing is run: a log is read.",
    source="Prechelt 1998, section 2.2 (early stopping criteria); Goodfellow et al. 2016, section 7.8",
    over="all",
)
def curves(
    run: History,
    *,
    beside: Annotated[
        RunsOption, Field(description="further training runs, laid beside the first"), Default("the run alone")
    ] = (),
    patience: Annotated[
        int, Field(ge=1, le=10**6, description="number of evaluations without a lower test loss, after which to stop")
    ] = 10,
    loss_increase: Annotated[
        float, Field(gt=0, le=1e6, description="increase of the test loss over its lowest at which to stop, in percent")
    ] = 5.0,
) -> Study:
    """What a training run has written down, and what it says: one row for each run and stopping rule (`stopping`).

    Losses and accuracies of training and test images over the steps, and their gaps; the lowest test loss is marked.
    Early stopping ends the training after `patience` evaluations without a lower test loss, or where the test loss is
    `loss_increase` percent above its lowest so far (GL), when it has risen over 3 strips of 5 evaluations (UP), or when
    GL is over half of what training still gains (PQ), and keeps the best weights until then; its regret is how much
    better the best of the whole run would have been. `findings` name over-fitting, plateaus, spikes, what is not
    finite, and where loss and accuracy disagree about the best step; steps that overshoot, where "lambda max" and "lr"
    were written down; of a run that was watched, layers whose signal or gradient vanishes or explodes, dead units, and
    updates too large or too small, beside grids of layers and steps. Values that are not finite are gaps.
    """
    runs = (run, *beside)
    names = [str(one) for one in runs]
    names = [f"{name} ({i})" if names.count(name) > 1 else name for i, name in enumerate(names)]
    found = {name: read(one) for name, one in zip(names, runs, strict=True)}
    layered = {name: one for name, one in zip(names, map(watched, runs), strict=True) if one is not None}
    for name, one in zip(names, runs, strict=True):
        if not found[name] and name not in layered:
            raise PellucidError(
                f"{name} has neither losses nor accuracies by their names, such as 'train loss', 'val_loss' or "
                f"'test/accuracy'; it has {', '.join(one.scalars) or 'no scalars'}"
            )
    rows = [row for name, series in found.items() for row in _stopping(name, series, patience, loss_increase)]
    besides = {name: [edge(one)] for name, one in zip(names, runs, strict=True)}
    for name, held in layered.items():
        besides[name] += said_of(held)
    said = compared(found) + tuple(
        f"{name}: {text}" if len(runs) > 1 else text
        for name, series in found.items()
        for text in verdicts(series, [*filter(None, besides[name])])
    )
    parts = {"curves": _curves(found, rows if len(runs) == 1 else [])} if any(found.values()) else {}
    parts |= {
        name: curve for name, curve in {"gap": _gaps(found), "also": _also(names, runs)}.items() if curve is not None
    }
    tables = {"stopping": Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)} if rows else {}
    pictures = {
        f"{name}: {what}" if len(runs) > 1 else what: grid
        for name, one in layered.items()
        for what, grid in grids(one).items()
    }
    return Study(said, parts, pictures, tables, Meta(found={"runs": len(runs)}))


def _stopping(name: str, series: Mapping[str, Series], patience: int, percent: float) -> list[dict[str, Cell]]:
    test, right = series.get("test loss"), series.get("test accuracy")
    if test is None or not np.isfinite(test.values).any():
        return []
    losses = np.where(np.isfinite(test.values), test.values, np.inf)
    best = int(losses.argmin())
    train = series.get("train loss")
    beside = None if train is None or not np.array_equal(train.steps, test.steps) else train.values
    rules = stops(losses, beside, patience, percent)
    rows = []
    for rule, stop in rules.items():
        step, loss = int(test.steps[stop.best]), float(test.values[stop.best])
        at = None if right is None else _at(right, step)
        cells = (name, rule, None if stop.at is None else int(test.steps[stop.at]), step, _cell(loss),
                 _cell(loss - float(losses[best])), at,
                 None if at is None or right is None else float(np.nanmax(right.values)) - at)  # fmt: skip
        rows.append(dict(zip(_ABOUT, cells, strict=True)))
    return rows


def _at(series: Series, step: int) -> float | None:
    """Its value at that step; None where there is none."""
    where = np.flatnonzero(series.steps == step)
    return _cell(float(series.values[where[0]])) if len(where) else None


def _cell(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _line(name: str, one: Series, quantity: str, dashed: bool, group: str) -> Line:
    values = np.where(np.isfinite(one.values), one.values, np.nan)
    return Line(name, one.steps.astype(np.float64), values, None, quantity, "dashed" if dashed else "line", group)


def _curves(found: Mapping[str, Mapping[str, Series]], rows: Sequence[Mapping[str, Cell]]) -> Curve:
    lines = [
        _line(f"{name}: {what}" if len(found) > 1 else what, series[what], quantity, split == "train", name)
        for kind, quantity in _QUANTITIES.items()
        for name, series in found.items()
        for split in ("train", "test")
        if (what := f"{split} {kind}") in series
    ]
    marks = [Mark(float(str(row["keeps"])), "lowest test loss") for row in rows if row["rule"] == "the best"]
    marks += [Mark(float(str(row["stops"])), f"{row['rule']} stops") for row in rows[2:4] if row["stops"] is not None]
    return Curve(tuple(lines), "steps", tuple(marks))


def _gaps(found: Mapping[str, Mapping[str, Series]]) -> Curve | None:
    """Test loss less training loss, training accuracy less test accuracy, where both were written down at one step."""
    lines = []
    for kind, quantity, sign in (("loss", "gap of the loss, nats", 1.0), ("accuracy", "gap of the accuracy", -1.0)):
        for name, series in found.items():
            train, test = series.get(f"train {kind}"), series.get(f"test {kind}")
            if train is None or test is None:
                continue
            steps, i, j = np.intersect1d(train.steps, test.steps, return_indices=True)
            if len(steps):
                with np.errstate(invalid="ignore"):
                    gap = Series(steps, sign * (test.values[j] - train.values[i]))
                lines.append(_line(f"{name}: {kind}", gap, quantity, False, name))
    return Curve(tuple(lines), "steps") if lines else None


def _also(names: Sequence[str], runs: Sequence[History]) -> Curve | None:
    """Whatever else was written down and changes, such as learning rate, norms of gradients and of updates."""
    lines = []
    for name, run in zip(names, runs, strict=True):
        known = {id(one) for one in read(run).values()}
        rest = {
            key: one
            for key, one in run.scalars.items()
            if id(one) not in known and key not in ("epoch", "images") and "/" not in key and np.ptp(one.values) != 0
        }
        for key in list(rest)[:_MORE]:
            lines.append(_line(f"{name}: {key}" if len(runs) > 1 else key, rest[key], key, False, name))
    return Curve(tuple(lines), "steps") if lines else None
