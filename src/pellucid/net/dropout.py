"""Dropout that acts while everything else of the network is as it is when it is used: for the length of a pass.

A function mode meets the calls: those of `nn.Dropout` and those of `F.dropout`, which no search for modules finds.
Batch norm keeps its statistics, for nothing is set to training mode. Each mask is drawn for an image, a sample and a
call by name, so that neither the batch nor the order changes it. Dropout of attention weights and of recurrent layers
is inside functions of torch that show nothing of it, and stays off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from pellucid.errors import Refused
from pellucid.net.answers import entropy
from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.statistics import error_of_mean

if TYPE_CHECKING:
    from pellucid.net import Net, Run

Value = NDArray[np.float64]
Row = tuple[str, int]
"""(name of the image, number of the sample)."""
_ALPHA = -1.7580993408473766
"""What SELU tends to far below 0: where alpha dropout puts what it drops (Klambauer et al. 2017)."""
_KINDS: dict[Any, tuple[bool, bool]] = {
    F.dropout: (False, False),
    torch.dropout: (False, False),
    torch.dropout_: (False, False),
    F.dropout1d: (True, False),
    F.dropout2d: (True, False),
    F.dropout3d: (True, False),
    torch.feature_dropout: (True, False),
    torch.feature_dropout_: (True, False),
    F.alpha_dropout: (False, True),
    torch.alpha_dropout: (False, True),
    torch.alpha_dropout_: (False, True),
    F.feature_alpha_dropout: (True, True),
    torch.feature_alpha_dropout: (True, True),
    torch.feature_alpha_dropout_: (True, True),
}
"""function -> (whether whole channels are dropped, whether to what SELU tends to)."""
_WRITES = {torch.dropout_, torch.feature_dropout_, torch.alpha_dropout_, torch.feature_alpha_dropout_}


@dataclass
class Drops:
    """What dropout does in the passes of a block: `rows` says which image and which sample each row of a pass is."""

    seed: int = 0
    rate: float | None = None
    """Instead of each call's own; None leaves those."""
    rows: Sequence[Row] = ()
    """Empty: nothing is dropped, not even by what is always on."""
    rates: list[float] = field(default_factory=list)
    """The rates of the calls of the last pass, those in the network."""

    def begin(self, rows: Sequence[Row]) -> None:
        """The next pass is of these rows."""
        self.rows, self.rates = tuple(rows), []


class _Dropping(TorchFunctionMode):
    def __init__(self, drops: Drops) -> None:
        super().__init__()
        self.drops = drops

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in _KINDS:
            return func(*args, **kwargs)
        given = dict(zip(("input", "p", "training", "inplace"), args, strict=False)) | kwargs
        x, p, drops = given["input"], float(given.get("p", 0.5)), self.drops
        drops.rates.append(p)
        p = p if drops.rate is None else drops.rate
        channels, alpha = _KINDS[func]
        if not drops.rows or not p:
            return x
        mask = self._mask(x, p, channels, len(drops.rates))
        dropped = _alpha(x, mask, p) if alpha else (x * (mask / (1 - p)) if p < 1 else x * 0)
        return x.copy_(dropped) if given.get("inplace", False) or func in _WRITES else dropped

    def _mask(self, x: Tensor, p: float, channels: bool, call: int) -> Tensor:
        """What stays: 1 and 0, of the shape of x or with one number for each channel."""
        rows, seed = self.drops.rows, self.drops.seed
        if x.shape[0] % len(rows) and len(rows) > 1:
            raise Refused(
                f"a dropout of this network meets {tuple(x.shape)}, which has no first axis of its {len(rows)} images: "
                "they cannot be told apart there"
            )
        each = (x.shape[0] // len(rows) or 1, *x.shape[1:]) if len(rows) > 1 else tuple(x.shape)
        if channels:  # (N, C, …): of one image its channels
            each = (*each[:2], *[1] * (len(each) - 2))
        drawn = [
            generator(seed, image, "dropout", sample, call).random(each, np.float32) >= p for image, sample in rows
        ]
        return torch.from_numpy(np.concatenate(drawn)).to(x.device, x.dtype)


def _alpha(x: Tensor, mask: Tensor, p: float) -> Tensor:
    """Dropped to `_ALPHA`, and scaled so that mean 0 and variance 1 stay what they are."""
    if p == 1:
        return x * 0
    scale = float(((1 - p) * (1 + p * _ALPHA**2)) ** -0.5)
    return (x * mask + _ALPHA * (1 - mask)) * scale - scale * p * _ALPHA


@contextmanager
def dropping(seed: int, rate: float | None = None) -> Iterator[Drops]:
    """Inside, in this thread, dropout does as `Drops.begin` says, in passes of any network."""
    drops = Drops(seed, rate)
    with _Dropping(drops):
        yield drops


def sampled(
    net: Net,
    pixels: Tensor,
    ids: Sequence[str],
    count: int,
    seed: int,
    rate: float | None,
    read: Callable[[Run], Value],
) -> tuple[Value, Value]:
    """What `read` takes from a pass (N, …): without dropout, and under `count` masks of each image (count, N, …).

    Raises Refused where the network has no dropout.
    """
    with dropping(seed, rate) as drops:
        drops.begin(())
        still = read(net.run(pixels))
        if not drops.rates or (rate is None and not any(drops.rates)):
            none = (
                "it has none that torch's functions make; ask about a network that has some, such as nn.Dropout, or "
                "about its calibration, which needs none"
            )
            how = "its dropout has rate 0: give a rate, such as rate=0.2" if drops.rates else none
            raise Refused(f"two passes of {net.name} were identical: no dropout, {how}")
        rows = [(image, sample) for sample in range(count) for image in ids]
        at_once, found = net.chunk((pixels.shape[-2], pixels.shape[-1]), grad=False), []
        for start in steps(range(0, len(rows), at_once), "samples"):
            part = rows[start : start + at_once]
            drops.begin(part)
            which = torch.arange(start, start + len(part), device=pixels.device) % len(pixels)
            found.append(read(net.run(pixels[which])))
    drawn = np.concatenate(found).reshape(count, len(pixels), *still.shape[1:])
    if (drawn == drawn[:1]).all() and count > 1:
        raise Refused(
            f"two passes of {net.name} were identical: no dropout, what it drops changes no output; ask with a higher "
            "rate=, or about a network whose outputs depend on its dropout"
        )
    return still, drawn


@dataclass(frozen=True, eq=False)
class Parts:
    """Of each image (N,), in nats: entropy of the mean, mean of the entropies, and their difference, with its error."""

    mean: Value
    """(N, C) probabilities, the mean over the samples."""
    total: Value
    aleatoric: Value
    epistemic: Value
    """Mutual information of answer and mask (BALD), the mean of KL(p of a sample, mean p)."""
    error: Value
    """Standard error of `epistemic` over the samples."""

    @classmethod
    def of(cls, log_p: Value) -> Parts:
        """Of log probabilities (samples, N, C)."""
        p = np.exp(log_p)
        mean = p.mean(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            total, each = entropy(np.log(mean)), entropy(log_p)
            apart = np.where(p > 0, p * (log_p - np.log(mean)), 0).sum(-1)  # (samples, N)
        aleatoric = each.mean(0)
        return cls(mean, total, aleatoric, np.maximum(total - aleatoric, 0), error_of_mean(apart))
