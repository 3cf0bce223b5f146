"""What a network says of many images with known classes; asked again and again, of images that are read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError, Refused
from pellucid.geometry import Floats
from pellucid.net import outputs
from pellucid.net.run import Run

if TYPE_CHECKING:
    from pellucid.net import Net

KEPT = 512 * 2**20
"""Bytes of images, as the network sees them, that are kept for the next pass; more are read again."""
Change = Callable[[Tensor, tuple[str, ...]], Tensor]
"""change(pixels (N, C, H, W) in 0..1, names of the images) -> pixels that the network is shown instead."""


@dataclass(frozen=True, eq=False)
class Answers:
    """`log_p` (N, C), natural logarithms of the probabilities of C ≥ 2 classes; `labels` (N,), the right ones."""

    log_p: Float[np.ndarray, "n c"]
    labels: Int[np.ndarray, " n"]
    ids: tuple[str, ...]
    at: Float[np.ndarray, "n f"] | None = None
    """(N, F) activations of the layer that was asked for."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def given(self) -> NDArray[np.int64]:
        """(N,) the class that the network answers."""
        return np.asarray(self.log_p.argmax(1), np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether that is the class of the image."""
        return np.asarray(self.given == self.labels)

    @property
    def nll(self) -> Floats:
        """(N,) −log p of the right class, in nats."""
        return np.asarray(-self.log_p[np.arange(len(self)), self.labels])

    @property
    def entropy(self) -> Floats:
        """(N,) in nats."""
        return entropy(self.log_p)

    @property
    def light(self) -> Answers:
        """The same without activations."""
        return Answers(self.log_p, self.labels, self.ids)

    def of(self, which: Any) -> Answers:
        """Those of some of the images."""
        kept = np.arange(len(self))[which]
        at = None if self.at is None else self.at[kept]
        return Answers(self.log_p[kept], self.labels[kept], tuple(self.ids[i] for i in kept), at)


def entropy(log_p: Floats) -> Floats:
    """(…, C) log probabilities -> (…,) in nats. A class of probability 0 counts nothing."""
    p = np.exp(log_p)
    return np.asarray(-np.where(p > 0, p * np.where(p > 0, log_p, 0), 0).sum(-1))


def log_probabilities(run: Run) -> Float[np.ndarray, "n c"]:
    """(N, C) in float64, of C ≥ 2 classes that exclude one another, whatever the outputs mean.

    One number that says yes or no becomes two. Refused for a regression, and where labels stand by themselves.
    """
    meaning = run.net.meaning
    if meaning.scores == "multilabel":
        raise Refused(
            "each label of this network stands by itself, so that the class of an image says nothing of the others: "
            "ask a network whose classes exclude one another, or load it with scores='logits'"
        )
    found = outputs.log_probabilities(run.scores.detach().double(), meaning, run.two).cpu().numpy()
    if found.shape[1] == 1:
        with np.errstate(divide="ignore"):
            found = np.concatenate([np.log(-np.expm1(np.minimum(found, 0))), found], 1)
    total = np.exp(found).sum(1)
    if np.isfinite(total).all() and np.abs(total - 1).max() > 0.02:
        raise Refused(
            f"the probabilities of an image sum to {total[np.abs(total - 1).argmax()]:.3g} and not to 1: "
            "load the network with scores='logits' if a softmax is still to come"
        )
    return np.asarray(found - np.log(total)[:, None])


@dataclass(eq=False)
class Shown:
    """Images of a data set, each read once and shown to a network as often as is asked, changed or not.

    Images whose classes are not known are refused, and so are answers that are no numbers.
    """

    net: Net
    data: Any
    _batches: list[tuple[Tensor, Tensor, tuple[str, ...]]] = field(default_factory=list)
    _complete: bool = False

    def answers(self, net: Net | None = None, change: Change | None = None, layer: str | None = None) -> Answers:
        """What the network, or another one that takes the same images, says of all of them."""
        net, parts = net or self.net, []
        layers = [] if layer is None else [layer]
        for pixels, labels, ids, run in self._passes(layers):
            if run is None or change is not None or net is not self.net:
                run = net.run(pixels if change is None else change(pixels, ids), layers=layers)
            log_p = log_probabilities(run)
            if np.isnan(log_p).any():
                first = ids[int(np.isnan(log_p).any(1).argmax())]
                raise PellucidError(f"{net.name} gives no finite numbers for {first!r}: nothing can be measured on it")
            if int(labels.max()) >= log_p.shape[1]:
                raise PellucidError(f"{net.name} has {log_p.shape[1]} classes, {ids[0]!r} is of class {int(labels[0])}")
            at = None if layer is None else run[layer].detach().double().flatten(1).cpu().numpy()
            parts.append((log_p, labels.cpu().numpy(), ids, at))
        log_p, numbers, names, at = zip(*parts, strict=True)
        features = None if layer is None else np.concatenate([one for one in at if one is not None])
        return Answers(np.concatenate(log_p), np.concatenate(numbers), tuple(sum(names, ())), features)

    def batches(self) -> Iterator[tuple[Tensor, Tensor, tuple[str, ...]]]:
        """(pixels (N, C, H, W) in 0..1, classes (N,), names), batch after batch."""
        for pixels, labels, ids, _ in self._passes([]):
            yield pixels, labels, ids

    def _passes(self, layers: list[str]) -> Iterator[tuple[Tensor, Tensor, tuple[str, ...], Run | None]]:
        """The same, with the run of this network that reading them has cost; None where they were kept."""
        if self._complete:
            yield from ((*one, None) for one in self._batches)
            return
        self._batches.clear()
        held = 0
        for batch in self.net.over(self.data, layers=layers):
            if batch.labels is None:
                raise PellucidError(f"the images of {self.data} have no classes of {self.net.name}")
            pixels = batch.images.pixels
            held += pixels.numel() * pixels.element_size()
            if held <= KEPT:
                self._batches.append((pixels, batch.labels, batch.ids))
            yield pixels, batch.labels, batch.ids, batch.run
        self._complete = held <= KEPT
        if not self._complete:
            self._batches.clear()
