"""Mean, variance and standard error, of numbers that come one after another: written once."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor

from pellucid.geometry import Floats

Value = TypeVar("Value", float, Floats, Tensor)


class Moments(Generic[Value]):
    """Mean and variance of numbers, arrays or tensors of one shape, one sample after another (Welford 1962).

    Nothing is lost where the mean is large beside the spread, and the order of the samples alone decides the bits.
    `zero` is a zero of their shape. `squares` is the sum of the squared distances from the mean.
    """

    def __init__(self, zero: Value) -> None:
        self.count = 0
        self.mean: Value = zero
        self.squares: Value = zero

    def add(self, value: Value) -> tuple[Value, Value]:
        """One sample more. Gives its distance from the mean without it, and from the mean with it."""
        self.count += 1
        before = value - self.mean
        self.mean = self.mean + before / self.count
        after = value - self.mean
        self.squares = self.squares + before * after
        return before, after

    def absorb(self, count: int, mean: Value, squares: Value) -> None:
        """`count` samples more at once, of which mean and squares are known (Chan, Golub & LeVeque 1979)."""
        both, apart = self.count + count, mean - self.mean
        self.squares = self.squares + (squares + apart**2 * self.count * count / both)
        self.mean = self.mean + apart * count / both
        self.count = both

    def variance(self, ddof: int = 0) -> Value:
        """Of the samples themselves; with ddof=1, unbiased, of what they are drawn from. NaN or infinite for none."""
        return self.squares / (self.count - ddof)

    @property
    def sd(self) -> Value:
        """The standard deviation of the samples themselves."""
        return root(self.variance())


def standard_error(squares: Value, count: int) -> Value:
    """Of a mean over `count` independent samples whose squared distances from it sum to `squares`.

    √(squares / (n (n − 1))). Sums that rounding left below zero count as zero.
    """
    return root(squares * (squares > 0) / (count * (count - 1)))


def error_of_mean(values: Floats) -> Floats:
    """The same of samples at hand, (n, …) -> (…): their unbiased standard deviation / √n."""
    found: Floats = values.std(0, ddof=1) / np.sqrt(len(values))
    return found


def root(value: Value) -> Value:
    """The square root, correctly rounded, of a number, an array or a tensor."""
    if isinstance(value, Tensor):
        return value.sqrt()
    if isinstance(value, float):
        return math.sqrt(value)
    found: Floats = np.sqrt(value)
    return found
