"""From rows of numbers to places in a plane, and where new rows go without making the plane anew."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.chance import generator
from pellucid.errors import MissingExtra, PellucidError
from pellucid.notes import Note
from pellucid.progress import steps

Floats = NDArray[np.float64]
How = Literal["tsne", "umap", "pca", "ica"]
LARGEST = 200_000
"""Rows that t-SNE and UMAP lay out themselves: of more a random sample, and the rest is placed among it."""
PRINCIPAL = 50
"""Principal components that t-SNE and UMAP see."""
_DESCENT = 200  # steps of a new point in a t-SNE map
_AT_ONCE = 2**22  # numbers in a table of distances


@dataclass(frozen=True, eq=False)
class Layout:
    """Where rows lie, and what is needed to place others."""

    how: How
    perplexity: float
    values: Float[np.ndarray, "n 2"]
    seen: Float[np.ndarray, "n channels"]
    """The rows as the layout saw them: principal components, or as they were."""
    linear: tuple[Floats, Floats]
    """(mean, components) that made them so."""
    axes: Floats | None = None
    """Of a linear map: from what was seen to the plane."""
    notes: tuple[Note, ...] = ()

    def place(self, rows: Float[np.ndarray, "m channels"]) -> Float[np.ndarray, "m 2"]:
        """Where other rows go; no point of the map moves, and none of the new ones depends on another."""
        new = np.concatenate([reduced(row[None], self.linear) for row in rows])  # products of many have other last bits
        if self.axes is not None:
            return np.asarray(new @ self.axes)
        near, weights = affinities(new, self.seen, self.perplexity)
        begin = np.einsum("mk,mkd->md", weights, self.values[near])
        return descended(begin, near, weights, self.values) if self.how == "tsne" else begin


def laid_out(rows: Float[np.ndarray, "n channels"], how: How, perplexity: float | int, seed: int) -> Layout:
    """The rows in a plane. Principal components first, and of more than LARGEST rows a sample of them."""
    linear = principal(rows, PRINCIPAL if how in ("tsne", "umap") else 2)
    seen = reduced(rows, linear)
    if how in ("pca", "ica"):
        axes = np.eye(seen.shape[1], 2) if how == "pca" else independent(seen, seed)
        return Layout(how, 0.0, seen @ axes, seen, linear, axes)
    notes: tuple[Note, ...] = ()
    chosen = np.arange(len(rows))
    if len(rows) > LARGEST:
        chosen = np.sort(generator(seed, "layout").choice(len(rows), LARGEST, replace=False))
        drawn = f"{_NAMES[how]} of {LARGEST} pictures drawn at random; the others lie at the mean of their nearest"
        notes = (Note("sampling", drawn),)
    most = max((len(chosen) - 1) / 3, 1.0)
    told = float(min(perplexity, most))
    if told < perplexity:
        notes += (Note("choice", f"perplexity {told:.3g}: a third of the {len(chosen)} pictures at most"),)
    made = _tsne if how == "tsne" else _umap
    values = made(seen[chosen], told, seed)
    if not np.isfinite(values).all():
        raise PellucidError(f"{_NAMES[how]} finds no place for these pictures: are they all the same to the layer?")
    if len(chosen) < len(rows):
        whole = np.empty((len(rows), 2))
        whole[chosen] = values
        rest = np.setdiff1d(np.arange(len(rows)), chosen)
        for part in steps(_cut(len(rest), len(chosen)), "placing the others"):
            near, weights = affinities(seen[rest[part]], seen[chosen], told)
            whole[rest[part]] = np.einsum("mk,mkd->md", weights, values[near])
        values = whole
    return Layout(how, told, values, seen, linear, None, notes)


_NAMES = {"tsne": "t-SNE", "umap": "UMAP"}


def principal(rows: Float[np.ndarray, "n channels"], count: int) -> tuple[Floats, Floats]:
    """(mean, (channels, components)) of the rows, the strongest component first, each with its largest part positive.

    From the covariance, summed in pieces: memory does not grow with the rows.
    """
    pieces = [rows[i : i + 4096] for i in range(0, len(rows), 4096)]
    mean = np.sum([piece.sum(0, dtype=np.float64) for piece in pieces], axis=0) / len(rows)
    spread = np.zeros((rows.shape[1], rows.shape[1]))
    for piece in pieces:
        centred = piece.astype(np.float64) - mean
        spread += centred.T @ centred
    _, vectors = np.linalg.eigh(spread)
    axes = vectors[:, ::-1][:, : min(count, rows.shape[1])]
    largest = np.abs(axes).argmax(0)
    return mean, axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1, 1)


def reduced(rows: Float[np.ndarray, "n channels"], linear: tuple[Floats, Floats]) -> Float[np.ndarray, "n parts"]:
    """Rows by their components."""
    mean, axes = linear
    pieces = [(rows[i : i + 4096].astype(np.float64) - mean) @ axes for i in range(0, len(rows), 4096)]
    found = np.concatenate(pieces)
    return np.pad(found, ((0, 0), (0, max(2 - found.shape[1], 0))))  # a layer of one unit has one component


def independent(seen: Float[np.ndarray, "n two"], seed: int, most: int = 500) -> Floats:
    """The axes along which two principal components are least normal: symmetric FastICA with tanh (Hyvärinen 1999)."""
    scale = np.where(seen.std(0) > 0, seen.std(0), 1)
    white = seen / scale
    turn = _unmixed(generator(seed, "ica").standard_normal((2, 2)))
    for _ in range(most):
        bent = np.tanh(white @ turn.T)
        new = _unmixed(bent.T @ white / len(white) - (1 - bent**2).mean(0)[:, None] * turn)
        done = np.abs(np.abs((new * turn).sum(1)) - 1).max() < 1e-10
        turn = new
        if done:
            break
    return np.asarray((turn / scale).T)


def _unmixed(turn: Floats) -> Floats:
    """The nearest rotation: (W Wᵀ)^−½ W."""
    left, _, right = np.linalg.svd(turn)
    return np.asarray(left @ right)


def _tsne(seen: Floats, perplexity: float, seed: int) -> Floats:
    engine = extra("openTSNE")
    clock: Iterator[int] = steps(range(15), "t-SNE")
    tick = lambda *_: bool(next(clock, 0) is None)  # noqa: E731  # true would stop it
    small = len(seen) < 200  # FFT and approximate neighbours pay off later
    exact = {"neighbors": "exact", "negative_gradient_method": "bh"} if small else {"neighbors": "auto"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = engine.TSNE(
            perplexity=perplexity, n_jobs=1, random_state=seed % 2**32, callbacks=[tick], callbacks_every_iters=50,
            initialization=begun(seen), **exact,
        ).fit(seen)  # fmt: skip
    for _ in clock:
        continue
    return np.asarray(made, np.float64)


def _umap(seen: Floats, perplexity: float, seed: int) -> Floats:
    engine = extra("umap")
    near = min(max(round(perplexity), 2), len(seen) - 1)
    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = engine.UMAP(
                n_neighbors=near, random_state=seed % 2**32, n_jobs=1, init=1e5 * begun(seen)
            ).fit_transform(seen.astype(np.float32))
    finally:
        torch.set_num_threads(threads)  # numba changes them, and with them torch's last bits
    return np.asarray(made, np.float64)


def begun(seen: Floats) -> Floats:
    """Where points start: on the first two principal components, as small as t-SNE wants it (Kobak & Berens 2019)."""
    return np.asarray(seen[:, :2] / (seen[:, 0].std() or 1) * 1e-4)


def extra(name: str) -> Any:
    """The package that lays out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError as error:
        what = {"openTSNE": "t-SNE", "umap": "UMAP"}[name]
        raise MissingExtra(f"a map by {what} (openTSNE, umap-learn; pca and ica need none)", "maps") from error


def affinities(
    new: Float[np.ndarray, "m parts"], old: Float[np.ndarray, "n parts"], perplexity: float
) -> tuple[NDArray[np.int64], Floats]:
    """((m, k) nearest old rows, their weights that sum to 1): t-SNE's p(j|i) of a new row, k three times as many as
    its perplexity.

    Each row by itself, and exact: no new row changes what another gets, be it in the last bit.
    """
    count = min(max(round(3 * perplexity), 1), len(old))
    near, weights = np.empty((len(new), count), np.int64), np.empty((len(new), count))
    for i, row in enumerate(new):
        apart = ((old - row) ** 2).sum(1)
        chosen = np.argpartition(apart, count - 1)[:count] if count < len(old) else np.arange(len(old))
        near[i] = chosen[np.lexsort((chosen, apart[chosen]))]
        weights[i] = _weights(apart[near[i]], min(perplexity, count - 1e-9))
    return near, weights


def _weights(apart: Floats, perplexity: float) -> Floats:
    """exp(−β d²), normalised, with the β whose entropy is log(perplexity): found by bisection (van der Maaten 2008)."""
    apart = apart - apart.min()
    low, high, beta = 0.0, np.inf, 1.0 / (apart.mean() or 1.0)
    for _ in range(100):
        weights = np.exp(-beta * apart)
        share = weights / weights.sum()
        entropy = float(np.log(weights.sum()) + beta * (share @ apart))
        if entropy > np.log(max(perplexity, 1.0)):
            low, beta = beta, 2 * beta if high == np.inf else (beta + high) / 2
        else:
            high, beta = beta, (low + beta) / 2
    return np.asarray(share)


def descended(
    begin: Float[np.ndarray, "m 2"], near: NDArray[np.int64], weights: Floats, map_: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "m 2"]:
    """New points moved to where they fit t-SNE's objective best, all others held: min over y of KL(p(j|i) ‖ q(j|i)).

    q(j|i) is (1 + |y − yⱼ|²)⁻¹ over the sum of it over all points of the map (Poličar et al. 2023, section 3).
    """
    found = np.empty_like(begin)
    for i, start in enumerate(begin):
        found[i] = _settled(start, map_[near[i]], weights[i], map_)
    return found


def _settled(start: Floats, friends: Floats, weights: Floats, map_: Floats) -> Floats:
    """Gradient steps that grow while they help and shrink where they do not."""

    def cost_and_slope(y: Floats) -> tuple[float, Floats]:
        away, all_away = y - friends, y - map_
        kernel, all_kernel = 1 / (1 + (away**2).sum(1)), 1 / (1 + (all_away**2).sum(1))
        total = all_kernel.sum()
        cost = float(-(weights * np.log(kernel)).sum() + np.log(total))
        pull = 2 * (weights * kernel) @ away
        return cost, cast(Floats, pull - 2 * (all_kernel**2) @ all_away / total)

    y, rate = start, 1.0
    cost, slope = cost_and_slope(y)
    for _ in range(_DESCENT):
        other = y - rate * slope
        new, new_slope = cost_and_slope(other)
        if new < cost:
            y, cost, slope, rate = other, new, new_slope, 1.5 * rate
        else:
            rate *= 0.4
        if rate * np.abs(slope).max() < 1e-9:
            break
    return y


def _cut(count: int, beside: int) -> list[slice]:
    at_once = max(_AT_ONCE // max(beside, 1), 64)
    return [slice(i, i + at_once) for i in range(0, count, at_once)]


def enough(count: int) -> None:
    """Raise where a map would say nothing."""
    if count < 4:
        raise PellucidError(f"{count} pictures in the index: a map needs at least 4")
