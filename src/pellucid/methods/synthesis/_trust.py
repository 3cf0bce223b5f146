"""What a synthetic picture is worth, measured on its 8 bits as a file holds them, through the real preprocessing.

Shares are counted from a zero. For a unit that cannot be negative (after a rectifier, a probability) that is 0; for
others, whose offset means nothing, it is the mean over the real images (fewer than ten: plain grey's activation), so
that "1.8 × the best" is right for both.
What is left after a shift, or under the touches, is counted from a plain grey picture, because it is measured where no
real image is known. A shift alone would not do: sign gradients of a strided network have its strides for a period.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pellucid.chance import generator
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images, as_float
from pellucid.methods.synthesis._optimise import Each, eight_bits
from pellucid.methods.synthesis._real import Known, Moments, Photos, Place, Record
from pellucid.methods.synthesis._transforms import Matrix, looked_at, shifted, turned, zoomed
from pellucid.net import Net, Preprocess, Run
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Pictures, Trust
from pellucid.result.pictures import ENOUGH
from pellucid.target import Neuron, Sum, Target, Targets
from pellucid.target.units import over_places

File = UInt8[np.ndarray, "_ _ _"]
"""One picture as a file holds it, (H, W, C)."""
SHIFT = 4
"""Pixels of the network's input by which a picture is shifted to see whether it is adversarial noise."""
_DIRECTIONS = tuple((y * SHIFT, x * SHIFT) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)
_TOUCHES = 12
_TURN, _ZOOM, _NOISE, _QUALITY = 5.0, 0.05, 0.02, 75
_MANY = 100  # real images for a quantile


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
    first = _First(net, files, targets, units)
    grey = _answers(net, [np.full_like(file, 128) for file in files], targets)
    at_size = [_as_seen(net, file) for file in files]
    kept = _kept(net, at_size, targets, first.activation, grey)
    touched, touched_best = _touched(net, at_size, targets, known, seed)
    agreement = _agreement(targets, first.signatures)
    found = []
    for i, target in enumerate(targets):
        record = known.records.get(target) if known else None
        steady = _rise(touched[i] - grey[i], first.activation[i], grey[i])
        trust = Trust(_number(first.activation[i]), kept=kept[i], steady=steady, agreement=agreement[i])
        if record is not None and record.best:
            trust = _beside(trust, record, float(grey[i]))
            trust = replace(trust, robust=_share(touched[i], touched_best[target], trust.zero))
        found.append(_ranked(trust, units[target], first.peers[i], known))
    return tuple(found)


def unknowns(trust: Sequence[Trust]) -> tuple[str, ...]:
    """What is not known of these pictures, each said once."""
    notes = []
    if any(one.best_real is None for one in trust):
        notes.append("best real image unknown: no real images were given (real=, a folder of photos)")
    elif any(one.ratio is None or one.robust is None for one in trust):
        notes.append("ratio or robustness unknown where no real image excites the target")
    if any(one.kept is None for one in trust):
        notes.append("shift of 4 pixels: share unknown where a picture excites its target no more than plain grey")
    return tuple(notes)


def _known(net: Net, targets: Sequence[Target], real: Photos | Known | None) -> Known | None:
    return real.known(net, targets) if isinstance(real, Photos) else real


class _First:
    """Activations, those of the peers, and the layer's channel means, from one pass over the pictures."""

    def __init__(
        self, net: Net, files: Sequence[File], targets: Sequence[Target],
        units: Mapping[Target, Place | None],
    ) -> None:  # fmt: skip
        self.activation = np.full(len(files), np.nan)
        self.peers: list[NDArray[np.float64] | None] = [None] * len(files)
        self.signatures: list[NDArray[np.float64] | None] = [None] * len(files)
        for which, run, pixels in _runs(net, files, targets):
            self.activation[which] = _asked(net, run, pixels, targets[which])
            for row, i in enumerate(range(which.start, which.stop)):
                place = units[targets[i]]
                self.peers[i] = _row(place.peers(run), row) if place else None
                self.signatures[i] = _signature(run, targets[i], row)


def _runs(net: Net, files: Sequence[File], targets: Sequence[Target]) -> Iterator[tuple[slice, Run, Tensor]]:
    """Passes over the files as the network sees them, as many at once as memory holds."""
    seen = [net.see(_image(file)).pictures[0] for file in files]
    start = 0
    while start < len(seen):
        size = seen[start].shape
        stop = start + 1
        most = net.chunk((size[-2], size[-1]), grad=False)
        while stop < len(seen) and seen[stop].shape == size and stop - start < most:
            stop += 1
        asked = Targets(tuple(targets[start:stop]))
        pixels = torch.stack(seen[start:stop])
        yield slice(start, stop), net.run(pixels, at=asked.layers, stop=not asked.reads_output), pixels
        start = stop


def _answers(net: Net, files: Sequence[File], targets: Sequence[Target]) -> Float[np.ndarray, " n"]:
    """What each file says to its own target, (N,); NaN where it cannot be asked."""
    found = np.full(len(files), np.nan)
    for which, run, pixels in _runs(net, files, targets):
        found[which] = _asked(net, run, pixels, targets[which])
    return found


def _asked(net: Net, run: Run, pixels: Tensor, targets: Sequence[Target]) -> Float[np.ndarray, " n"]:
    try:
        answers: NDArray[np.float64] = Each(tuple(targets))(run).double().cpu().numpy()
        return answers
    except Refused:
        if len(pixels) == 1:
            return np.full(1, np.nan)
    alone = [(pixels[i : i + 1], targets[i : i + 1]) for i in range(len(pixels))]
    return np.concatenate([_asked(net, net.run(x, at=t[0].layers), x, t) for x, t in alone])


def _row(values: Tensor, row: int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = values[row].double().cpu().numpy()
    return found


def _signature(run: Run, target: Target, row: int) -> NDArray[np.float64] | None:
    """The channel means of the one layer that the target reads, or the scores; None where there is no one layer."""
    if len(target.layers) == 1 and not target.reads_output:
        return _row(over_places(run[target.layers[0]]), row)
    if target.layers or not isinstance(run.returned, Tensor):
        return None
    return _row(over_places(run.output), row) if run.output.dim() > 1 else None


def _kept(
    net: Net, files: Sequence[File], targets: Sequence[Target],
    whole: Float[np.ndarray, " n"], grey: Float[np.ndarray, " n"],
) -> list[float | None]:  # fmt: skip
    """The mean share of the rise over plain grey that is left after shifts; None where there is no rise."""
    left = np.zeros(len(files))
    for direction in steps(_DIRECTIONS, "shifted pictures"):
        # the network looks the other way
        matrix = shifted(-float(direction[0]), -float(direction[1]))
        moved = [eight_bits(_moved(file, matrix))[0] for file in files]
        left += _answers(net, moved, [_followed(target, net, matrix) for target in targets]) - grey
    means = left / len(_DIRECTIONS)
    return [_rise(*one) for one in zip(means, whole, grey, strict=True)]


def _rise(left: float, whole: float, grey: float) -> float | None:
    """The share that is `left` of the rise over plain grey; None where there is no rise."""
    return _number(left / (whole - grey)) if whole - grey > 1e-6 * abs(whole) else None


def _touched(
    net: Net, files: Sequence[File], targets: Sequence[Target], known: Known | None, seed: int
) -> tuple[Float[np.ndarray, " n"], dict[Target, float]]:
    """Mean activation under shifts, turns, zooms, noise and JPEG: of each picture, and of each target's best image."""
    records = known.records if known else {}
    best = {
        target: _as_seen(net, _file(known.picture(record.best[0][1])))
        for target, record in records.items()
        if known and record.best and target in targets
    }
    shown, asked = [*files, *best.values()], [*targets, *best]
    total = np.zeros(len(shown))
    for i in steps(range(_TOUCHES), "touched pictures"):
        matrix = _drawn(generator(seed, "trust", i))
        touched = [_touch(file, matrix, generator(seed, "trust", i, "noise")) for file in shown]
        total += _answers(net, touched, [_followed(target, net, matrix) for target in asked])
    means = total / _TOUCHES
    return means[: len(files)], dict(zip(best, means[len(files) :].tolist(), strict=True))


def _drawn(chance: np.random.Generator) -> Matrix:
    """A shift, a zoom and a turn, each anywhere in its range."""
    down, across = chance.uniform(-SHIFT, SHIFT, 2)
    return (
        shifted(float(down), float(across))
        @ zoomed(1 + float(chance.uniform(-_ZOOM, _ZOOM)))
        @ turned(float(chance.uniform(-_TURN, _TURN)))
    )


def _touch(file: File, matrix: Matrix, noise: np.random.Generator) -> File:
    moved = _moved(file, matrix)
    rough = torch.from_numpy(noise.standard_normal(tuple(moved.shape))).to(moved)
    return _jpeg(eight_bits(moved + _NOISE * rough)[0])


def _moved(file: File, matrix: Matrix) -> Float[Tensor, "1 c h w"]:
    """The file seen from elsewhere; what lies outside is its mirror image."""
    pixels = torch.from_numpy(file).permute(2, 0, 1)[None].float() / 255
    sides = (file.shape[0], file.shape[1])
    frame = [min(side - 1, 2 * SHIFT + side // 8) for side in sides]
    around = F.pad(pixels, (frame[1], frame[1], frame[0], frame[0]), mode="reflect")
    return looked_at(around, [matrix], sides)


def _jpeg(file: File) -> File:
    """Through JPEG at quality 75, where the picture has colours that JPEG knows."""
    if file.shape[-1] not in (1, 3):
        return file
    buffer = io.BytesIO()
    Image.fromarray(file[..., 0] if file.shape[-1] == 1 else file).save(buffer, "JPEG", quality=_QUALITY)
    return np.array(Image.open(buffer)).reshape(file.shape)


def _followed(target: Target, net: Net, matrix: Matrix) -> Target:
    """The same question of a picture seen from elsewhere: a cell moves with what it saw, everything else stays."""
    if isinstance(target, Sum):
        return Sum(tuple((weight, _followed(part, net, matrix)) for weight, part in target.parts))
    if not isinstance(target, Neuron):
        return target
    size = net.preprocess.size
    layer = net.layer(target.layer, size)
    if layer.placement is None:
        return target
    high, wide = size or net.layers(size).size
    rows, columns = layer.placement.centres(*layer.shape[1:])
    middle = ((high - 1) / 2, (wide - 1) / 2)
    here = np.array([columns[target.x] - middle[1], rows[target.y] - middle[0], 1.0])
    there = np.linalg.inv(matrix) @ here
    y = int(np.abs(rows - middle[0] - there[1]).argmin())
    x = int(np.abs(columns - middle[1] - there[0]).argmin())
    return replace(target, y=y, x=x)


def _as_seen(net: Net, file: File) -> File:
    """The file at the size at which the network looks at it, not yet cropped: 4 pixels are then 4 of its pixels."""
    whole: Preprocess = replace(net.preprocess, crop=None)
    return _file(whole.see(_image(file)))


def _image(file: File) -> Images:
    return Images.from_pictures([torch.from_numpy(np.array(file)).permute(2, 0, 1)], ["picture"])


def _file(images: Images) -> File:
    pixels: File = eight_bits(as_float(images.pictures[0])[None])[0]
    return pixels


def _beside(trust: Trust, record: Record, grey: float) -> Trust:
    """With where the activation stands among those of real images."""
    values = [value for value, _ in record.best]
    neutral = record.mean if record.count >= ENOUGH else grey
    return replace(
        trust,
        best_real=values[0],
        ninth_real=values[8] if len(values) > 8 else None,
        real_images=record.count,
        zero=neutral if record.signed and np.isfinite(neutral) else 0.0,
        quantile=_below(record, trust.activation),
    )


def _below(record: Record, activation: float | None) -> float | None:
    return None if activation is None or record.count < _MANY else record.share_below(activation)


def _ranked(trust: Trust, place: Place | None, values: NDArray[np.float64] | None, known: Known | None) -> Trust:
    """With the unit's place among its peers: by z-score where enough real images are known, else by raw numbers."""
    if place is None or values is None or len(values) < 2 or not np.isfinite(values).all():
        return trust
    moments = known.moments.get(place.peers) if known and known.count >= ENOUGH else None
    scores = place.sign * (values if moments is None else _z(values, moments))
    rank = 1 + int((scores > scores[place.index]).sum())
    return replace(trust, rank=rank, channels=len(values), raw_rank=moments is None)


def _z(values: NDArray[np.float64], moments: Moments) -> NDArray[np.float64]:
    """Standard deviations above the mean; a channel that real images leave cold counts with the least of spreads."""
    floor = 1e-6 * max(float(moments.sd.max()), 1e-30)
    found: NDArray[np.float64] = (values - moments.mean) / np.maximum(moments.sd, floor)
    return found


def _agreement(targets: Sequence[Target], signatures: Sequence[NDArray[np.float64] | None]) -> list[float | None]:
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


def _share(value: float, best: float, zero: float) -> float | None:
    """(value − zero) / (best − zero); None where the best does not rise above zero."""
    return _number((value - zero) / (best - zero)) if best > zero else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
