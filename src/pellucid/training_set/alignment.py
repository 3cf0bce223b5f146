"""Small pictures laid over one another as well as can be: mirrored, or one a crop of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray

from pellucid.geometry import Floats

SIDE = 32
"""Pixels along a side of the pictures that are laid over one another."""
_BATCH = 256
_STEPS = 10
_MAYBE = 4.0
"""How many times as large as the other way's the mean square before anything is moved may be, mirrored or not."""
_ZOOM, _SHIFT = 0.2, 0.2
"""How far a crop may go: its size from 1 to 1 ± this, its place in halves of a side."""
_OVERLAP = 0.75
"""Share of the picture that both must show."""
_LIKELY = 0.7
"""Correlation before anything is moved, of blurred pictures: what is below is no copy, nor a crop of one."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """P pairs of pictures, as the second lies over the first where both agree best."""

    rms: Floats
    """(P,) root mean square difference of pixels from 0 to 1, where both show something; 1 where none fits at all."""
    correlation: Floats
    """(P,) of the same pixels: two flat pictures differ little, and yet have nothing in common."""
    mirrored: Bool[np.ndarray, " p"]
    zoom: Floats
    """(P,) size of the part of the second that the first shows, along a side; below 1 the first is a crop."""
    shift: Floats
    """(P,) how far the middle of that part lies from the middle, in halves of a side."""


def fingerprints(small: UInt8[np.ndarray, "n s s 3"]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """((N, 192) each, of the pictures and of their mirror images): 8 × 8 means of each color less the mean, of length
    1; all 0 where a picture is flat. The product of two is the correlation of the pictures when much blurred.
    """
    n, side = small.shape[:2]
    cell = side // 8
    coarse = small[:, : 8 * cell, : 8 * cell].reshape(n, 8, cell, 8, cell, 3).mean((2, 4), dtype=np.float32)
    return _unit(coarse.reshape(n, -1)), _unit(coarse[:, :, ::-1].reshape(n, -1))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = rows - rows.mean(1, keepdims=True)
    lengths = np.sqrt((rows**2).sum(1, keepdims=True))
    return np.asarray(np.where(lengths > 1e-3, rows / np.maximum(lengths, 1e-3), 0), np.float32)


def aligned(first: UInt8[np.ndarray, "p s s 3"], second: UInt8[np.ndarray, "p s s 3"]) -> Alignment:
    """Each second picture moved, cropped or enlarged (each axis by itself, by a fifth at the most), and mirrored where
    that is better, so that it differs least from the first: Gauss-Newton steps on the gray pictures (Lucas & Kanade
    1981, Baker & Matthews 2004), which a slight blur makes smooth; the differences are of all three colors.
    """
    found = [_one_batch(first[i : i + _BATCH], second[i : i + _BATCH]) for i in range(0, len(first), _BATCH)]
    if not found:
        none = np.zeros(0)
        return Alignment(none, none, none.astype(bool), none, none)
    return Alignment(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _one_batch(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> tuple[NDArray[np.generic], ...]:
    a, b = _smooth(first), _smooth(second)
    flipped = np.ascontiguousarray(b[..., ::-1])
    still = [((a - other) ** 2).mean((1, 2, 3)) for other in (b, flipped)]
    rms, correlation, mirrored = np.full(len(a), 2.0), np.zeros(len(a)), np.zeros(len(a), bool)
    moved = np.tile(np.array([1, 1, 0, 0], np.float32), (len(a), 1))
    for other, own, against, turned in ((b, *still, False), (flipped, *still[::-1], True)):
        which = np.flatnonzero(own <= _MAYBE * against)  # what is far worse before it is moved is worse after, too
        if len(which):
            found = _fitted(a[which].mean(1), other[which].mean(1))
            off, alike = _agreement(a[which], other[which], found)
            better = off < rms[which]
            at = which[better]
            rms[at], correlation[at], moved[at], mirrored[at] = off[better], alike[better], found[better], turned
    zoom, shift = np.sqrt(moved[:, 0] * moved[:, 1]), np.hypot(moved[:, 2], moved[:, 3])
    return np.minimum(rms, 1), correlation, mirrored, zoom.astype(float), shift.astype(float)


def _smooth(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(P, 3, S, S) in 0..1, each axis under 1 2 1: what lies between pixels can then be told from them."""
    wide = np.pad(
        pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge"
    )
    wide = (wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]) / 4
    return np.asarray((wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]) / 4)


def _fitted(a: Float[np.ndarray, "p s s"], b: Float[np.ndarray, "p s s"]) -> Float[np.ndarray, "p 4"]:
    """(P, 4) the zoom of both axes and the shift of both with which b is most like a: rows first."""
    count, side = a.shape[:2]
    at = _places(side)
    moved = np.tile(np.array([1, 1, 0, 0], np.float32), (count, 1))
    planes = np.stack([b, *(one * np.float32(side / 2) for one in np.gradient(b, axis=(1, 2)))], 1)
    damping = np.eye(4, dtype=np.float32) * 1e-4
    for _ in range(_STEPS):
        values, inside = _sampled(planes, moved)
        many = np.maximum(inside.sum((1, 2), keepdims=True), 1)
        off = np.where(inside, a - values[:, 0], 0)
        off -= np.where(inside, off.sum((1, 2), keepdims=True) / many, 0)  # brightness is no reason to move
        down, right = (np.where(inside, values[:, k], 0) for k in (1, 2))
        parts = [down * at[:, None], right * at[None], down, right]
        rows = np.stack([one.reshape(count, -1) for one in parts], 1)
        square = rows @ rows.transpose(0, 2, 1)
        square = square + damping * np.maximum(np.trace(square, axis1=1, axis2=2), 1e-6)[:, None, None]
        step = np.linalg.solve(square, rows @ off.reshape(count, -1, 1))[..., 0]
        moved = moved + np.clip(step, -0.05, 0.05)
        moved[:, :2] = np.clip(moved[:, :2], 1 - _ZOOM, 1 + _ZOOM)
        moved[:, 2:] = np.clip(moved[:, 2:], -_SHIFT, _SHIFT)
    return moved


def _places(side: int) -> NDArray[np.float32]:
    """(S,) centers of the pixels of a side, from −1 to 1 at its edges."""
    return np.asarray(((np.arange(side, dtype=np.float32) + 0.5) * 2 / side) - 1, np.float32)


def _sampled(
    planes: Float[np.ndarray, "p k s s"], moved: Float[np.ndarray, "p 4"]
) -> tuple[Float[np.ndarray, "p k s s"], Bool[np.ndarray, "p s s"]]:
    """(values between the pixels, linearly, and which of them lie inside) of K planes of each picture, moved. Both axes
    move by themselves, so that it is a product with a matrix for each."""
    count, side = len(planes), planes.shape[-1]
    at, weights, inside = _places(side), [], []
    for k in range(2):
        places = ((moved[:, k, None] * at + moved[:, 2 + k, None] + 1) * side - 1) / 2  # (P, S) in pixels
        inside.append((places >= -0.5) & (places <= side - 0.5))
        low = np.clip(np.floor(places).astype(np.int64), 0, side - 2)
        part = np.clip(places - low, 0, 1).astype(np.float32)
        weight = np.zeros((count, 1, side, side), np.float32)
        each, rows = np.arange(count)[:, None], np.arange(side)[None]
        weight[each, 0, rows, low], weight[each, 0, rows, low + 1] = 1 - part, part
        weights.append(weight)
    values = weights[0] @ planes @ weights[1].transpose(0, 1, 3, 2)
    return np.asarray(values), inside[0][:, :, None] & inside[1][:, None, :]


def _agreement(
    a: Float[np.ndarray, "p k s s"], b: Float[np.ndarray, "p k s s"], moved: Float[np.ndarray, "p 4"]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """((P,) root mean square differences, (P,) correlations) where both pictures show something."""
    values, inside = _sampled(b, moved)
    shown = inside[:, None].astype(np.float32)
    count = np.maximum(shown.sum((1, 2, 3)) * a.shape[1], 1)
    rms = np.sqrt((((a - values) ** 2) * shown).sum((1, 2, 3)) / count)
    means = [(one * shown).sum((1, 2, 3), keepdims=True) / count[:, None, None, None] for one in (a, values)]
    apart = [(one - mean) * shown for one, mean in zip((a, values), means, strict=True)]
    product, squares = (apart[0] * apart[1]).sum((1, 2, 3)), [(one**2).sum((1, 2, 3)) for one in apart]
    correlation = product / np.sqrt(np.maximum(squares[0] * squares[1], 1e-12))
    enough = inside.mean((1, 2)) >= _OVERLAP
    return np.where(enough, rms, 1), np.where(enough, correlation, 0)


def likely(prints: NDArray[np.float32], mirrors: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(P,) which pairs (P, 2) are worth a closer look, by the correlation of their fingerprints, mirrored or not."""
    first, second = prints[pairs[:, 0]], pairs[:, 1]
    best = np.maximum((first * prints[second]).sum(1), (first * mirrors[second]).sum(1))
    return np.asarray(best >= _LIKELY)
