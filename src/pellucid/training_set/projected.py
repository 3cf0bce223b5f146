"""Gradients of a whole network for each image, projected at random onto few numbers, and influence by them (TRAK)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy import linalg
from torch import Tensor

from pellucid.errors import PellucidError, Refused
from pellucid.history import History
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.measured import Block, measured
from pellucid.net import Net
from pellucid.net.apart import inputs_of
from pellucid.net.guard import undisturbed
from pellucid.notes import Note
from pellucid.progress import steps, stop_point
from pellucid.rng import generator
from pellucid.training_set.cases import Asked
from pellucid.training_set.curvature import PIECE
from pellucid.training_set.ek_fac import Logits
from pellucid.training_set.examples import Examples
from pellucid.training_set.influence import Influence

WIDTH = 2048
"""Numbers that the gradient of an image is projected onto."""
SEED = 0
"""Of the projection."""
_VERSION = 1  # raised when the numbers of the same gradient change


def by_trak(
    index: Index, examples: Examples, asked: Asked, classes: NDArray[np.int64], damping: float, history: History | None
) -> tuple[Influence, tuple[Note, ...]]:
    """(φᵀ(ΦᵀΦ/N + λ)⁻¹ φ_i (1 − p_i) / N, what was done), with φ = Pᵀ∇f of f = log p / (1 − p) of the class, by all
    weights of the network (Park et al. 2023, equation 13): what f of `classes` loses when example i is removed, to
    first order and with one step of a logistic regression. The mean over the checkpoints of `history` where there is
    one, else of the network as it is.

    Projections are kept with the index, so that they are measured once: 8 kB for each image and network, of which
    those of one network are held at a time. One pass with a gradient for each image. Raises PellucidError for
    checkpoints where the last layer is not the network's, Refused where the network gives no logits.
    """
    if history is not None and examples.fitted:
        raise PellucidError(
            "checkpoints= follow the network's last layer, and the images have classes of their own: leave them out"
        )
    if history is not None and not history.checkpoints:
        raise PellucidError(f"no checkpoints in {history}: leave checkpoints= out for the network as it is")
    nets = [index.net] if history is None else [history.at(step, index.net) for step in history.checkpoints]
    scores = np.zeros((len(classes), len(examples)))
    for net in nets:
        own = Projected(net, examples)
        rows, p = _kept(index, own)
        wanted = np.concatenate([own.rows(one, [int(k)])[0] for one, k in zip(asked.images, classes, strict=True)])
        scores += _scores(rows, p, wanted.astype(np.float64), damping) / len(nets)
    many = f"of {len(nets)} checkpoints" if history is not None else "of the network as it is"
    said = (
        f"TRAK {many}: gradients of {own.size} weights, projected onto {WIDTH} numbers at random (seed {SEED}); its "
        "amounts are to scale, its order is what to read"
    )
    return Influence(scores), (Note("reading", said),)


def _scores(
    rows: Float[np.ndarray, "n k"], p: Float[np.ndarray, " n"], wanted: Float[np.ndarray, "m k"], damping: float
) -> Float[np.ndarray, "m n"]:
    """(M, N) φᵀ(ΦᵀΦ/N + λ)⁻¹ φ_i (1 − p_i) / N."""
    moment = damping * np.eye(rows.shape[1])
    for i in range(0, len(rows), PIECE):
        one = rows[i : i + PIECE].astype(np.float64)
        moment += one.T @ one / len(rows)
    solved = linalg.cho_solve(linalg.cho_factor(moment, lower=True, overwrite_a=True), wanted.T)
    found = [rows[i : i + PIECE].astype(np.float64) @ solved for i in range(0, len(rows), PIECE)]
    return np.asarray(np.concatenate(found).T * (1 - p) / len(rows))


def _kept(index: Index, own: Projected) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(Φ (N, K), p (N,)) of the examples: as they are kept with the index, and measured where they are not."""
    examples, name = own.examples, own.name
    place = dict(zip(examples.numbers.tolist(), range(len(examples)), strict=True))
    rows, there = np.zeros((len(examples), WIDTH + 1), np.float32), np.zeros(len(examples), bool)

    def measure(images: list[int], names: Sequence[str]) -> Block:
        found, good = np.zeros((len(images), WIDTH + 1), np.float32), np.ones(len(images), bool)
        for k, number in enumerate(steps(images, "gradients of images")):
            if number not in place:  # without a label
                continue
            image = index.readable(number)
            if image is None:
                good[k] = False
                continue
            slope, p = own.rows(image, [int(examples.labels[place[number]])])
            found[k, :-1], found[k, -1] = slope[0], p[0]
        return np.array(images, np.int64)[good], {name: found[good]}

    for numbers, found in measured(index, {name: WIDTH + 1}, measure, "blocks of gradients"):
        mine = [(place[number], k) for k, number in enumerate(numbers.tolist()) if number in place]
        for to, k in mine:
            rows[to], there[to] = found[name][k], True
    if not there.all():
        raise PellucidError(f"{int((~there).sum())} images of the index can no longer be read: make it anew")
    return rows[:, :-1], rows[:, -1].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Projected:
    """The gradients of a network for single images, each projected onto `WIDTH` numbers.

    Every weight is added to one of the sums, which is drawn for it, or taken off it: so products of projections are
    those of the gradients in the mean, and off by ‖g‖ ‖g′‖ √(2 / K) at most (Charikar et al. 2002; Weinberger et al.
    2009). Nothing larger than a gradient is held.
    """

    net: Net
    examples: Examples

    @cached_property
    def _module(self) -> Logits:
        if self.net.meaning.scores != "logits":
            raise Refused(
                f"variant='trak' asks a network for logits, and {self.net.name} gives {self.net.meaning.scores}"
            )
        module = Logits(self.net, self.examples).eval()
        for p in module.parameters():
            p.requires_grad_(p.is_floating_point())
        return module

    @cached_property
    def _weights(self) -> list[Tensor]:
        return [p for p in self._module.parameters() if p.requires_grad]

    @cached_property
    def _sums(self) -> list[NDArray[np.int64]]:
        """Of each weight the sum that it is added to, or K more, where it is taken off that sum."""
        return [generator(SEED, "projection", k).integers(0, 2 * WIDTH, p.numel()) for k, p in enumerate(self._weights)]

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum(p.numel() for p in self._weights)

    @cached_property
    def name(self) -> str:
        """Under which the projections of the examples are kept: by all that they depend on besides the index."""
        depends = hashlib.sha256(f"{_VERSION} {WIDTH} {SEED} {self.net.identity}".encode())
        depends.update(self.examples.labels.tobytes())
        if self.examples.fitted:
            depends.update(self.examples.weight.tobytes() + self.examples.bias.tobytes())
        return f"gradients-{depends.hexdigest()[:24]}"

    def rows(self, images: Images, labels: Sequence[int]) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, " m"]]:
        """((M, K) projected gradients of log p / (1 − p) of the label of each image, (M,) its p)."""
        found, probabilities = np.empty((len(labels), WIDTH)), np.empty(len(labels))
        for i, (one, label) in enumerate(zip(images, labels, strict=True)):
            stop_point()
            with undisturbed(self._module, frozen=False), torch.enable_grad():
                z = self._module(inputs_of(self.net, self.net.prepare(one).pixels))[0].double()
                others = torch.cat([z[:label], z[label + 1 :]]).logsumexp(0)
                slopes = torch.autograd.grad(z[label] - others, self._weights, allow_unused=True)
            sums = np.zeros(2 * WIDTH)
            for slope, where in zip(slopes, self._sums, strict=True):
                if slope is not None:
                    sums += np.bincount(where, slope.detach().flatten().double().cpu().numpy(), 2 * WIDTH)
            found[i] = sums[:WIDTH] - sums[WIDTH:]
            probabilities[i] = torch.sigmoid(z[label] - others).item()
        return found, probabilities
