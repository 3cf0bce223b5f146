"""Double descent: the test error of least squares on random features, exactly, from few features to very many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.geometry import Floats
from pellucid.learning.least_squares import pixels_of, smallest
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Curve, Line, Mark, Meta, Study, Table
from pellucid.rng import Seed, generator

_FITTED = 1e-12  # squared error on the training images, beyond rounding
_MEASURES = ("test error", "accuracy", "norm", "train error")
_ABOUT = {
    "features": "number of random features p",
    "multiple": "p over the number n of training images; at 1 the training images are just fitted",
    "test error": "mean over the held-out images of the squared distance to the one-hot label, summed over "
    "the classes; median of the draws",
    "low": "its lower quartile over the draws",
    "high": "its upper quartile",
    "accuracy": "share of the held-out images whose class has the largest answer, median of the draws",
    "norm": "Frobenius norm of the coefficients c, median of the draws",
    "train error": "squared distance on the training images to the labels that were given, median of the draws",
}


@method(
    "Double descent",
    purpose="test error from few parameters to very many",
    shows=(
        "The test error has its peak where there are about as many features as training images, and beyond it may fall "
        "below that of all smaller models. It is exact for least squares on random features without regularization, "
        "and says nothing of a network that is trained in steps; a penalty on the weights flattens the peak, and label "
        "noise raises it. No network is run: five draws of ten least-squares fits on 300 images, of up to 3,000 "
        "features."
    ),
    source="Belkin et al. 2019, section 2 and figure 2 (reconciling modern machine learning and bias-variance)",
    over="all",
    quick={"samples": 30, "draws": 2},
)
def double_descent(
    data: Data,
    *,
    multiples: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1000)], ...],
        Field(min_length=1, description="numbers of features, as multiples of the number of training images"),
    ] = (0.15, 0.3, 0.6, 0.9, 1.0, 1.1, 1.3, 2.0, 3.5, 10.0),
    samples: Annotated[int, Field(ge=4, le=20_000, description="number of images to train on, drawn at random")] = 300,
    label_noise: Annotated[
        float, Field(ge=0, le=1, description="share of the training labels that another class replaces")
    ] = 0.1,
    draws: Annotated[int, Field(ge=1, le=1000, description="number of draws of features and label noise")] = 5,
    size: Annotated[int, Field(ge=1, le=512, description="pixels per side that larger images are shrunk to")] = 28,
    seed: Seed = 0,
) -> Study:
    """Least squares of smallest norm on p random features of the images: one row for each p (`features`).

    The features are relu(w·x), x the pixels and w Gaussian; the answer is c·features, with the c of smallest norm among
    those that fit the one-hot labels best, in float64 and without any regularization or iteration. Below p = n the
    training labels cannot be fitted and the test error is U-shaped; near p = n it has its peak, and ‖c‖ with it; beyond
    it falls again, with enough features below all that few can do. No network is asked. The held-out images are up to
    five times as many others of the data, or a fourth of it where there are not enough; their labels have no noise.
    Raises PellucidError for fewer than 8 images, Refused where they differ in shape once they are shrunk.
    """
    pixels, labels = pixels_of(data.shuffled(seed), 6 * samples, size)
    many = min(samples, len(labels) * 3 // 4)
    classes = int(labels.max()) + 1
    counts = sorted({max(round(one * many), 1) for one in multiples})
    found = np.stack([_drawn(pixels, labels, many, counts, label_noise, seed, draw)
                      for draw in steps(range(draws), "draws")])  # fmt: skip
    rows = [_row(count, many, found[:, i]) for i, count in enumerate(counts)]
    table = Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)
    peak = max(rows, key=lambda row: row["test error"])
    held = {"shown": many, "held out": len(labels) - many, "classes": classes, "peak": peak["features"]}
    note = (
        f"{many} training images with {label_noise:.0%} wrong labels, {len(labels) - many} held out, {classes} classes"
    )
    meta = Meta(found=held, notes=(Note("reading", f"{note}; medians of {draws} draws"),))
    return Study(_said(rows, many), {"descent": _curve(rows, many)}, {}, {"features": table}, meta)


def _drawn(
    pixels: Floats, labels: Int[np.ndarray, " n"], many: int, counts: Sequence[int], noise: float, seed: int, draw: int
) -> Float[np.ndarray, "p 4"]:
    """(p, 4) test error, accuracy, norm and train error of one draw; fewer features are the first of the many."""
    chance, classes = generator(seed, "double descent", draw), int(labels.max()) + 1
    given = labels[:many].copy()
    wrong = chance.permutation(many)[: round(noise * many)] if classes > 1 else np.zeros(0, np.int64)
    given[wrong] = (given[wrong] + chance.integers(1, max(classes, 2), size=len(wrong))) % classes
    weights = chance.standard_normal((counts[-1], pixels.shape[1])) / np.sqrt(pixels.shape[1])
    features = np.maximum(pixels @ weights.T, 0)
    wanted, true = np.eye(classes)[given], np.eye(classes)[labels[many:]]
    found = []
    for count in counts:
        coefficients = smallest(features[:many, :count], wanted)
        answers = features[:, :count] @ coefficients
        errors = ((answers[many:] - true) ** 2).sum(1)
        right = answers[many:].argmax(1) == labels[many:]
        left = ((answers[:many] - wanted) ** 2).sum(1)
        found.append([errors.mean(), right.mean(), np.linalg.norm(coefficients), left.mean()])
    return np.array(found)


def _row(count: int, many: int, values: Float[np.ndarray, "draws 4"]) -> dict[str, float | int]:
    middle = dict(zip(_MEASURES, np.median(values, 0).tolist(), strict=True))
    low, high = np.quantile(values[:, 0], [0.25, 0.75]).tolist()
    return {"features": count, "multiple": count / many, "test error": middle["test error"], "low": low, "high": high,
            **{name: middle[name] for name in _MEASURES[1:]}}  # fmt: skip


def _curve(rows: Sequence[Mapping[str, float | int]], many: int) -> Curve:
    points = np.array([row["multiple"] for row in rows])
    lines = [
        Line(name, points, np.array([row[name] for row in rows]), None, quantity)
        for name, quantity in (
            ("test error", "held-out squared error"),
            ("accuracy", "held-out accuracy"),
            ("norm", "norm of the coefficients"),
        )
    ]
    return Curve(tuple(lines), f"features over the {many} training images", (Mark(1.0, "as many features as images"),))


def _said(rows: Sequence[Mapping[str, float | int]], many: int) -> tuple[str, ...]:
    few = [row for row in rows if row["features"] < 0.9 * many]
    last, peak = rows[-1], max(rows, key=lambda row: row["test error"])
    said = []
    if few and peak["features"] not in (rows[0]["features"], last["features"]):
        best = min(few, key=lambda row: row["test error"])
        where = f"{peak['features']:,} features for {many:,} training images"
        said.append(f"the test error has its peak, {peak['test error']:.3g}, at {where}")
        how = "falls below" if last["test error"] < best["test error"] else "stays above"
        said.append(
            f"with {last['features']:,} features, {last['test error']:.3g}, it {how} the best that fewer features than "
            f"images can do, {best['test error']:.3g} with {best['features']:,}"
        )
    else:
        said.append(
            f"the test error, {peak['test error']:.3g} at most, has no peak between the numbers of features tried"
        )
    fitted = [row["features"] for row in rows if row["train error"] < _FITTED]
    if fitted:
        said.append(
            f"with {min(fitted):,} features or more the training labels, the wrong ones too, are fitted exactly"
        )
    top = max(rows, key=lambda row: row["norm"])
    said.append(f"the coefficients are largest with {top['features']:,} features, ‖c‖ = {top['norm']:.3g}")
    return tuple(said)
