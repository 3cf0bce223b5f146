"""A few labeled images of each class, drawn again and again; the images that judge are never among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.images.labeled import Labeled
from pellucid.net import Net
from pellucid.rng import generator
from pellucid.statistics import wilson_error

JUDGES = 1000
"""Images that judge, at the most."""


@dataclass(frozen=True, eq=False)
class Shots:
    """Places of images in their data: `test` (T,) to judge with, `pool` the others, by class."""

    test: Int[np.ndarray, " t"]
    pool: tuple[Int[np.ndarray, " _"], ...]
    seed: int

    @classmethod
    def of(cls, labels: Int[np.ndarray, " n"], classes: int, most: int, seed: int) -> Shots:
        """Of each class half at the most, and four times as many as are drawn (`most`), to draw from; of the others up
        to 1,000 to judge with. Raises PellucidError where no class has two images."""
        test, pool = [], []
        for k in range(classes):
            own = np.flatnonzero(labels == k)
            own = own[generator(seed, "held out", k).permutation(len(own))]
            cut = min((len(own) + 1) // 2, 4 * most)
            pool.append(np.sort(own[:cut]))
            test.append(own[cut:])
        held = np.concatenate(test)
        if not len(held):
            raise PellucidError("no class has two images: one to learn from, and one to judge with")
        return cls(np.sort(held[generator(seed, "judges").permutation(len(held))[:JUDGES]]), tuple(pool), seed)

    @property
    def most(self) -> int:
        """How many of each class may be drawn: as many as the smallest has, of those that are there at all."""
        return min((len(one) for one in self.pool if len(one)), default=0)

    def drawn(self, many: int, repeat: int) -> Int[np.ndarray, " n"]:
        """`many` of each class, in an order without classes; those of a larger number include those of a smaller."""
        own = [one[generator(self.seed, "shots", repeat, k).permutation(len(one))[:many]]
               for k, one in enumerate(self.pool)]  # fmt: skip
        together = np.concatenate(own)
        return np.asarray(together[generator(self.seed, "order", repeat, many).permutation(len(together))])


@dataclass(frozen=True)
class Chosen(Labeled):
    """Some of the images of a data set, in an order of their own."""

    data: Labeled
    numbers: Sequence[int] | Int[np.ndarray, " n"]

    def on(self, net: Net) -> Chosen:
        """With the classes that its data has for the network."""
        return Chosen(self.data.on(net), self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __str__(self) -> str:
        return str(self.data)

    def name(self, i: int) -> str:
        """What it is called in the data."""
        return self.data.name(int(self.numbers[i]))

    def item(self, i: int) -> tuple[Images, int | None]:
        """Image i of these, and its class."""
        return self.data.item(int(self.numbers[i]))


def over_draws(shares: Sequence[float], images: int) -> tuple[float, float]:
    """(mean, standard error) of accuracies over several draws of labeled images, judged on the same `images`: the
    spread over the draws, and what so many images leave open."""
    mean = float(np.mean(shares))
    drawn = float(np.std(shares, ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else 0.0
    judged = float(wilson_error(np.array([mean * images]), np.array([float(images)]))[0])
    return mean, float(np.hypot(drawn, judged))


def percent(found: Sequence[float]) -> str:
    """A share and its error, as a person reads them."""
    return f"{found[0]:.1%} ± {found[1]:.1%}"


def beaten(points: Floats, mine: Sequence[Floats], other: Float[np.ndarray, " k"]) -> float | None:
    """Where `other` comes to exceed the best of several for good; `crossing`."""
    return crossing(points, np.max(np.stack(mine), axis=0), other)


def crossing(points: Floats, one: Float[np.ndarray, " k"], other: Float[np.ndarray, " k"]) -> float | None:
    """Where `other` comes to exceed `one` for good, between points by the logarithm; None where it never does, or does
    from the first point on."""
    above = np.asarray(other) > np.asarray(one)
    if not len(above) or not above[-1] or above.all():
        return None
    i = int(np.flatnonzero(~above)[-1])
    before, after = float(other[i] - one[i]), float(other[i + 1] - one[i + 1])
    share = before / (before - after)
    low, high = np.log(points[i]), np.log(points[i + 1])
    return float(np.exp(low + share * (high - low)))
