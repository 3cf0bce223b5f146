"""Batch norm at another place: whose statistics it uses, as a stated choice; and folded into convolutions for speed.

Everything acts on the functions that a network calls, so that no module is changed: also where a norm is functional.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from pellucid.errors import Refused

Norms = Literal["frozen", "batch", "reestimated", "interpolated"]
"""Whose statistics a batch norm uses at a place where they were never collected:

    frozen         those that are stored in the network
    batch          those of each batch of images, which is what training did; nothing is tracked
    reestimated    those of all the images, collected in one more pass at every place
    interpolated   between two networks: their statistics, mixed as their weights are
"""
_CONVOLUTIONS = {torch.conv1d, torch.conv2d, torch.conv3d, F.conv1d, F.conv2d, F.conv3d}
_NORMS = {torch.batch_norm, F.batch_norm}
_PLAIN = (int, float, bool, str, torch.Size, torch.dtype, torch.device, type(None))
"""What functions give that ask about a tensor and compute nothing of it: its shape, its kind."""
_NAMES = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
_NAMES_OF_TORCH = ("input", "weight", "bias", "running_mean", "running_var", "training", "momentum", "eps")


def arguments_of_norm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Of a call of batch norm, by name: torch's own function has another order than `F`'s."""
    names = _NAMES_OF_TORCH if func is torch.batch_norm else _NAMES
    defaults = {"weight": None, "bias": None, "training": False, "momentum": 0.1, "eps": 1e-5}
    return {**defaults, **dict(zip(names, args, strict=False)), **kwargs}


class BatchStatistics(TorchFunctionMode):
    """Batch norms of one pass, in the order of their calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _NORMS:
            return func(*args, **(kwargs or {}))
        self.calls += 1
        return self.normed(self.calls - 1, arguments_of_norm(func, args, kwargs or {}))

    def normed(self, call: int, given: dict[str, Any]) -> Any:
        """With the statistics of the batch; torch refuses one value per channel, whose variance is none."""
        x = given["input"]
        if x.numel() == x.shape[1] and given["running_var"] is not None:
            raise Refused(
                "norms='batch': a batch norm sees one number for each channel, and the variance of one number is 0: "
                "give more images, or norms='frozen'"
            )
        return F.batch_norm(x, None, None, given["weight"], given["bias"], True, 0.0, given["eps"])


class _Counting(BatchStatistics):
    """Norms as they are, counted."""

    def normed(self, call: int, given: dict[str, Any]) -> Any:
        return F.batch_norm(*(given[name] for name in _NAMES))


def has_norms(net: Any, pixels: Tensor) -> bool:
    """Whether a pass of the network over these images meets a batch norm."""
    counting = _Counting()
    net.run(pixels)  # whether its images mix is found out without
    with counting:
        net.run(pixels)
    return counting.calls > 0


class Collecting(BatchStatistics):
    """Norms with the statistics of the batch, which are added up: after all batches they are those of all images."""

    def __init__(self) -> None:
        super().__init__()
        self.sums: list[list[Any]] = []

    def normed(self, call: int, given: dict[str, Any]) -> Any:
        x = given["input"].detach().double()
        axes = [0, *range(2, x.dim())]
        if call == len(self.sums):
            self.sums.append([0, 0.0, 0.0])
        held = self.sums[call]
        held[0] += x.numel() // x.shape[1]
        held[1] = held[1] + x.sum(axes)
        held[2] = held[2] + x.square().sum(axes)
        return super().normed(call, given)

    def statistics(self) -> list[tuple[Tensor, Tensor]]:
        """(mean, variance) of every call, the variance unbiased as torch stores it."""
        found = []
        for count, total, squares in self.sums:
            mean = total / count
            found.append((mean, (squares / count - mean.square()).clamp(min=0) * (count / max(count - 1, 1))))
        return found


class Given(BatchStatistics):
    """Norms with given statistics, one pair for each call."""

    def __init__(self, statistics: list[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.known = statistics

    def normed(self, call: int, given: dict[str, Any]) -> Any:
        if call >= len(self.known):
            raise Refused("norms='reestimated': the network calls more norms for some images than for others")
        x = given["input"]
        mean, variance = (one.to(x.dtype).to(x.device) for one in self.known[call])
        return F.batch_norm(x, mean, variance, given["weight"], given["bias"], False, 0.0, given["eps"])


class Written(BatchStatistics):
    """Norms written out as a formula, so that what comes of them can be differentiated also by way of their statistics:
    those that are `known`, one pair for each call; else those of the images of the pass; or, where `stored`, their own.
    """

    def __init__(self, stored: bool = False, known: list[tuple[Tensor, Tensor]] | None = None) -> None:
        super().__init__()
        self.stored, self.known = stored, known
        self.collected: list[tuple[Tensor, Tensor]] = []
        """(mean, unbiased variance) of the images of the pass, of each call."""

    def normed(self, call: int, given: dict[str, Any]) -> Any:
        x = given["input"]
        if self.known is not None:
            mean, variance = self.known[call]
        elif self.stored and given["running_mean"] is not None:
            mean, variance = given["running_mean"], given["running_var"]
        else:
            variance, mean = torch.var_mean(x, [0, *range(2, x.dim())], correction=0)
            count = x.numel() // x.shape[1]
            self.collected.append((mean, variance * (count / max(count - 1, 1))))
        scale = (variance + given["eps"]).rsqrt()
        scale = scale if given["weight"] is None else scale * given["weight"]
        shift = -mean * scale if given["bias"] is None else given["bias"] - mean * scale
        each = (-1, *[1] * (x.dim() - 2))
        return x * scale.reshape(each) + shift.reshape(each)


class Tracing(TorchFunctionMode):
    """Which convolutions are followed by a batch norm and nothing else: (weight, bias of the convolution; the norm)."""

    def __init__(self, wanted: Iterable[Tensor]) -> None:
        super().__init__()
        self._wanted = {id(one): one for one in wanted}
        self._made: dict[int, tuple[Tensor, Tensor, Tensor | None]] = {}
        self._uses: dict[int, int] = {}
        self._calls: dict[int, int] = {}
        self._pairs: dict[int, dict[str, Any]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for one in (*args, *(kwargs or {}).values()) if not isinstance(output, _PLAIN) else ():
            for tensor in one if isinstance(one, (list, tuple)) else (one,):
                if id(tensor) in self._made:
                    self._uses[id(tensor)] = self._uses.get(id(tensor), 0) + 1
        if func in _CONVOLUTIONS and len(args) > 1 and id(args[1]) in self._wanted:
            self._calls[id(args[1])] = self._calls.get(id(args[1]), 0) + 1
            bias = args[2] if len(args) > 2 else (kwargs or {}).get("bias")
            self._made[id(output)] = output, args[1], bias
        elif func in _NORMS:
            given = arguments_of_norm(func, args, kwargs or {})
            if id(given["input"]) in self._made and not given["training"] and given["running_var"] is not None:
                self._pairs[id(given["input"])] = given
        return output

    def pairs(self) -> list[tuple[Tensor, Tensor | None, dict[str, Any]]]:
        """What can be folded: the convolution's weight is used once, and what it gives is asked of the norm alone."""
        found = []
        for key, norm in self._pairs.items():
            _, weight, bias = self._made[key]
            asked = {name for name, value in norm.items() if value is self._made[key][0]}
            if self._calls[id(weight)] == 1 and self._uses[key] == 1 and asked == {"input"}:
                found.append((weight, bias, norm))
        return found


class Folded(TorchFunctionMode):
    """Convolutions that do the work of the norm behind them: w · γ/√(σ² + ε), and a bias."""

    def __init__(self, pairs: list[tuple[Tensor, Tensor | None, dict[str, Any]]]) -> None:
        super().__init__()
        self._pairs = pairs
        self._folded: dict[int, tuple[Tensor, Tensor]] = {}
        self._normed: dict[int, Tensor] = {}

    @torch.no_grad()
    def refold(self) -> None:
        """After the weights have moved."""
        for weight, bias, norm in self._pairs:
            mean: Tensor = norm["running_mean"].double()
            scale: Tensor = (norm["running_var"].double() + norm["eps"]).rsqrt()
            scale = scale if norm["weight"] is None else scale * norm["weight"].double()
            shift = -mean * scale if bias is None else (bias.double() - mean) * scale
            shift = shift if norm["bias"] is None else shift + norm["bias"].double()
            folded = (weight.double() * scale.reshape(-1, *[1] * (weight.dim() - 1))).to(weight.dtype)
            if folded.dim() == 4:
                folded = folded.contiguous(memory_format=torch.channels_last)
            self._folded[id(weight)] = folded, shift.to(weight.dtype)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _CONVOLUTIONS and len(args) > 1 and id(args[1]) in self._folded:
            weight, bias = self._folded[id(args[1])]
            output = func(args[0], weight, bias, *args[3:], **{k: v for k, v in (kwargs or {}).items() if k != "bias"})
            self._normed[id(output)] = output
            return output
        if func in _NORMS:
            x = arguments_of_norm(func, args, kwargs or {})["input"]
            if self._normed.pop(id(x), None) is not None:
                return x
        return func(*args, **(kwargs or {}))

    @contextmanager
    def once(self) -> Iterator[None]:
        """For one pass."""
        try:
            with self:
                yield
        finally:
            self._normed.clear()
