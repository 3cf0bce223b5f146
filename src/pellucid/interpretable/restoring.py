"""Noisy images and their restoration: what a soft autoencoder is trained on, and judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from pellucid.data import NewTask
from pellucid.errors import PellucidError
from pellucid.interpretable.shrinkage import SoftAutoencoder, psnr
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, Trained, train
from pellucid.net import Net
from pellucid.result import Meta, Pictures
from pellucid.rng import generator

SIDE = 32
"""Of the patches, in pixels, at most."""
MOST = 200
"""Images that are kept in memory, at most."""
_JUDGES = 16
_SHOWN, _CUT = 3, 96


@dataclass(frozen=True, eq=False)
class Photos:
    """Images as a network is shown them, (C, H, W) in 0..1 each, of even sides: to train on and to judge with."""

    train: list[Tensor]
    test: list[Tensor]
    seed: int

    @property
    def side(self) -> int:
        """Of the patches: even, and no longer than the shortest side of an image."""
        return min(SIDE, *(min(one.shape[1:]) for one in self.train)) // 2 * 2

    def noisy(self, noise: float) -> list[Tensor]:
        """The images that judge, with noise of their own; not cut to 0..1."""
        return [_with_noise(one, noise, self.seed, "test", i) for i, one in enumerate(self.test)]

    def mean_psnr(self, found: Sequence[Tensor]) -> float:
        """In dB, of the restored middles of the images that judge against the clean ones."""
        pairs = zip(found, map(middle, self.test), strict=True)
        return float(np.mean([psnr(one[None], clean[None]).item() for one, clean in pairs]))

    def answers(self, net: Net, found: Sequence[Tensor]) -> Tensor:
        """(N,) the classes that a network gives; of images cut to 0..1."""
        dtype = next((p.dtype for p in net.module.parameters()), torch.float32)
        return torch.cat([
            net.run(one[None].clamp(0, 1).to(dtype)).by_class.detach().argmax(1).cpu() for one in found
        ])  # fmt: skip


def photos_of(net: Net, data: NewTask, seed: int) -> Photos:
    """Up to 200 images, a fourth of them, up to 16, to judge with. Raises PellucidError for fewer than 4."""
    some = data.subset(MOST, seed) if len(data) > MOST else data
    held: list[Tensor] = []
    for batch in net.over(some):
        pixels = batch.images.pixels.detach().float().cpu()
        high, wide = (side // 2 * 2 for side in pixels.shape[-2:])
        held += [*pixels[:, :, :high, :wide]]
    if len(held) < 4:
        raise PellucidError(f"{len(held)} images: to train on some and to hold others out takes 4 at least")
    order = generator(seed, "held out").permutation(len(held))
    many = min(max(len(held) // 4, 1), _JUDGES)
    return Photos([held[i] for i in order[many:]], [held[i] for i in order[:many]], seed)


def learned(module: SoftAutoencoder, photos: Photos, noise: float, patches: int, recipe: Recipe) -> Trained:
    """The module, trained in place to restore so many patches, each with noise of its own: mean squared errors."""
    clean = torch.stack([_patch(photos, i) for i in range(patches)])
    noisy = torch.stack([_with_noise(one, noise, photos.seed, "train", i) for i, one in enumerate(clean)])

    def objective(output: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        errors = (output - clean[numbers]).square().flatten(1).mean(1)
        return errors, torch.zeros(len(errors), dtype=torch.bool)  # nothing to be right about

    return train(module, Tensors(noisy, torch.arange(patches)), recipe, objective=objective)


def knobbed(module: SoftAutoencoder, noisy: Sequence[Tensor], knobs: Sequence[float]) -> list[list[Tensor]]:
    """The images restored at each knob, by which all thresholds are multiplied; it stands at 1 afterwards."""
    module.eval()
    found: list[list[Tensor]] = [[] for _ in knobs]
    with torch.no_grad():
        for one in noisy:
            inside = module.encode(one[None] - 0.5)  # once for all knobs
            for k, knob in enumerate(knobs):
                module.turn(knob)
                found[k].append(module.decode(module.shrink(inside))[0] + 0.5)
    module.turn(1.0)
    return found


def shown(module: SoftAutoencoder, photos: Photos, noise: float, knobs: Sequence[float]) -> Pictures:
    """The middles of a few images: clean, noisy, and restored at each knob."""
    pixels, names, levels = list[UInt8[np.ndarray, "h w c"]](), list[str](), list[float]()
    noisy, clean = ([middle(one) for one in every[:_SHOWN]] for every in (photos.noisy(noise), photos.test))
    columns = {"noisy": noisy}
    restored = knobbed(module, noisy, knobs)
    columns |= {f"knob {knob:g}": one for knob, one in zip(knobs, restored, strict=True)}
    for i in range(len(noisy)):
        for name, found in columns.items():
            pixels.append(_bytes(found[i]))
            names.append(name)
            levels.append(float(psnr(found[i][None], clean[i][None])))
    beside = {"clean": tuple(_bytes(one) for one in clean for _ in columns)}
    meta = Meta(title="Restored")
    return Pictures(tuple(pixels), tuple(names), {"dB": tuple(levels)}, None, beside, len(columns), meta)


def _patch(photos: Photos, i: int) -> Tensor:
    chance = generator(photos.seed, "patch", i)
    photo, side = photos.train[int(chance.integers(len(photos.train)))], photos.side
    y, x = (int(chance.integers(long - side + 1)) for long in photo.shape[1:])
    return photo[:, y : y + side, x : x + side]


def _with_noise(image: Tensor, noise: float, seed: int, of: str, i: int) -> Tensor:
    drawn = generator(seed, "noise", of, i).standard_normal(tuple(image.shape))
    return image + noise * torch.from_numpy(drawn).to(image)


def middle(image: Tensor) -> Tensor:
    """Up to 96 × 96 pixels of an image (C, H, W)."""
    top, left = (max((long - _CUT) // 2, 0) for long in image.shape[1:])
    return image[:, top : top + _CUT, left : left + _CUT]


def _bytes(image: Tensor) -> UInt8[np.ndarray, "h w c"]:
    """(C, H, W) in 0..1 -> (H, W, 3) in 8 bits; one channel as gray, of more the first three."""
    three = image[:3] if image.shape[0] >= 3 else image[:1].expand(3, -1, -1)
    return (three.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
