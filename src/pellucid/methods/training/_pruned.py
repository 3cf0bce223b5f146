"""What pruning has found, as rows, curves and sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid.geometry import Floats
from pellucid.learning.masks import SCHEMES, spread
from pellucid.net.answers import Answers
from pellucid.result import Curve, Line, Mark, Table
from pellucid.result.curve import Style
from pellucid.result.table import Cell
from pellucid.statistics import NORMAL_95, error_of_mean, wilson

ROWS = {
    "scheme": "which weights stay: the largest of all (magnitude), the largest of each layer, the output channels of "
    "each layer but the last with the largest norm, or any of each layer; retrained: and were trained again",
    "kept": "share of the weights that are asked to stay",
    "nonzero": "share of the weights that are not 0",
    "accuracy": "share of the images with the right answer; of random weights the mean of the draws",
    "low": "lower end of its 95 % interval (Wilson), for one network on these images",
    "high": "upper end",
    "spread": "standard deviation over the draws of random weights",
    "nll": "mean −log p of the right class, in nats",
}
Rows = list[tuple[Cell, ...]]
Found = dict[tuple[str, float], list[tuple[Answers, float]]]
"""(scheme, share asked for) -> answers of every draw, with the share that is not 0."""


def row(scheme: str, kept: float, found: list[tuple[Answers, float]]) -> tuple[Cell, ...]:
    """Of `ROWS`."""
    shares = [float(one.right.mean()) for one, _ in found]
    mean, count = float(np.mean(shares)), len(found[0][0])
    low, high = wilson(np.array([mean * count]), np.array([float(count)]))
    nll = float(np.mean([one.nll.mean() for one, _ in found]))
    nonzero = float(np.mean([one for _, one in found]))
    return scheme, kept, nonzero, mean, float(low[0]), float(high[0]), spread(shares), nll if np.isfinite(nll) else None


def _of(rows: Rows, scheme: str) -> Rows:
    return [row for row in rows if row[0] == scheme]


def enough(found: Found, shares: list[float], whole: Answers, max_loss: float) -> tuple[float, float, float]:
    """The smallest share of the largest weights from which on, up to all of them, no more is lost than may be; and its
    95 % interval: the smallest at which that much may and must be kept, given the errors of what these images lose.
    """
    ends = [1.0, 1.0, 1.0]
    for i, sigmas in enumerate((0.0, -NORMAL_95, NORMAL_95)):
        for one in sorted(shares, reverse=True):
            lost = whole.right.astype(float) - found["magnitude", one][0][0].right
            error = float(error_of_mean(lost)) if len(lost) > 1 else 0.0
            if float(lost.mean()) + sigmas * error > max_loss:
                break
            ends[i] = one
    return ends[0], ends[1], ends[2]


def knee(rows: Rows) -> tuple[float, float]:
    """The neighboring shares between which, by magnitude, most accuracy is lost for each weight taken away."""
    own = np.array([[float(row[1] or 0), float(row[3] or 0)] for row in _of(rows, "magnitude")])
    half = (own[-1, 1] + own[:, 1].min()) / 2
    above = int(np.argmax(own[:, 1] >= half))  # the first share with at least half of what there is to lose
    return float(own[max(above - 1, 0), 0]), float(own[above, 0])


def curve(rows: Rows, between: tuple[float, float], removed: Table | None) -> Curve:
    """A line for each scheme, and one for whole layers, of all parameters."""
    lines, count = [], len(_of(rows, "random"))
    for scheme in dict.fromkeys(str(row[0]) for row in rows):
        own: Floats = np.array([[float(x or 0) for x in row[1:7]] for row in _of(rows, scheme)])
        error = np.maximum((own[:, 4] - own[:, 3]) / (2 * NORMAL_95), own[:, 5])
        style: Style = "dashed" if scheme.endswith("retrained") else "line"
        group = scheme.removesuffix(", retrained")
        lines.append(Line(scheme, own[:, 0], own[:, 2], error, "accuracy", style, group))
    if removed is not None:
        kept, values, low, high = (np.array(removed[name][::-1], float) for name in ("kept", "accuracy", "low", "high"))
        lines.append(Line("whole layers", kept, values, (high - low) / (2 * NORMAL_95), "accuracy"))
    low_end, high_end = between
    marks = (Mark(high_end, "half of the accuracy is lost below"),) if count > 1 and low_end < high_end else ()
    return Curve(tuple(lines), "share of the weights kept", marks)


def said(
    rows: Rows, tables: Mapping[str, Table], few: tuple[float, float, float], between: tuple[float, float],
    count: int, base: float, max_loss: float,
) -> tuple[str, ...]:  # fmt: skip
    """The most important first."""
    share, low, high = few
    said = [
        f"{share:.0%} of the {count:,} weights, the largest, are enough for an accuracy within {max_loss:.1%} of "
        f"{base:.1%} ({low:.0%} to {high:.0%} given these images)" if share < 1 else
        f"none of the {count:,} weights can be spared: at every share tried more than {max_loss:.1%} are lost"
    ]  # fmt: skip
    if between[0] < between[1]:
        said.append(f"half of what there is to lose is lost between {between[1]:.0%} and {between[0]:.0%} of the "
                    "weights kept")  # fmt: skip
    tried = [float(row[1] or 0) for row in _of(rows, "magnitude") if float(row[1] or 0) < 1]
    again = [row for row in rows if str(row[0]).endswith("retrained")]
    for share in [max(tried)] if tried else []:
        there = {str(row[0]): float(row[3] or 0) for row in rows if row[1] == share}
        said.append(
            f"with {share:.0%} kept, the accuracy is " + ", ".join(f"{there[one]:.1%} by {one}" for one in SCHEMES)
        )
    for share in [min(tried)] if tried and again else []:
        there = {str(row[0]): float(row[3] or 0) for row in rows if row[1] == share}
        gains = ", ".join(f"{there[one]:.1%} to {there[f'{one}, retrained']:.1%} ({one})" for one in SCHEMES)
        said.append(f"with {share:.0%} kept, retraining brings {gains}")
    layers, removed = tables["layers"], tables.get("removed")
    said.append(f"most sensitive is {layers['weight'][0]}: alone, it costs {float(layers['loss'][0] or 0):.1%}")
    if removed is not None and len(removed) > 1:
        first = removed.rows[1]
        said.append(f"{first['layer']} can go whole for {base - float(first['accuracy'] or 0):.1%}, of "
                    f"{len(removed) - 1} that can be taken out")  # fmt: skip
    return tuple(said)
