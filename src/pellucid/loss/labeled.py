"""Labeled images as they go through a network again and again: prepared once, in a fixed order and fixed batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.net import Net, Run
from pellucid.net.outputs import cross_entropy

_MOST = 2**31
"""Bytes of prepared images that are kept."""
BATCH = 128
"""Images whose statistics a batch norm takes together, where it takes those of the batch."""
_SMALL = 2**23
"""Bytes of the widest activation of a batch: with freed memory kept, larger ones are no faster."""


@dataclass(frozen=True, eq=False)
class LabeledBatches:
    """Images as the network sees them, and their classes; `losses` and `right` are those of the network as it is."""

    name: str
    pixels: tuple[Tensor, ...]
    """Batches (n, C, H, W) of one size each."""
    labels: tuple[Tensor, ...]
    losses: Tensor
    """(N,) float64, nats."""
    right: Tensor
    """(N,) whether the network answers the class."""

    def __len__(self) -> int:
        return len(self.losses)

    def part(self, most: int) -> LabeledBatches:
        """The first images alone, in batches as they are cut."""
        pixels, labels, left = [], [], most
        for one, classes in zip(self.pixels, self.labels, strict=True):
            if left > 0:
                pixels.append(one[:left])
                labels.append(classes[:left])
            left -= len(one)
        return LabeledBatches(self.name, tuple(pixels), tuple(labels), self.losses[:most], self.right[:most])

    def single(self, i: int) -> LabeledBatches:
        """Image i alone."""
        pixels = [one for batch in self.pixels for one in batch.split(1)][i]
        labels = torch.cat(self.labels)[i : i + 1]
        return LabeledBatches(self.name, (pixels,), (labels,), self.losses[i : i + 1], self.right[i : i + 1])

    def cut(self, size: int) -> Iterator[LabeledBatches]:
        """Parts of that many images each, of what lies in one batch."""
        done = 0
        for pixels, labels in zip(self.pixels, self.labels, strict=True):
            for one, classes in zip(pixels.split(size), labels.split(size), strict=True):
                of = slice(done, done := done + len(one))
                yield LabeledBatches(self.name, (one,), (classes,), self.losses[of], self.right[of])

    def doubled(self) -> LabeledBatches:
        """The same images in float64."""
        return replace(self, pixels=tuple(one.to(torch.float64) for one in self.pixels))


def labeled(net: Net, data: Data, name: str = "train", batch: int | None = None) -> LabeledBatches:
    """All images of the data, read once, and shown to the network once. PellucidError for more than memory holds."""
    pixels, labels, losses, right, held = [], [], [], [], 0
    for some in net.over(data):
        if some.labels is None:
            raise PellucidError(f"{data} has no classes of {net.name}")
        loss, hit = measured(some.run, some.labels)
        losses.append(loss)
        right.append(hit)
        pixels.append(some.images.pixels.detach())
        labels.append(some.labels)
        held += pixels[-1].numel() * pixels[-1].element_size()
        if held > _MOST:
            done = sum(map(len, labels))
            raise PellucidError(
                f"{data}: {len(data)} images take more than {_MOST >> 30} GB as the network sees them; a surface needs "
                f"all of them at every point, so give fewer: data.subset({done // 2}, seed=0), or --subset {done // 2}"
            )
    if not losses:
        raise PellucidError(f"{data} has no images: there is no loss")
    size = batch or _batch(net, pixels[0])
    cut, classes = _cut(pixels, labels, size)
    return LabeledBatches(name, cut, classes, torch.cat(losses), torch.cat(right))


def settled(net: Net, data: Data) -> Net:
    """The network with what its outputs mean said once and for all, as a pass over the first image shows it.

    Else each place of the weights would be asked anew what its numbers look like, and one network would have one kind
    of loss here and another there. Where nothing tells, they count as logits of classes that exclude one another.
    """
    for some in net.over(data.part(0, 1)):
        some.run.scores  # noqa: B018  # refused where they are no row of classes
    return replace(net, scores=net.meaning.scores)


def _batch(net: Net, pixels: Tensor) -> int:
    """As many images as make passes rare and the widest layer no larger than need be."""
    if net.device.type != "cpu":
        return BATCH
    table = net.layers((pixels.shape[-2], pixels.shape[-1]))
    return int(max(min(_SMALL // (4 * max(table.widest, 1)), BATCH), 4))


def _cut(pixels: list[Tensor], labels: list[Tensor], size: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Batches of one size each, whatever batches they were read in; images of another size begin a new one."""
    runs: list[tuple[list[Tensor], list[Tensor]]] = []
    for one, classes in zip(pixels, labels, strict=True):
        if not runs or runs[-1][0][0].shape[1:] != one.shape[1:]:
            runs.append(([], []))
        runs[-1][0].append(one.contiguous(memory_format=torch.channels_last) if one.dim() == 4 else one)
        runs[-1][1].append(classes)
    cut: list[Tensor] = []
    kinds: list[Tensor] = []
    for some, classes_of in runs:
        cut += torch.cat(some).split(size)
        kinds += torch.cat(classes_of).split(size)
    return tuple(cut), tuple(kinds)


def measured(run: Run, labels: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) cross entropy of each image, nats, float64; and (N,) whether the network answers its class."""
    return cross_entropy(run.scores.double(), labels, run.net.meaning, run.two)
