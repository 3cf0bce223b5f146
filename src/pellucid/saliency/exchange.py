"""Exchange of cells: which activations of another image, put in the place of an image's own, change its answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.net.answers import log_probabilities
from pellucid.net.onward import Onward
from pellucid.progress import steps
from pellucid.rng import generator

_GAIN = 1e-9
"""Nats that an exchange must add to count as one that helps."""
_FIRST, _EXACT = 64, 1e-3
"""Exchanges that are tried at once; where the first ones do what was foretold, to this part, the rest do it, too."""


@dataclass(frozen=True, eq=False)
class Exchanged:
    """K exchanges in the order in which they were made."""

    cells: Int[np.ndarray, "k 2"]
    """Numbers of a cell of the image, row by row, and of the cell of the other image that takes its place."""
    probabilities: Float[np.ndarray, "k_and_1 2"]
    """Of the answer and of the wanted class, before the first and after each."""
    reached: bool
    """Whether the answer is then the wanted class."""


@dataclass(frozen=True, eq=False)
class Cells:
    """An image (1, C, H, W) whose cells at a layer are its own (channels, cells) or some of another image's.

    A state is a row of numbers, one for each cell: −1 where it is the image's own, else which of the other's it is.
    """

    net: Net
    pixels: Tensor
    layer: str
    own: Float[Tensor, "c rows columns"]
    other: Float[Tensor, "c others_rows others_columns"]

    @classmethod
    def of(cls, net: Net, pixels: Tensor, others: Tensor, layer: str) -> Cells:
        """Two passes for what the layer hands on."""
        own, other = (net.run(one, layers=[layer], stop=True)[layer].detach()[0] for one in (pixels, others))
        return cls(net, pixels, layer, own, other)

    @property
    def many(self) -> int:
        """Cells of the image."""
        return self.own.shape[1] * self.own.shape[2]

    @property
    def donors(self) -> int:
        """Cells of the other image."""
        return self.other.shape[1] * self.other.shape[2]

    def activations(self, states: Int[np.ndarray, "n cells"]) -> Float[Tensor, "n c rows columns"]:
        """What the layer hands on in each state."""
        bank = torch.cat([self.own.flatten(1), self.other.flatten(1)], 1)
        which = torch.from_numpy(np.where(states < 0, np.arange(self.many), self.many + states)).to(bank.device)
        found: Tensor = bank[:, which].movedim(0, 1).unflatten(2, self.own.shape[1:])
        return found

    def said(self, states: Int[np.ndarray, "n cells"]) -> Float[np.ndarray, "n classes"]:
        """Log probabilities of all classes in each state, as many at once as memory holds."""
        passes, found = self._onward, []
        for start in range(0, len(states), passes.at_once):
            part = states[start : start + passes.at_once]
            found.append(log_probabilities(passes.run(len(part), lambda _, part=part: self.activations(part))))  # type: ignore[misc]
        return np.concatenate(found)

    def slopes(self, state: Int[np.ndarray, " cells"], classes: tuple[int, int]) -> Floats:
        """(cells, donors) to first order, what putting a donor's activations into a cell adds to the log odds of the
        second class against the first: exact where all that follows is linear, as behind a mean over places.
        """
        now = self.activations(state[None])
        run = self.net.run(self.pixels, layers=[self.layer], edit={self.layer: lambda _: now}, grad=True)
        scores = run.log_probabilities
        (slope,) = run.gradients((scores[0, classes[1]] - scores[0, classes[0]]).sum(), [run[self.layer]])
        rises, cells = slope[0].detach().flatten(1).double(), now[0].flatten(1).double()
        gains = rises.T @ self.other.flatten(1).double() - (rises * cells).sum(0)[:, None]
        return np.asarray(gains.cpu().numpy())

    @property
    def _onward(self) -> Onward:
        held = self.__dict__.get("passes")
        if held is None:
            held = Onward(self.net, self.pixels, self.layer)
            object.__setattr__(self, "passes", held)
        return held


def exchanged(cells: Cells, classes: tuple[int, int], *, repeat: bool, tries: int, what: str) -> Exchanged:
    """Exchanges one after another, each the one of `tries` (the most promising to first order) after which the log odds
    of the second class against the first are largest, until it is the answer or none helps.

    Where the first order foretells what the most promising do, as behind a mean over places, no others are tried.
    Without `repeat` each cell of the other image is used once.
    """
    state, pairs = np.full(cells.many, -1, np.int64), list[tuple[int, int]]()
    scores = cells.said(state[None])[0]
    course = [np.exp(scores[list(classes)])]
    limit = cells.many if repeat else min(cells.many, cells.donors)
    for _ in steps(range(limit), f"exchanges: {what}"):
        if int(scores.argmax()) == classes[1]:
            break
        free = np.flatnonzero(state < 0)
        left = np.arange(cells.donors) if repeat else np.setdiff1d(np.arange(cells.donors), state)
        gains = cells.slopes(state, classes)[np.ix_(free, left)]
        order = np.argsort(-gains.ravel(), kind="stable")[:tries]
        tried = np.stack([free[order // len(left)], left[order % len(left)]], 1)
        found = _best(
            cells, state, tried, gains.ravel()[order], classes, float(scores[classes[1]] - scores[classes[0]])
        )
        if found is None:
            break
        (i, j), scores = found
        state[i] = j
        pairs.append((i, j))
        course.append(np.exp(scores[list(classes)]))
    return Exchanged(np.array(pairs, np.int64).reshape(-1, 2), np.stack(course), int(scores.argmax()) == classes[1])


def _best(
    cells: Cells, state: Int[np.ndarray, " cells"], tried: Int[np.ndarray, "n 2"], gains: Floats,
    classes: tuple[int, int], odds: float,
) -> tuple[tuple[int, int], Float[np.ndarray, " classes"]] | None:  # fmt: skip
    """(the pair that adds most to the log odds, what is then said) of pairs by falling gain to first order; None where
    none adds any.
    """
    best, most = None, odds + _GAIN
    for start in range(0, len(tried), _FIRST):
        part = tried[start : start + _FIRST]
        states = np.repeat(state[None], len(part), 0)
        states[np.arange(len(part)), part[:, 0]] = part[:, 1]
        found = cells.said(states)
        rises = found[:, classes[1]] - found[:, classes[0]]
        top = int(rises.argmax())
        if rises[top] > most:
            best, most = ((int(part[top, 0]), int(part[top, 1])), found[top]), float(rises[top])
        off = np.abs(rises - odds - gains[start : start + len(part)]).max()
        if start == 0 and off <= _EXACT * np.abs(gains[: len(part)]).max():
            break
    return best


def at_random(cells: Cells, wanted: int, *, repeat: bool, draws: int, seed: int, what: str) -> Int[np.ndarray, " d"]:
    """How many exchanges of cells drawn at random it takes until the answer is the wanted class, in each of so many
    draws; one more than there are where all of them do not make it.
    """
    limit, found = cells.many if repeat else min(cells.many, cells.donors), []
    for draw in range(draws):
        chance = generator(seed, what, draw)
        places = chance.permutation(cells.many)[:limit]
        donors = chance.integers(0, cells.donors, limit) if repeat else chance.permutation(cells.donors)[:limit]
        states = np.full((limit + 1, cells.many), -1, np.int64)
        for t in range(limit):
            states[t + 1 :, places[t]] = donors[t]
        right = cells.said(states).argmax(1) == wanted
        found.append(int(right.argmax()) if right.any() else limit + 1)
    return np.array(found, np.int64)
