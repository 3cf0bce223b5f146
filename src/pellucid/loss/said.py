"""What curves and surfaces of the loss say, in words."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pellucid.geometry import Floats
from pellucid.notes import Note, say
from pellucid.result import Check


def failed(checks: Iterable[Check]) -> None:
    """Say which checks did not pass."""
    for check in checks:
        if not check.passed:
            say(Note("check", f"{check}: {check.text} do not agree, so do not trust this picture"))


def lowest(name: str, alphas: Floats, losses: Floats) -> str:
    """Of lines (directions, points): whether the network is where the loss is least, and how steep the walls are."""
    center = int(np.argmin(np.abs(alphas)))
    here = float(losses[:, center].mean())
    finite = np.where(np.isfinite(losses), losses, np.inf)
    ends = np.concatenate([finite[:, 0], finite[:, -1]])
    rise = f"the loss of {name}, {here:.3g}, rises to {_span(ends)} at α = ±{abs(alphas[-1]):.3g}"
    best = finite.argmin(1)
    off = [float(alphas[k]) for k, row in zip(best, finite, strict=True) if row[k] < row[center] * (1 - 1e-9)]
    if not off:
        return f"{rise}; of these images it is the minimum along every direction"
    farthest = max(off, key=abs)
    least = float(finite.min())
    return f"{rise}; it is not the minimum of these images: {least:.3g} at α = {farthest:+.3g}"


def halves(found: Floats) -> float:
    """Of places (…, sets, 4): how far the loss of half of the images is from that of all, at the median place, as a
    share of it.
    """
    whole, half = found[..., 0, 0], found[..., 0, 3]
    return float(np.median(np.abs(half - whole) / np.maximum(np.abs(whole), 1e-12)))


def typical(name: str, ends: Floats, others: Floats, reach: float) -> str:
    """Of a plane along two random directions: the loss at the ends of its axes, and at those of other directions."""
    return (
        f"at α, β = ±{reach:.3g} the loss of {name} is {_span(ends)} along the axes, {_span(others)} along "
        f"{len(others) // 2} other random directions"
    )


def _span(values: Floats) -> str:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(high):
        return f"{low:.3g} and beyond every number" if np.isfinite(low) else "beyond every number"
    return f"{low:.3g} to {high:.3g}"


def shape_of(name: str, x: Floats, y: Floats, losses: Floats) -> str:
    """Of a surface (y, x): how high it is, how far it reaches, where it is least."""
    finite = np.where(np.isfinite(losses), losses, np.inf)
    row, column = np.unravel_index(int(finite.argmin()), finite.shape)
    here = float(finite[np.abs(y).argmin(), np.abs(x).argmin()])
    told = f"the loss of {name} is {here:.3g}, {float(np.median(finite)):.3g} at the median place"
    highest = float(finite.max())
    told += f", {highest:.3g} at most" if np.isfinite(highest) else ", beyond every number at most"
    least = float(finite[row, column])
    if least < here * (1 - 1e-9):
        told += f"; of these images the least is {least:.3g}, at ({float(x[column]):+.3g}, {float(y[row]):+.3g})"
    return told
