"""Planes through several networks, and where networks lie beside a plane: by least squares, with what is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.ground import Ground
from pellucid.loss.weights import Vector, difference, dot, like, norm, plain, weights_of
from pellucid.net.nets import Nets
from pellucid.progress import steps
from pellucid.result import Placed

Axes = tuple[Vector, Vector]
_MARGIN = 0.2
"""How far a grid goes on beyond the networks, as a share of what they span."""
_HELD = 2**31
"""Bytes of networks that are in memory at once; others are read again when it is their turn."""
_FLAT = 1e-10
"""Share of the second axis in what both hold, below which the networks lie on one line."""


class Rows:
    """Networks as rows θᵢ − center of a matrix, each read when it is its turn. Biases are part of them, buffers not."""

    def __init__(self, nets: Nets, center: Vector, name: str) -> None:
        self.nets, self.center = nets, center
        for other, one in zip(nets.names, nets, strict=True):
            like(center, weights_of(plain(one)), name, other)
        size = sum(one.numel() * one.element_size() for one in center.values())
        self._most = max(_HELD // max(size, 1), 2)
        self._held: dict[int, dict[str, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.nets)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        if i not in self._held:
            while len(self._held) >= self._most:
                self._held.pop(next(iter(self._held)))
            self._held[i] = difference(weights_of(plain(self.nets[i])), self.center)
        return self._held[i]

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return (self[i] for i in range(len(self)))

    def gram(self) -> Floats:
        """(n, n) inner products."""
        found = np.zeros((len(self), len(self)))
        for i in steps(range(len(self)), "networks compared"):
            for j in range(i, len(self)):
                found[i, j] = found[j, i] = dot(self[i], self[j])
        return found

    def mixed(self, weights: Floats) -> dict[str, Tensor]:
        """Σ wᵢ (θᵢ − center), summed in float64."""
        total: dict[str, Tensor] = {}
        for weight, row in zip(weights.tolist(), self, strict=True):
            for key, one in row.items():
                part = one.double() * weight
                total[key] = total[key] + part if key in total else part
        return {key: one.to(self.center[key].dtype) for key, one in total.items()}


@dataclass(frozen=True, eq=False)
class Components:
    """Of n rows: the shares (n,) of their variance that each component holds, and (2, n) rows' weights in the axes."""

    shares: Floats
    weights: Floats


def components(gram: Floats, centered: bool, names: str = "") -> Components:
    """Principal components of rows by their inner products (n, n): about their origin, or about their mean.

    Each axis has the length 1. Raises PellucidError where the rows lie on one line, which is no plane.
    """
    gram = _about_mean(gram) if centered else gram
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1].clip(min=0), vectors[:, ::-1]
    if not values[1] > _FLAT * values[0]:
        raise _on_a_line(names)
    turned = vectors[:, :2] * np.sign(vectors[np.abs(vectors[:, :2]).argmax(0), [0, 1]])
    return Components(values / values.sum(), (turned / np.sqrt(values[:2])).T)


def of_walk(gram: Floats, centered: bool) -> Floats:
    """(n,) shares of the components of a random walk whose steps have the lengths of those between the rows.

    In many dimensions independent steps are at right angles to one another, which settles every inner product.
    """
    lengths = np.array([gram[i, i] + gram[i + 1, i + 1] - 2 * gram[i, i + 1] for i in range(len(gram) - 1)])
    left = np.append(np.cumsum(lengths[::-1])[::-1], 0.0)  # squared distance from the last, of a walk
    walk = np.minimum.outer(left, left)
    values = np.linalg.eigvalsh(_about_mean(walk) if centered else walk)[::-1].clip(min=0)
    return np.asarray(values / values.sum())


def _about_mean(gram: Floats) -> Floats:
    rows = gram - gram.mean(0, keepdims=True)
    return np.asarray(rows - rows.mean(1, keepdims=True))


def spanned(first: Vector, second: Vector, names: str = "") -> Axes:
    """Axes at right angles, both as long as the first row, which lies at (1, 0); the second row lies in the plane."""
    length = norm(first)
    share = dot(first, second) / length**2 if length else 0.0
    rest = {key: one.double() - share * first[key].double() for key, one in second.items()}
    if not norm(rest) > _FLAT**0.5 * norm(second):
        raise _on_a_line(names)
    scale = length / norm(rest)
    return first, {key: (one * scale).to(first[key].dtype) for key, one in rest.items()}


def _on_a_line(names: str) -> PellucidError:
    return PellucidError(
        f"{names} are one place or lie on one line, so there are many planes through them: give networks that differ, "
        "or ask `between` about two"
    )


def coordinates(axes: Sequence[Vector], row: Vector) -> tuple[Floats, float]:
    """(c, distance) with (DᵀD) c = Dᵀ row, and ‖row − D c‖: right for axes of any length and angle.

    row · d / ‖d‖ would be a coordinate for axes of length 1 at right angles alone.
    """
    products = np.array([[dot(one, other) for other in axes] for one in axes])
    found = np.linalg.solve(products, np.array([dot(one, row) for one in axes]))
    rest = {key: one.double() for key, one in row.items()}
    for c, axis in zip(found.tolist(), axes, strict=True):
        rest = {key: one - c * axis[key].double() if key in axis else one for key, one in rest.items()}
    return found, norm(rest)


def placed(
    rows: Rows, axes: Axes, ground: Ground, at: Callable[[tuple[float, ...]], Floats], group: str = ""
) -> tuple[Placed, ...]:
    """Every network on a plane: its loss where it is, with its own norms' statistics, and on the plane beneath."""
    found = []
    for i in steps(range(len(rows)), "networks placed"):
        row = rows[i]
        (x, y), distance = coordinates(axes, row)
        whole = norm(row)
        share = distance / whole if distance < whole else float(whole > 0)
        loss = ground.loss_of(rows.nets[i])
        beneath = float(at((float(x), float(y)))[0, 0])
        found.append(Placed(rows.nets.names[i], float(x), float(y), distance, share, loss, group, beneath))
    return tuple(found)


def covering(values: Sequence[float], points: int, reach: float = 1.0) -> Floats:
    """`points` places that cover the values and a margin at each end; `reach` times as far from their middle."""
    low, high = min(values), max(values)
    half = (0.5 + _MARGIN) * (high - low) * reach
    found = np.linspace((low + high) / 2 - half, (low + high) / 2 + half, points)
    return np.where(np.abs(found) < 1e-9 * half, 0.0, found)


def unlike(found: Sequence[Placed]) -> str:
    """How well the plane speaks for the networks: their losses on it and where they are, and who lies off it."""
    off = [one for one in found if one.share > 0.5]
    gaps = [abs(one.beneath - one.loss) for one in found]
    worst = found[int(np.nanargmax(gaps))] if np.isfinite(gaps).any() else found[0]
    if max(one.share for one in found) < 1e-4:
        return f"all {len(found)} networks lie in the plane"
    said = f"at {worst.name} the loss on the plane is {worst.beneath:.3g}, and {worst.loss:.3g} where the network is"
    said += f": {abs(worst.beneath - worst.loss):.2g} nats apart, of all {len(found)} the most"
    if off:
        many = "1 lies" if len(off) == 1 else f"{len(off)} lie"
        said += f"; {many} off the plane by more than half of the distance from the center"
    return said
