"""Where a picture's activation stands: among real images, its unit's peers, and other pictures of its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from pellucid.geometry import Floats
from pellucid.render.peers import Place
from pellucid.render.records import Known, Record
from pellucid.result import Trust
from pellucid.result.pictures import ENOUGH
from pellucid.statistics import Moments
from pellucid.target import Target

_MANY = 100  # real images for a quantile


def beside(trust: Trust, record: Record, gray: float) -> Trust:
    """With where the activation stands among those of real images."""
    values = [value for value, _ in record.best]
    neutral = record.mean if record.count >= ENOUGH else gray
    return replace(
        trust,
        best_real=values[0],
        ninth_real=values[8] if len(values) > 8 else None,
        real_images=record.count,
        offset=neutral if record.signed and np.isfinite(neutral) else 0.0,
        quantile=_below(record, trust.activation),
    )


def _below(record: Record, activation: float | None) -> float | None:
    return None if activation is None or record.count < _MANY else record.share_below(activation)


def ranked(trust: Trust, place: Place | None, values: Floats | None, known: Known | None) -> Trust:
    """With the unit's place among its peers: by z-score where enough real images are known, else by raw numbers."""
    if place is None or values is None or len(values) < 2 or not np.isfinite(values).all():
        return trust
    moments = known.moments.get(place.peers) if known and known.count >= ENOUGH else None
    scores = place.sign * (values if moments is None else _z(values, moments))
    rank = 1 + int((scores > scores[place.index]).sum())
    return replace(trust, rank=rank, channels=len(values), raw_rank=moments is None)


def _z(values: Floats, moments: Moments[Floats]) -> Floats:
    """Standard deviations above the mean; a channel that real images leave cold counts with the least of spreads."""
    spread = moments.sd
    floor = 1e-6 * max(float(spread.max()), 1e-30)
    found: Floats = (values - moments.mean) / np.maximum(spread, floor)
    return found


def agreements(targets: Sequence[Target], signatures: Sequence[Floats | None]) -> list[float | None]:
    """For each picture the mean cosine similarity to the other pictures of its target; None where it is alone."""
    found: list[list[float]] = [[] for _ in targets]
    for i, j in combinations(range(len(targets)), 2):
        one, other = signatures[i], signatures[j]
        if targets[i] != targets[j] or one is None or other is None:
            continue
        size = float(np.linalg.norm(one) * np.linalg.norm(other))
        if size > 0:
            likeness = float(one @ other) / size
            found[i].append(likeness)
            found[j].append(likeness)
    return [float(np.mean(values)) if values else None for values in found]
