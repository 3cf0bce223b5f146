"""Perturbations: small changes of a file under which a picture should keep its activation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pellucid.images import Images, as_float
from pellucid.net import Net, Preprocess
from pellucid.progress import steps
from pellucid.render.affine import Matrix, looked_at, shifted, turned, zoomed
from pellucid.render.answers import answers
from pellucid.render.pixels import File, as_images, eight_bits
from pellucid.render.records import Known
from pellucid.rng import generator
from pellucid.target import Target

SHIFT = 4
"""Pixels of the network's input by which a picture is shifted to see whether it is adversarial noise."""
COUNT = 12
"""So many perturbations; the same for all pictures."""
_TURN, _ZOOM, _NOISE, _QUALITY = 5.0, 0.05, 0.02, 75


def perturbed(
    net: Net, files: Sequence[File], targets: Sequence[Target], known: Known | None, seed: int
) -> tuple[Float[np.ndarray, " n"], dict[Target, float]]:
    """Mean activation under shifts, turns, zooms, noise and JPEG: of each picture, and of each target's best image."""
    records = known.records if known else {}
    best = {
        target: as_seen(net, _file(known.picture(record.best[0][1])))
        for target, record in records.items()
        if known and record.best and target in targets
    }
    shown, asked = [*files, *best.values()], [*targets, *best]
    total = np.zeros(len(shown))
    for i in steps(range(COUNT), "touched pictures"):
        matrix = drawn(generator(seed, "trust", i))
        touched = [changed(file, matrix, generator(seed, "trust", i, "noise")) for file in shown]
        total += answers(net, touched, [target.followed(net, matrix) for target in asked])
    means = total / COUNT
    return means[: len(files)], dict(zip(best, means[len(files) :].tolist(), strict=True))


def drawn(chance: np.random.Generator) -> Matrix:
    """A shift, a zoom and a turn, each anywhere in its range."""
    down, across = chance.uniform(-SHIFT, SHIFT, 2)
    return (
        shifted(float(down), float(across))
        @ zoomed(1 + float(chance.uniform(-_ZOOM, _ZOOM)))
        @ turned(float(chance.uniform(-_TURN, _TURN)))
    )


def changed(file: File, matrix: Matrix, noise: np.random.Generator) -> File:
    """The file seen from elsewhere, with noise, through JPEG."""
    moved = seen_from(file, matrix)
    rough = torch.from_numpy(noise.standard_normal(tuple(moved.shape))).to(moved)
    return _jpeg(eight_bits(moved + _NOISE * rough)[0])


def seen_from(file: File, matrix: Matrix) -> Float[Tensor, "1 c h w"]:
    """The file seen from elsewhere; what lies outside is its mirror image."""
    pixels = torch.from_numpy(file).permute(2, 0, 1)[None].float() / 255
    sides = (file.shape[0], file.shape[1])
    frame = [min(side - 1, 2 * SHIFT + side // 8) for side in sides]
    around = F.pad(pixels, (frame[1], frame[1], frame[0], frame[0]), mode="reflect")
    return looked_at(around, [matrix], sides)


def _jpeg(file: File) -> File:
    """Through JPEG at quality 75, where the picture has colors that JPEG knows."""
    if file.shape[-1] not in (1, 3):
        return file
    buffer = io.BytesIO()
    Image.fromarray(file[..., 0] if file.shape[-1] == 1 else file).save(buffer, "JPEG", quality=_QUALITY)
    return np.array(Image.open(buffer)).reshape(file.shape)


def as_seen(net: Net, file: File) -> File:
    """The file at the size at which the network looks at it, not yet cropped: 4 pixels are then 4 of its pixels."""
    whole: Preprocess = replace(net.preprocess, crop=None)
    return _file(whole.prepare(as_images(file)))


def _file(images: Images) -> File:
    pixels: File = eight_bits(as_float(images.pictures[0])[None])[0]
    return pixels
