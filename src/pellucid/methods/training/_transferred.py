"""What was found of a transfer as curves, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pellucid.learning.features import PIXELS
from pellucid.learning.shots import beaten, over_draws, percent
from pellucid.result import Curve, Line, Mark, Table
from pellucid.result.table import Cell

SCRATCH, TUNED, RECYCLED = "from scratch", "fine-tuned", "recycled, new head"
_LAYERS = {
    "layer": "whose features are read out; pixels: the image itself",
    "features": "numbers that the read-out has of each image",
    "labels": "labeled images of each class that it was fitted to",
    "accuracy": "share of the images that judge with the right answer, mean over the draws",
    "error": "its standard error, over draws and images",
}
_TRAINED = {
    "way": "from scratch, fine-tuned, or with the layers up to one kept: frozen, or trained as well",
    "kept": "last layer that is kept; all: all but the head",
    "labels": "labeled images of each class",
    "accuracy": "share of the images that judge with the right answer, mean over the draws",
    "error": "its standard error, over draws and images",
}
_SOURCES = {
    "layer": "whose features are compared; pixels: the image itself",
    "shared directions": "cosine between the covariances of both data sets: 1, the features vary in the same ways",
    "told apart": "accuracy of a linear read-out that says which data set an image is of, held out: 0.5, it cannot",
    "error": "standard error of that",
}
Shares = Mapping[str, tuple[float, float, float]]


@dataclass(eq=False)
class Scores:
    """Accuracies of every draw: of read-outs by (layer, labels), of trainings by (way, layer kept, labels)."""

    layers: tuple[str, ...]
    widths: Mapping[str, int]
    images: int
    read: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    trained: dict[tuple[str, str, int], list[float]] = field(default_factory=dict)

    def of(self, shares: list[float]) -> tuple[float, float]:
        """(mean, standard error)."""
        return over_draws(shares, self.images)

    def line(self, name: str, points: list[float], shares: list[list[float]], dashed: bool = False) -> Line:
        """A line of accuracies over the points."""
        values, errors = (np.array(one) for one in zip(*map(self.of, shares), strict=True))
        return Line(name, np.array(points, float), values, errors, "accuracy", "dashed" if dashed else "line")


def shown(scores: Scores, counts: list[int], apart: Shares) -> tuple[dict[str, Curve], dict[str, Table]]:
    """The curves and the tables."""
    points, axis = [float(one) for one in counts], "labeled images of each class"
    every = (PIXELS, *scores.layers)
    lines = [scores.line(name, points, [scores.read[name, k] for k in counts], name == PIXELS) for name in every]
    by_layer = [float(i) for i in range(len(every))]
    depth = [scores.line(_labels(k), by_layer, [scores.read[name, k] for name in every]) for k in counts]
    marks = tuple(Mark(i, name) for i, name in enumerate(every))
    curves = {"read-outs": Curve(tuple(lines), axis), "by layer": Curve(tuple(depth), "layer", marks)}
    rows: list[tuple[Cell, ...]] = [
        (name, scores.widths[name], k, *scores.of(scores.read[name, k])) for name in every for k in counts
    ]
    tables = {"layers": Table(dict(zip(_LAYERS, zip(*rows, strict=True), strict=True)), _LAYERS)}
    if scores.trained:
        ways = {way: [scores.trained[way, "", k] for k in counts] for way in (SCRATCH, TUNED)}
        ways[RECYCLED] = [scores.read[scores.layers[-1], k] for k in counts]
        cross = crossed(points, ways)
        curves["ways"] = Curve(
            tuple(scores.line(way, points, ways[way], way == SCRATCH) for way in ways), axis,
            () if cross is None else (Mark(cross, "from scratch is better beyond"),),
        )  # fmt: skip
        kept = [scores.line(how, by_layer, [ways[SCRATCH][-1], *(scores.trained[how, one, counts[-1]] for one in
                            scores.layers)]) for how in ("frozen", "trained")]  # fmt: skip
        marks = (Mark(0, "none"), *marks[1:])
        curves["kept layers"] = Curve(tuple(kept), f"layers kept, {_labels(counts[-1])} of each class", marks)
        rows = [(way, last or ("none" if way == SCRATCH else "all"), k, *scores.of(shares))
                for (way, last, k), shares in scores.trained.items()]  # fmt: skip
        tables["trained"] = Table(dict(zip(_TRAINED, zip(*rows, strict=True), strict=True)), _TRAINED)
    if apart:
        rows = [(name, *(None if np.isnan(x) else x for x in found)) for name, found in apart.items()]
        tables["sources"] = Table(dict(zip(_SOURCES, zip(*rows, strict=True), strict=True)), _SOURCES)
    return curves, tables


def crossed(points: list[float], ways: Mapping[str, list[list[float]]]) -> float | None:
    """Labels per class from which on training from scratch is better than every use of the network."""
    mean = {way: np.array([np.mean(one) for one in shares]) for way, shares in ways.items()}
    return beaten(np.array(points), [mean[way] for way in mean if way != SCRATCH], mean[SCRATCH])


def said(scores: Scores, counts: list[int], apart: Shares) -> tuple[str, ...]:
    """What it comes to, the most important first."""
    most = counts[-1]
    found = {name: scores.of(scores.read[name, most]) for name in (PIXELS, *scores.layers)}
    best = max(scores.layers, key=lambda name: found[name][0])
    last, pixels = scores.layers[-1], found[PIXELS]
    words = [
        f"with {_labels(most)} of each class {best} reads out best: {percent(found[best])}, the pixels "
        f"{percent(pixels)}" + ("" if best == last else f", the last layer, {last}, {percent(found[last])}")
    ]
    if best != last and found[best][0] - found[last][0] > 2 * np.hypot(found[best][1], found[last][1]):
        words.append(f"features of {best} transfer better than those of {last}: the task is far from the network's own")
    if scores.trained:
        ways = {way: [scores.trained[way, "", k] for k in counts] for way in (SCRATCH, TUNED)}
        ways[RECYCLED] = [scores.read[last, k] for k in counts]
        for i in sorted({0, len(counts) - 1}):
            each = ", ".join(f"{way} {percent(scores.of(shares[i]))}" for way, shares in ways.items())
            words.append(f"{_labels(counts[i])} of each class: {each}")
        cross = crossed([float(one) for one in counts], ways)
        if cross is not None:
            words.append(
                f"the network pays below about {cross:.2g} labels of each class; beyond, from scratch is better"
            )
    known = {name: one for name, one in apart.items() if name != PIXELS and not np.isnan(one[1])}
    if known:
        least = min(known, key=lambda name: known[name][1])
        words.append(
            f"the data sets are hardest to tell apart at {least}: {percent(known[least][1:])}, 50.0% by chance"
        )
    return tuple(words)


def _labels(many: int) -> str:
    return f"{many} label{'s' * (many > 1)}"
