"""Calibration: is a network right as often as it says?"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.methods.training._bins import binned, by_chance, measures, resampled
from pellucid.methods.training._temperature import fitted, scaled
from pellucid.net import Net
from pellucid.net.answers import Answers, Shown
from pellucid.notes import Note
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.result.checks import Check
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator
from pellucid.statistics import wilson_error

_MEASURES = {
    "measure": "ECE: mean of |accuracy − confidence| over the bins, weighted by their images (equal width); the same "
    "for bins of equal mass; class-wise: for the probability of each class, mean over the classes; NLL: mean of "
    "−log p of the right class, in nats; Brier: mean squared distance of the probabilities from the right answer",
    "before": "as the network is", "low": "2.5 % quantile of bootstrap resamples of the images, of before",
    "high": "97.5 % quantile", "after": "with the temperature", "after low": "2.5 % quantile",
    "after high": "97.5 % quantile",
    "chance": "mean of the measure where the network is right exactly as often as it says: what so few images give",
}  # fmt: skip
_BINS = {
    "from": "confidence above", "to": "confidence up to, which belongs to the bin", "images": "how many",
    "confidence": "mean of the highest probability", "accuracy": "share of the images with the right answer",
    "low": "lower end of its 95 % interval (Wilson)", "high": "upper end",
}  # fmt: skip
_FEW_ERRORS = 0.005  # share of errors below which images were probably trained on


@method(
    "Calibration",
    purpose="compare confidence with accuracy, find a temperature",
    shows=(
        "Compare confidence with accuracy in each bin, and the ECE with what so few images give a perfectly calibrated "
        "network. A small error over all images can hide large ones within a class or group, and a network looks "
        "calibrated on images that it was trained on. A temperature changes no answer, and holds for images like those "
        "that it was fitted to. One forward pass over the images, half of which fit the temperature and half judge it."
    ),
    source="Guo et al. 2017, sections 2 and 4.2; Naeini et al. 2015, section 3 (ECE); Wilson 1927, equation 1",
    over="all",
)
def calibration(
    net: Net,
    data: Data,
    *,
    split: Annotated[
        Literal["halves", "random"],
        Field(description="choice of the half that the temperature is fitted to: the first images, or any by the seed"),
    ] = "halves",
    bins: Annotated[int, Field(ge=2, le=1000, description="number of bins of confidence, as wide as each other")] = 15,
    resamples: Annotated[int, Field(ge=20, description="number of bootstrap resamples for the intervals")] = 1000,
    seed: Seed = 0,
) -> Study:
    """Confidence against accuracy, before and after one temperature: `measures` has one row for each measure.

    A temperature T divides the logits before the softmax. It is fitted on one half of the images, by the smallest mean
    −log p, and everything is shown on the other half alone; no answer changes by it. `reliability` holds the accuracy
    (bins,) at the mean confidence of each bin, whose edges are (i / bins, (i + 1) / bins], with errors that are
    half the width of the Wilson interval over 1.96; `bins` has that interval. Intervals of the measures are
    percentiles of a bootstrap over images; an ECE is never negative, so that resamples lie above it, and `chance` says
    what a perfectly calibrated network would have with so few images. Probabilities follow what the outputs mean.
    Raises Refused for a regression and where labels stand by themselves, PellucidError for fewer than 4 images.
    """
    told = Shown(net, data).answers()
    if len(told) < 4:
        raise PellucidError(f"calibration of {len(told)} images: one half fits and one is shown, 4 at the least")
    order = np.arange(len(told)) if split == "halves" else generator(seed, "halves").permutation(len(told))
    fit, shown = told.of(np.sort(order[: len(told) // 2])), told.of(np.sort(order[len(told) // 2 :]))
    temperature, error = fitted(fit.log_p, fit.labels)
    after = Answers(scaled(shown.log_p, temperature), shown.labels, shown.ids)
    weights = resampled(len(shown), resamples, seed)
    found = [measures(one, bins, weights) for one in (shown, after)]
    chance = by_chance(shown, bins, seed)
    rows = {"as it is": binned(shown, bins), f"T = {temperature:.3g}": binned(after, bins)}
    flipped = int((shown.given != after.given).sum())
    check = Check("answers that a temperature changes", 0.0, float(flipped), 0.0, "argmax before with argmax after")
    return Study(
        _said(shown, found, temperature, error, chance),
        {"reliability": _curve(rows, check)},
        tables={
            "measures": _table(found, chance),
            **{f"bins, {name}": _bin_table(one) for name, one in rows.items()},
        },
        meta=Meta(
            found={"temperature": temperature, "temperature_error": error, "fitted": len(fit), "shown": len(shown)},
            notes=_notes(split, fit, shown, temperature),
        ),
    )


def _curve(each: dict[str, Float[np.ndarray, "bins 7"]], check: Check) -> Curve:
    lines = []
    for name, rows in each.items():
        at = np.where(rows[:, 2] > 0, rows[:, 3], rows[:, :2].mean(1))
        error = np.where(rows[:, 2] > 0, wilson_error(np.nan_to_num(rows[:, 4]) * rows[:, 2], rows[:, 2]), np.nan)
        lines.append(Line(name, at, rows[:, 4], error, "accuracy", group=name))
    ends = np.array([0.0, 1.0])
    lines.append(Line("perfect", ends, ends, None, "accuracy", "dashed"))
    for name, rows in each.items():
        at = rows[:, :2].mean(1)
        lines.append(Line(f"images, {name}", at, rows[:, 2] / rows[:, 2].sum(), None, "share of images", group=name))
    return Curve(tuple(lines), "confidence, the highest probability", checks=(check,))


def _table(each: list[dict[str, Floats]], chance: Floats) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in each[0]:
        row: list[Cell] = [name]
        for one in each:
            own, drawn = float(one[name][0]), one[name][1:]
            ends = [float(np.quantile(drawn, q)) for q in (0.025, 0.975)] if len(drawn) else [None, None]
            row += [
                own if np.isfinite(own) else None,
                *(end if end is None or np.isfinite(end) else None for end in ends),
            ]
        rows.append((*row, float(chance.mean()) if name == "ECE" else None))
    return Table(dict(zip(_MEASURES, zip(*rows, strict=True), strict=True)), _MEASURES)


def _bin_table(rows: Float[np.ndarray, "bins 7"]) -> Table:
    cells = [tuple(None if np.isnan(x) else float(x) for x in column) for column in rows.T]
    cells[2] = tuple(int(x or 0) for x in cells[2])
    return Table(dict(zip(_BINS, cells, strict=True)), _BINS)


def _said(
    shown: Answers, each: list[dict[str, Floats]], temperature: float, error: float, chance: Floats
) -> tuple[str, ...]:
    before, after = ({name: float(values[0]) for name, values in one.items()} for one in each)
    low, high = np.quantile(each[0]["ECE"][1:], (0.025, 0.975))
    usual = float(np.quantile(chance, 0.95))
    how = "overconfident" if before["confidence"] > before["accuracy"] else "underconfident"
    fine = before["ECE"] <= usual and abs(temperature - 1) <= 2 * error
    verdict = "as calibrated as so few images can tell" if fine else how
    return (
        f"the network is {verdict}: it says {before['confidence']:.1%} on average and is right in "
        f"{before['accuracy']:.1%} of {len(shown)} images; ECE {before['ECE']:.2%} (resamples {low:.2%} to {high:.2%}; "
        f"of a perfectly calibrated one up to {usual:.2%})",
        f"a temperature of {temperature:.3f} ± {error:.3f}, fitted on other images, makes the ECE {after['ECE']:.2%} "
        f"and the NLL {after['NLL']:.3f} nats, from {before['NLL']:.3f}; no answer changes",
    )


def _notes(split: str, fit: Answers, shown: Answers, temperature: float) -> tuple[Note, ...]:
    half = "the first half" if split == "halves" else "one half at random"
    said = [
        Note("choice", f"the temperature is fitted on {half}, {len(fit)} images, and shown on the other {len(shown)}")
    ]
    if min((~fit.right).mean(), (~shown.right).mean()) <= _FEW_ERRORS:
        text = "nearly all answers are right: of images that the network was trained on, calibration says nothing"
        said.append(Note("values", text))
    if not 0.06 < temperature < 19:
        said.append(
            Note("values", f"the temperature is at the end of its range, {temperature:.3g}: there is none that fits")
        )
    return tuple(said)
