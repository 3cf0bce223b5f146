"""Copies of images in a set: the same bytes, the same pixels, or nearly so: encoded anew, cropped or mirrored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt, UInt8
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.notes import Note, say
from pellucid.progress import steps
from pellucid.training_set.alignment import aligned, fingerprints, likely

CLOSE, ALIKE = 0.05, 0.95
"""Root mean square of pixels in 0..1 after the best alignment, and correlation, that say a copy, both together."""
_FLOOR = 0.8
"""Correlation of fingerprints from which pairs are looked at that the embedding does not name."""
_BLOCK, EACH = 2**23, 8
"""Products that are held at once, and neighbors of an image that are looked at."""
MOST = 200_000
"""Pairs that are laid over one another; of more the most alike."""
_SAME = 0.02  # pairs that may have the same pixels


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of images that are copies: rows (P, 2), smaller one first."""

    rows: Int[np.ndarray, "p 2"]
    rms: Floats
    how: tuple[str, ...]
    """Of each: the same file, the same pixels, or what was done: mirrored, cropped to 95 %, encoded anew."""

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Group:
    """Images that are copies of one another, by chains of pairs."""

    members: tuple[int, ...]
    rms: float
    """The largest of its pairs'."""
    how: tuple[str, ...]
    """What the pairs are, each once."""


def candidates(
    named: Int[np.ndarray, "p 2"], prints: NDArray[np.float32], mirrors: NDArray[np.float32]
) -> Int[np.ndarray, "q 2"]:
    """(Q, 2) pairs of images that may be copies: those `named`, such as the nearest by an embedding, and those whose
    fingerprints, mirrored or not, have a correlation of 0.8, the 8 nearest of each; all by fingerprint once more."""
    count, found = len(prints), [named]
    step = max(_BLOCK // max(count, 1), 1)
    for start in steps(range(0, count, step), "pictures compared"):
        rows = np.arange(start, min(start + step, count))
        for others in (prints, mirrors):
            alike = prints[rows] @ others[start:].T
            alike[rows - start, rows - start] = -1
            found.append(_best(alike, rows, start))
    pairs = np.unique(np.sort(np.concatenate(found), 1), axis=0)
    return pairs[likely(prints, mirrors, pairs)]


def _best(alike: Float[np.ndarray, "m n"], rows: NDArray[np.int64], start: int) -> Int[np.ndarray, "p 2"]:
    """Pairs above the floor; where there are many, the nearest of each row."""
    above = alike >= _FLOOR
    if above.sum() > EACH * len(alike) and alike.shape[1] > EACH:
        near = np.argpartition(-alike, EACH - 1, axis=1)[:, :EACH]
        kept = np.zeros_like(above)
        np.put_along_axis(kept, near, True, 1)
        above &= kept
    first, second = np.nonzero(above)
    return np.stack([rows[first], second + start], 1)


def copies(
    small: UInt8[np.ndarray, "n s s 3"],
    named: Int[np.ndarray, "p 2"],
    hashes: UInt[np.ndarray, " n"],
    same: Callable[[int, int], bool] | None = None,
) -> Pairs:
    """The pairs of images that are copies of one another.

    `small` are the images as the network sees them, small, `named` pairs (P, 2) that may be copies, such as the nearest
    by an embedding, `hashes` of their bytes, 0 where unknown: equal ones are copies whatever they show. `same(i, j)`
    says whether two have the same pixels when they are read. Other candidates are laid over one another (`aligned`): a
    copy differs by less than 0.05 and has a correlation of 0.95.
    """
    exact = _equal(hashes)
    prints, mirrors = fingerprints(small)
    pairs = candidates(named, prints, mirrors)
    own = hashes[pairs]
    pairs = pairs[(own[:, 0] != own[:, 1]) | (own[:, 0] == 0)]
    if len(pairs) > MOST:
        best = np.maximum(*((prints[pairs[:, 0]] * one[pairs[:, 1]]).sum(1) for one in (prints, mirrors)))
        say(Note("choice", f"{MOST} of {len(pairs)} pairs of images that look alike are compared closely"))
        pairs = pairs[np.sort(np.argsort(-best, kind="stable")[:MOST])]
    kept, rms, how = [exact], [np.zeros(len(exact))], ["the same file"] * len(exact)
    for start in steps(range(0, len(pairs), 2048), "pairs laid over one another"):
        some = pairs[start : start + 2048]
        found = aligned(small[some[:, 0]], small[some[:, 1]])
        good = (found.rms < CLOSE) & (found.correlation >= ALIKE)
        kept.append(some[good])
        rms.append(found.rms[good])
        for k in np.flatnonzero(good):
            i, j = map(int, some[k])
            alike = found.rms[k] < _SAME and not found.mirrored[k]
            same_pixels = bool(alike and same is not None and same(i, j))
            how.append("the same pixels" if same_pixels else _told(found.mirrored[k], found.zoom[k], found.shift[k]))
    return Pairs(np.concatenate(kept), np.concatenate(rms), tuple(how))


def _equal(hashes: UInt[np.ndarray, " n"]) -> Int[np.ndarray, "p 2"]:
    """Pairs of images with the same bytes: each with the first of them, that a thousand copies are no million pairs."""
    order = np.argsort(hashes, kind="stable")
    _, first, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    found = [
        (int(order[at]), int(order[at + k]))
        for at, count in zip(first[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True)
        if hashes[order[at]]
        for k in range(1, count)
    ]
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def _told(mirrored: bool, zoom: float, shift: float) -> str:
    """What was done to one to get the other."""
    part = min(zoom, 1 / max(zoom, 1e-6))
    words = ["mirrored"] if mirrored else []
    if part < 0.985:
        words.append(f"cropped to {100 * part:.0f} %")
    elif shift > 0.02:
        words.append("moved")
    return ", ".join(words) or "encoded anew"


def groups(pairs: Pairs) -> tuple[Group, ...]:
    """Connected images together (union-find), the largest group first, of equal ones the one with the first image."""
    parent: dict[int, int] = {}

    def root(i: int) -> int:
        parent.setdefault(i, i)
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in pairs.rows.tolist():
        a, b = root(i), root(j)
        parent[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for i in sorted(parent):
        members.setdefault(root(i), []).append(i)
    of = {top: ([], []) for top in members}  # type: dict[int, tuple[list[float], list[str]]]
    for k, (i, _) in enumerate(pairs.rows.tolist()):
        of[root(i)][0].append(float(pairs.rms[k]))
        of[root(i)][1].append(pairs.how[k])
    made = [Group(tuple(some), max(of[top][0]), tuple(dict.fromkeys(of[top][1]))) for top, some in members.items()]
    return tuple(sorted(made, key=lambda one: (-len(one.members), one.members)))
