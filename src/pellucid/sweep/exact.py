"""Sums of numbers of any size without an error: the same bits in whatever order they are added, at any scale.

A number is written in digits to the base 2^32, at places that are the same for all numbers, and the digits of each
place are added up as whole numbers. What a network does to its activations by a factor of a million or a millionth
moves the digits, and loses none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Digits = NDArray[np.int64]
_BITS = 32
_LOWEST, _HIGHEST = -10, 8
"""Places: digits of 2^-320 to 2^256, which squares of float32 need."""
PLACES = _HIGHEST - _LOWEST + 1
_FIRST = 40
"""Bits that the first digit may have: 2^22 of them add up in 64 bits."""


def digits(values: Floats) -> Iterator[tuple[int, Floats]]:
    """(place, digits of all values there) until nothing is left; each a whole number of at most 41 bits."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if not largest > 0:
        return
    rest, part = np.array(values, np.float64), np.empty(values.shape)
    place = max(-(-(int(np.frexp(largest)[1]) - _FIRST) // _BITS), _LOWEST)
    while place >= _LOWEST:
        found = np.multiply(rest, 2.0 ** (-_BITS * place))
        np.rint(found, out=found)
        yield place - _LOWEST, found
        rest -= np.multiply(found, 2.0 ** (_BITS * place), out=part)
        if not np.count_nonzero(rest):
            return
        place -= 1


def carried(sums: Digits) -> Digits:
    """(places, …) the same numbers with digits between −2^31 and 2^31: there is one way to write them so."""
    found = sums.copy()
    for place in range(PLACES - 1):
        over = (found[place] + (1 << (_BITS - 1))) >> _BITS
        found[place] -= over << _BITS
        found[place + 1] += over
    return found


def packed(sums: Digits) -> tuple[NDArray[np.int8], Digits]:
    """(which places have digits, their digits), always the same for the same numbers."""
    whole = carried(sums)
    used = np.flatnonzero(whole.reshape(PLACES, -1).any(1))
    return used.astype(np.int8), whole[used]


def integers(sums: Digits) -> list[int]:
    """(places, n) as n whole numbers, of 2^-320 each."""
    whole = [0] * sums.shape[1]
    for place in range(PLACES):
        if sums[place].any():
            shift = _BITS * place
            whole = [one + (digit << shift) for one, digit in zip(whole, sums[place].tolist(), strict=True)]
    return whole


def floating(sums: Digits) -> Floats:
    """(places, …) as the nearest numbers, but for the last bit."""
    whole, found = carried(sums), np.zeros(sums.shape[1:])
    for place in range(PLACES - 1, -1, -1):
        if whole[place].any():
            found += whole[place] * 2.0 ** (_BITS * (place + _LOWEST))
    return found


def mean_and_deviation(first: list[int], second: list[int], counts: list[int]) -> tuple[Floats, Floats]:
    """Of sums of numbers and of their squares: nothing is lost where the deviation is far smaller than the mean."""
    one = 1 << (-_BITS * _LOWEST)
    mean, deviation = np.zeros(len(counts)), np.zeros(len(counts))
    for i, (a, b, n) in enumerate(zip(first, second, counts, strict=True)):
        if n:
            mean[i] = a / (n * one)
            deviation[i] = (max(n * b * one - a * a, 0) / (n * n * one * one)) ** 0.5
    return mean, deviation
