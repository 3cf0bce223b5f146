"""The size of input that a network takes: said, usual, or found by trying.

A network says nowhere what size it takes; where a layer that reads all pixels (a Linear behind a flatten) fixes it, the
size is found by trying: the errors of torch say how many numbers arrived and how many were wanted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pellucid.errors import BadNetwork
from pellucid.net import layers, returned, tap

if TYPE_CHECKING:
    from pellucid.net import Net

Attempt = Callable[[int], Any]
"""Runs the network on a blank square input of that side; raises BadNetwork where it fails."""

_SIZE = (224, 224)
_USUAL = (28, 32, 64, 96, 112, 128, 160, 192, 224, 227, 240, 256, 299, 320, 384, 448, 512, 600, 640)
"""Sides that people train with: chosen where several fit."""
_LARGEST = 2048
_WANTED = (
    re.compile(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(?P<have>\d+) and (?P<want>\d+)x\d+\)"),
    re.compile(r"shape '\[(?P<shape>[-\d, ]+)\]' is invalid for input of size (?P<have>\d+)"),
)
_TOO_SMALL = re.compile(r"greater than actual input|too small|non-positive|Output size|at least one|pad(ding)? size")
_ABOUT_SIZE = re.compile(r"size|shape|dimension|height|width|greater than|too small", re.IGNORECASE)
_TRIED = (224, 32, 64, 28, 128, 256, 299, 384, 512)
"""Where the error does not say in which direction to go."""
_OF_SIZE = (RuntimeError, ValueError, AssertionError, IndexError)


def size(net: Net) -> tuple[int, int]:
    """(height, width): what was said, or 224 × 224 if the network takes that, or what it was built for."""
    if net.preprocess.size is not None:
        return net.preprocess.size
    if _SIZE not in net._cache and "fits" not in net._cache:
        try:
            table = net._cache[_SIZE] = layers.table(net.module, blank(net, _SIZE))
            # view(-1, FEATURES) makes several rows of one image that is too large, and nothing fails
            if any(row.kind == "Linear" and len(row.shape) == 2 for row in table.rows):
                net._cache["fits"] = _searched(_attempt(net)) if _direction(_attempt(net), _SIZE[0]) == 1 else None
        except BadNetwork as error:
            net._cache["fits"] = _fitting(error, _attempt(net))
    fits = net._cache.get("fits")
    return (_chosen(fits), _chosen(fits)) if fits else _SIZE


def notes(net: Net) -> tuple[str, ...]:
    """What to say where a size was taken because it fits."""
    fits = net._cache.get("fits")
    if not fits or net.preprocess.size is not None:
        return ()
    side = _chosen(fits)
    return (f"no size of input given: {_sides(fits)}, found by trying; load(..., size={side}) says that it is {side}",)


@contextmanager
def advising(net: Net) -> Iterator[None]:
    """A network that fails on a size that it does not take says which it takes."""
    try:
        yield
    except BadNetwork as error:
        if net.preprocess.size is not None and net.preprocess.size in net._cache:
            raise  # it has run on the size that it was said to take: no other is to be looked for
        raise _advised(error, _attempt(net)) from error.__cause__


def blank(net: Net, size: tuple[int, int]) -> Tensor:
    """An image of zeros to try a network with."""
    return layers.blank(net.module, net.preprocess.channels or 3, size)


def outputs(net: Net) -> int:
    """How many numbers the tensor to explain has for one image, found by a pass, once."""
    if "outputs" not in net._cache:
        output = tap.forward(net.module, blank(net, net.size))[0]
        net._cache["outputs"] = int(returned.selected(output, net.output, net.name)[0].numel())
    return int(net._cache["outputs"])


def _attempt(net: Net) -> Attempt:
    return lambda side: tap.forward(net.module, blank(net, (side, side)))[0]


def _advised(error: BadNetwork, attempt: Attempt) -> BadNetwork:
    """The same error with the size of input that would work, where it is one of size and one works."""
    fits = _fitting(error, attempt)
    if fits is None:
        square = any(pattern.search(str(error)) for pattern in _WANTED)
        return type(error)(f"{error}; no square fits it: load(..., size=(HEIGHT, WIDTH))") if square else error
    return type(error)(f"{error}; it takes {_sides(fits)}: load(..., size={_chosen(fits)})")


def _chosen(fits: tuple[int, int]) -> int:
    """A side out of those that fit: one that people train with, if there is one."""
    return next((side for side in _USUAL if fits[0] <= side <= fits[1]), fits[0])


def _fitting(error: BadNetwork, attempt: Attempt) -> tuple[int, int] | None:
    """(smallest, largest) side of the square inputs that the network takes; None where none was found.

    `error` is how it failed on another size; a failure of another kind is not followed up.
    """
    if not isinstance(error.__cause__, _OF_SIZE) or not _ABOUT_SIZE.search(str(error)):
        return None
    if any(pattern.search(str(error)) for pattern in _WANTED):
        return _searched(attempt)
    side = next((side for side in _TRIED if _direction(attempt, side) == 0), None)
    return None if side is None else (side, side)


def _searched(attempt: Attempt) -> tuple[int, int] | None:
    """By halving, since more pixels give more numbers to whatever reads them all."""
    low, high = 0, _LARGEST + 1  # too small, too large
    while high - low > 1:
        side = (low + high) // 2 if high <= _LARGEST else max(2 * low, 64)
        where = _direction(attempt, side)
        if where is None:
            return None
        if where == 0:
            return _end(attempt, side, low), _end(attempt, side, high)
        low, high = (side, high) if where < 0 else (low, side)
        if low >= _LARGEST:
            return None
    return None


def _end(attempt: Attempt, good: int, bad: int) -> int:
    """The last side that fits on the way from one that does to one that does not."""
    while abs(bad - good) > 1:
        side = (good + bad) // 2
        good, bad = (side, bad) if _direction(attempt, side) == 0 else (good, side)
    return good


def _direction(attempt: Attempt, side: int) -> int | None:
    """0 where an input of that side fits, -1 where it is too small, 1 where it is too large; None: who knows."""
    try:
        output = attempt(side)
    except BadNetwork as error:
        said = str(error)
        for pattern in _WANTED:
            if found := pattern.search(said):
                parts = found.groupdict()
                shape = [int(one) for one in parts.get("shape", "").split(",") if one.strip()]
                want = int(parts["want"]) if "want" in parts else math.prod(one for one in shape if one > 0)
                return -1 if int(parts["have"]) < want else 1
        return -1 if _TOO_SMALL.search(said) else None
    if isinstance(output, Tensor) and output.dim() and len(output) != 1:  # view(-1, FEATURES) made rows of one image
        return 1
    return 0


def _sides(fits: tuple[int, int]) -> str:
    low, high = fits
    return f"{low} × {low} pixels" if low == high else f"{low} × {low} to {high} × {high} pixels"
