"""Curves between two places of the weights that bend through a third (Garipov et al. 2018, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from pellucid.loss.weights import Vector, difference, dot

Form = Literal["bezier", "polychain"]
_PARTS = 200
"""Parts in which the length of a curve is summed."""


def share(form: Form, t: Any) -> tuple[Any, Any]:
    """(c, b): the curve is at A + c (C − A) + b (B − A). t is a number, an array or a tensor, 0..1."""
    if form == "bezier":
        return 2 * t * (1 - t), t * t
    first, second = 1 - abs(2 * t - 1), 2 * t - 1
    return first, second * (second > 0)


@dataclass(frozen=True, eq=False)
class Bend:
    """A curve from A to B through C: the control point of a quadratic Bézier curve, or the corner of two lines."""

    a: Vector
    b: Vector
    c: Vector
    form: Form

    @property
    def directions(self) -> tuple[Vector, Vector]:
        """(C − A, B − A), by which `share` moves."""
        return difference(self.c, self.a), difference(self.b, self.a)

    def length(self) -> float:
        """Of the curve, in weights, by its chords over small parts."""
        to_c, to_b = self.directions
        products = np.array([[dot(one, other) for other in (to_c, to_b)] for one in (to_c, to_b)])
        steps = np.diff(np.array(share(self.form, np.linspace(0, 1, _PARTS + 1))), axis=1)
        return float(np.sqrt(np.einsum("ik,ij,jk->k", steps, products, steps).clip(min=0)).sum())


class Bent(nn.Module):
    """A network whose weights lie on the curve: at a random place of it in training, in the middle in use.

    Its parameters are those of C, which starts halfway between A and B. The module is a copy to work with, of the type
    of numbers that is trained in: its buffers change.
    """

    def __init__(self, module: nn.Module, a: Vector, b: Vector, form: Form) -> None:
        super().__init__()
        self.form: Form = form
        self._base = [module]  # in a list it is no part, whose parameters would be trained
        kinds = {name: one.dtype for name, one in module.named_parameters() if name in a}
        self.names = [*kinds]
        self._ends = [[one[name].to(kind) for name, kind in kinds.items()] for one in (a, b)]
        self.bends = nn.ParameterList([(one + other) / 2 for one, other in zip(*self._ends, strict=True)])

    def train(self, mode: bool = True) -> Bent:
        """The network too."""
        super().train(mode)
        self._base[0].train(mode)
        return self

    def forward(self, x: Tensor) -> Any:
        t = torch.rand(()).item() if self.training else 0.5
        c, b = share(self.form, t)
        ends = zip(self.names, *self._ends, self.bends, strict=True)
        values: dict[str, Tensor] = {
            name: one + c * (bend - one) + b * (other - one) for name, one, other, bend in ends
        }
        return functional_call(self._base[0], values, (x,))

    def found(self, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """C, in the types of the network's weights."""
        ends = zip(self.names, self.bends, strict=True)
        return {name: bend.detach().to(like[name].dtype) for name, bend in ends}
