"""What a synthetic picture is worth, measured on its 8 bits as a file holds them, through the real preprocessing.

Shares are counted from a zero. For a unit that cannot be negative (after a rectifier, a probability) that is 0; for
others, whose offset means nothing, it is the mean over the real images (fewer than ten: plain gray's activation), so
that "1.8 × the best" is right for both.
What is left after a shift, or under the touches, is counted from a plain gray picture, because it is measured where no
real image is known. A shift alone would not do: sign gradients of a strided network have its strides for a period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, UInt8

from pellucid.errors import PellucidError
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.render.affine import shifted
from pellucid.render.answers import First, answers
from pellucid.render.peers import Place
from pellucid.render.perturbations import SHIFT, as_seen, perturbed, seen_from
from pellucid.render.photos import Photos
from pellucid.render.pixels import File, eight_bits
from pellucid.render.records import Known
from pellucid.render.standing import agreements, beside, ranked
from pellucid.result import Pictures, Trust
from pellucid.target import Target

_DIRECTIONS = tuple((y * SHIFT, x * SHIFT) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)


def trusted(pictures: Pictures, net: Net, targets: Sequence[Target], real: Photos | Known | None = None) -> Pictures:
    """The pictures with what each is worth, and with notes on what could not be known; one target for each."""
    known = _known(net, targets, real)
    trust = judged(net, pictures.pixels, targets, real=known)
    notes = (*(known.notes if known else ()), *Note.many("values", unknowns(trust)))
    return replace(pictures, trust=trust, meta=pictures.meta.noting(*notes))


def judged(
    net: Net,
    pixels: UInt8[np.ndarray, "n h w c"] | Sequence[File],
    targets: Sequence[Target],
    *,
    real: Photos | Known | None = None,
    seed: int = 0,
) -> tuple[Trust, ...]:
    """What each of N pictures (N, H, W, C) is worth to its own target.

    `real` are real images, or what is already known of them. `seed` is that of the touches under which a picture
    should keep its activation; they are the same for all pictures. Whatever cannot be known is None.
    """
    targets = tuple(targets)
    if len(pixels) != len(targets):
        raise PellucidError(f"{len(pixels)} pictures for {len(targets)} targets: each has its own")
    known = _known(net, targets, real)
    files = [*pixels]
    units = {target: Place.of(target, net) for target in dict.fromkeys(targets)}
    first = First(net, files, targets, units)
    gray = answers(net, [np.full_like(file, 128) for file in files], targets)
    at_size = [as_seen(net, file) for file in files]
    kept = _kept(net, at_size, targets, first.activation, gray)
    touched, touched_best = perturbed(net, at_size, targets, known, seed)
    agreement = agreements(targets, first.signatures)
    found = []
    for i, target in enumerate(targets):
        record = known.records.get(target) if known else None
        steady = _rise(touched[i] - gray[i], first.activation[i], gray[i])
        trust = Trust(
            _number(first.activation[i]), shift_retention=kept[i], perturb_retention=steady, agreement=agreement[i]
        )
        if record is not None and record.best:
            trust = beside(trust, record, float(gray[i]))
            trust = replace(trust, robustness=_share(touched[i], touched_best[target], trust.offset))
        found.append(ranked(trust, units[target], first.peers[i], known))
    return tuple(found)


def unknowns(trust: Sequence[Trust]) -> tuple[str, ...]:
    """What is not known of these pictures, each said once."""
    notes = []
    if any(one.best_real is None for one in trust):
        notes.append("best real image unknown: no real images were given (real=, a folder of photos)")
    elif any(one.ratio is None or one.robustness is None for one in trust):
        notes.append("ratio or robustness unknown where no real image excites the target")
    if any(one.shift_retention is None for one in trust):
        notes.append("shift of 4 pixels: share unknown where a picture excites its target no more than plain gray")
    return tuple(notes)


def _known(net: Net, targets: Sequence[Target], real: Photos | Known | None) -> Known | None:
    return real.known(net, targets) if isinstance(real, Photos) else real


def _kept(
    net: Net, files: Sequence[File], targets: Sequence[Target],
    whole: Float[np.ndarray, " n"], gray: Float[np.ndarray, " n"],
) -> list[float | None]:  # fmt: skip
    """The mean share of the rise over plain gray that is left after shifts; None where there is no rise."""
    left = np.zeros(len(files))
    for direction in steps(_DIRECTIONS, "shifted pictures"):
        # the network looks the other way
        matrix = shifted(-float(direction[0]), -float(direction[1]))
        moved = [eight_bits(seen_from(file, matrix))[0] for file in files]
        left += answers(net, moved, [target.followed(net, matrix) for target in targets]) - gray
    means = left / len(_DIRECTIONS)
    return [_rise(*one) for one in zip(means, whole, gray, strict=True)]


def _rise(left: float, whole: float, gray: float) -> float | None:
    """The share that is `left` of the rise over plain gray; None where there is no rise."""
    return _number(left / (whole - gray)) if whole - gray > 1e-6 * abs(whole) else None


def _share(value: float, best: float, zero: float) -> float | None:
    """(value − zero) / (best − zero); None where the best does not rise above zero."""
    return _number((value - zero) / (best - zero)) if best > zero else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
