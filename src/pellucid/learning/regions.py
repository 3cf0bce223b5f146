"""Linear regions that a segment between two images meets, found by bisection of the activation pattern."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import Refused
from pellucid.learning.initial import weighted
from pellucid.net import Net
from pellucid.net.patterns import patterns

_SPLIT = 0.4865  # of an interval: no simple fraction, for breaks of made networks lie at those
_LINEAR = 1e-6  # deviation from a straight line, as a share of the outputs


@dataclass(frozen=True, eq=False)
class Segment:
    """What is known of one segment: `breaks` (K,) are the places, 0 to 1, where the pattern changes."""

    breaks: Float[np.ndarray, " k"]
    exact: bool
    """Whether each break is known within the resolution; else there may be more."""
    passes: int
    """Images that were run."""
    units: int
    """How many rectifier units, pooling windows and comparisons can change sides."""

    @property
    def regions(self) -> int:
        """One more than there are breaks."""
        return len(self.breaks) + 1


def precise(net: Net) -> Net:
    """The network with its numbers in float64, in which it then computes."""
    held = dict([*net.module.named_parameters(), *net.module.named_buffers()])
    return net.with_weights(
        {name: value.detach().double() for name, value in held.items() if value.is_floating_point()}
    )


def segment(net: Net, start: Tensor, end: Tensor, resolution: float, most: int) -> Segment:
    """The breaks between two images (1, C, H, W), in pixels, of a network in float64.

    Two places with the same pattern have no break between them, for the pixels of one pattern are a convex set; all
    others are divided until they are closer than `resolution`, or `most` images have been run. Raises Refused where the
    network is not affine between its breaks.
    """
    at_once = net.chunk((start.shape[-2], start.shape[-1]), grad=False)
    units, passes = 0, 0

    def seen(places: Sequence[float]) -> list[bytes]:
        nonlocal units, passes
        found: list[bytes] = []
        for i in range(0, len(places), at_once):
            t = torch.tensor(places[i : i + at_once], dtype=torch.float64, device=start.device).view(-1, 1, 1, 1)
            told, units = patterns(net, start + t * (end - start))
            found += told
        passes += len(places)
        return found

    ends = (resolution / 3, 1 - resolution / 3)  # an image may lie on a break itself
    first, last = seen(ends)
    open_ = [(*ends, first, last)] if first != last else []
    whole = [] if open_ else [ends]
    narrow: list[tuple[float, float]] = []
    while open_ and passes + len(open_) <= most:
        middles = [a + _SPLIT * (b - a) for a, b, _, _ in open_]
        halves = []
        for (a, b, one, other), m, here in zip(open_, middles, seen(middles), strict=True):
            halves += [(a, m, one, here), (m, b, here, other)]
        whole += [(a, b) for a, b, one, other in halves if one == other]
        narrow += [(a, b) for a, b, one, other in halves if one != other and b - a <= resolution]
        open_ = [half for half in halves if half[2] != half[3] and half[1] - half[0] > resolution]
    places = sorted((a + b) / 2 for a, b in [*narrow, *((a, b) for a, b, _, _ in open_)])
    _affine(net, start, end, sorted(whole, key=lambda one: one[0] - one[1])[:4])
    return Segment(np.array(places, np.float64), not open_, passes, units)


def _affine(net: Net, start: Tensor, end: Tensor, pieces: Sequence[tuple[float, float]]) -> None:
    """Refuse outputs that do not lie on a straight line within these pieces."""
    for a, b in pieces:
        t = torch.tensor([a, (a + b) / 2, b], dtype=torch.float64, device=start.device).view(-1, 1, 1, 1)
        one, middle, other = net.run(start + t * (end - start)).scores
        off = float((middle - (one + other) / 2).abs().max())
        if off > _LINEAR * float(torch.stack([one, middle, other]).abs().max()) * (b - a) + 1e-9:
            raise Refused(
                f"{net.name} is not piecewise linear: between two changes of its activation pattern its scores leave a "
                f"straight line by {off:.2g}; it has activations such as GELU, SiLU, tanh, softmax or attention"
            )


def widths(net: Net) -> tuple[int, ...]:
    """(inputs, units of each hidden layer …, outputs) of a chain of linear layers; () for every other network."""
    parts = [*weighted(net.module).values()]
    if not all(isinstance(part, nn.Linear) for part in parts) or len(parts) < 2:
        return ()
    shapes = [(part.in_features, part.out_features) for part in parts if isinstance(part, nn.Linear)]
    fits = all(one[1] == other[0] for one, other in pairwise(shapes))
    return (shapes[0][0], *(out for _, out in shapes)) if fits else ()


def montufar(sizes: Sequence[int]) -> int | None:
    """Regions that some rectifier network of these widths has at least, in its whole input space (Montúfar et al. 2014,
    theorem 4); None where a hidden layer is narrower than the input."""
    inputs, hidden = sizes[0], sizes[1:-1]
    if not hidden or min(hidden) < inputs:
        return None
    first: int = math.prod((n // inputs) ** inputs for n in hidden[:-1])
    return first * sum(math.comb(hidden[-1], j) for j in range(inputs + 1))
