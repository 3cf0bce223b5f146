"""How one number of a layer is made: the operations of one pass that lead to it, each with the numbers that go in.

A pass is watched at the level of ATen, where every network is made of the same few operations, whoever wrote it. Each
step computes its number again, in float64 from what went in, and is compared with what the network has: so nothing is
told that the network does not do. What is not known here is named, and the way ends there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.net import Net, tap
from pellucid.net.apart import inputs_of

_ROUNDING = 512
"""Units in the last place of the largest term that sums in another order may differ by."""
_SAME = {"clone", "alias", "detach", "_to_copy", "lift_fresh", "dropout"}
"""What hands the same numbers on."""
_RESHAPED = _SAME | {
    "view",
    "_unsafe_view",
    "_reshape_alias",
    "flatten",
    "reshape",
    "squeeze",
    "unsqueeze",
    "contiguous",
}
_NORMS = {
    "native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm", "batch_norm", "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
}  # fmt: skip
ACTIVATIONS = {
    "relu", "relu6", "hardtanh", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh", "gelu", "leaky_relu", "elu",
    "celu", "selu", "mish", "softplus", "clamp", "clamp_min", "clamp_max",
}  # fmt: skip
_POOLS = {
    "max_pool2d_with_indices", "max_pool2d", "avg_pool2d", "_adaptive_avg_pool2d", "adaptive_avg_pool2d",
    "adaptive_max_pool2d", "mean", "amax",
}  # fmt: skip


@dataclass
class Step:
    """One operation: what it is, the network's own number after it, and the same computed again (None: it is not)."""

    kind: str
    value: float
    said: dict[str, Any] = field(default_factory=dict)
    made: float | None = None
    size: float = 0.0
    """The largest sum of magnitudes on the way to the number: what rounding is measured by."""
    before: Step | None = None
    """The step whose number goes in, where it is one number alone."""
    layer: str = ""

    def told(self, eps: float) -> dict[str, Any]:
        """For a page."""
        after = {"value": self.value, "made": self.made, "layer": self.layer}
        slack = _ROUNDING * eps * max(self.size, abs(self.value))
        agrees = None if self.made is None else bool(abs(self.made - self.value) <= slack)
        if self.made is not None and math.isnan(self.made) and math.isnan(self.value):
            agrees = True
        return {"kind": self.kind, **self.said, **after, "agrees": agrees}


@dataclass(frozen=True)
class Cell:
    """Which number of a layer: its channel, and for a map its row and column."""

    layer: str
    unit: int
    place: tuple[int, ...]
    """(row, column), or nothing."""
    shape: tuple[int, ...]
    """Of the layer's output, with the batch."""

    def of(self, tensor: Tensor) -> float:
        """The number there, also of a tensor that is spread over the places or channels."""
        where = (0, self.unit, *self.place)[-tensor.dim() :]
        return float(tensor[tuple(i if n > 1 else 0 for i, n in zip(where, tensor.shape, strict=True))])


def followed(net: Net, pixels: Tensor, cell: Cell) -> list[Step]:
    """The steps that make a number, in order; empty where the layer hands on something else than was expected."""
    inputs = inputs_of(net, pixels.to(net.device))
    follower = _Follower(inputs, cell)
    tap.trace(net.module, inputs, follower.watch, follower.note)
    return follower.steps


class _Follower:
    """Watches a pass, and takes down what leads to numbers at the place of the cell. Keeps no activation."""

    def __init__(self, inputs: Tensor, cell: Cell) -> None:
        self.cell = cell
        self.made: Any = WeakTensorKeyDictionary()
        """tensor -> the last step of its number at the cell"""
        self.names: Any = WeakTensorKeyDictionary()
        """tensor -> the layer that handed it on"""
        self.padded: Any = WeakTensorKeyDictionary()
        """tensor -> (top, left, rows, columns): where in it lies what was padded"""
        self.names[inputs] = ""
        self.steps: list[Step] = []

    def watch(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """One operation of the pass."""
        out = output[0] if isinstance(output, (tuple, list)) and output else output
        if not isinstance(out, Tensor):
            return
        schema = operation._schema
        name = schema.name.removeprefix("aten::").removesuffix("_")
        given = {one.name: one.default_value for one in schema.arguments if one.has_default_value()}
        given |= dict(zip((one.name for one in schema.arguments), args, strict=False)) | kwargs
        source = next((one for one in args if isinstance(one, Tensor)), None)
        if tuple(out.shape) == self.cell.shape:
            self.made[out] = self._step(operation, name, given, source, out)
        if source is not None and name in _RESHAPED and source in self.names and out is not source:
            self.names[out] = self.names[source]
        elif out in self.names:  # written over
            del self.names[out]
        if name == "constant_pad_nd" and source is not None and len(given["pad"]) == 4:
            left, _, top, _ = given["pad"]
            self.padded[out] = (top, left, *source.shape[-2:])
            self.names[out] = self.names.get(source)

    def note(self, name: str, call: int, part: Any, output: Any) -> None:
        """A layer has ended."""
        if not isinstance(output, Tensor):
            return
        if self.names.get(output) is None:
            self.names[output] = name
        step = self.made.get(output)
        if step is not None and not step.layer:
            step.layer = name
        if self.cell.layer in (name, f"{name}#{call}") and tuple(output.shape) == self.cell.shape:
            self.steps = []
            while step is not None:
                self.steps.insert(0, step)
                step = step.before

    def _step(self, operation: Any, name: str, given: dict[str, Any], source: Tensor | None, out: Tensor) -> Step:
        value = self.cell.of(out)
        if source is not None and name in _SAME and source in self.made:
            known: Step = self.made[source]
            return known
        unknown = Step("unknown", value, {"operation": name})
        try:
            return self._known(operation, name, given, value) or unknown
        except (IndexError, KeyError, ValueError, TypeError, RuntimeError):  # used in a way that is not known here
            return unknown

    def _known(self, operation: Any, name: str, given: dict[str, Any], value: float) -> Step | None:
        if name == "convolution":
            return self._convolution(given, value)
        if name in ("addmm", "mm", "linear"):
            return self._linear(name, given, value)
        if name in _NORMS:
            return self._norm(given, value)
        if name in ACTIVATIONS:
            return self._activation(operation, name, given, value)
        if name in _POOLS:
            return self._pooling(name, given, value)
        if name in ("add", "sub", "mul"):
            return self._combined(name, given, value)
        return self._joined(given, value) if name == "cat" else None

    def _reads(self, tensor: Tensor) -> dict[str, Any]:
        """What a step reads: the layer that made it ("" for the picture, None where it has no name)."""
        return {"reads": self.names.get(tensor)}

    def _before(self, tensor: Tensor) -> tuple[float, Step | None]:
        """The number at the cell that goes in: it was taken down before anything wrote over it."""
        step = self.made.get(tensor)
        return (step.value, step) if step is not None else (self.cell.of(tensor), None)

    def _convolution(self, given: dict[str, Any], value: float) -> Step | None:
        source, weight, bias = given["input"], given["weight"], given["bias"]
        if given["transposed"] or source.dim() != 4:
            return None
        each = weight.shape[1]
        group = self.cell.unit // (weight.shape[0] // given["groups"])
        channels = source[0, group * each : (group + 1) * each]
        axes = [
            np.arange(size) * dilation + place * stride - padding
            for size, dilation, place, stride, padding in zip(
                weight.shape[2:], given["dilation"], self.cell.place, given["stride"], given["padding"], strict=True
            )
        ]
        patch, inside = self._window(source, channels, axes)
        kernel = weight[self.cell.unit].double().cpu().numpy()
        products = patch * kernel
        added = float(bias[self.cell.unit]) if bias is not None else 0.0
        said = {
            **self._reads(source), "patch": patch.astype(np.float32), "kernel": kernel.astype(np.float32),
            "inside": inside, "channels": [group * each, (group + 1) * each], "of": source.shape[1],
            **self._corner(source, axes), "sum": float(products.sum()), "bias": added if bias is not None else None,
            "stride": list(given["stride"]), "dilation": list(given["dilation"]), "groups": given["groups"],
        }  # fmt: skip
        return Step("convolution", value, said, float(products.sum()) + added, float(np.abs(products).sum()))

    def _window(self, source: Tensor, channels: Tensor, axes: list[Any]) -> tuple[Any, Any]:
        """(the numbers of those rows and columns, 0 beyond the border; which of them are no padding)."""
        rows, columns = axes
        height, width = source.shape[-2:]
        held = np.logical_and.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
        taken = channels[:, torch.from_numpy(rows.clip(0, height - 1)).to(source.device)]
        taken = taken[:, :, torch.from_numpy(columns.clip(0, width - 1)).to(source.device)]
        top, left, inner_rows, inner_columns = self.padded.get(source, (0, 0, height, width))
        real = np.logical_and.outer(
            (rows >= top) & (rows < top + inner_rows), (columns >= left) & (columns < left + inner_columns)
        )
        return np.where(held, taken.double().cpu().numpy(), 0.0), held & real

    def _corner(self, source: Tensor, axes: list[Any]) -> dict[str, Any]:
        """Where a window begins, in rows and columns of what was read."""
        top, left, *_ = self.padded.get(source, (0, 0))
        return {"rows": (axes[0] - top).tolist(), "columns": (axes[1] - left).tolist()}

    def _linear(self, name: str, given: dict[str, Any], value: float) -> Step | None:
        first = "input" if name == "linear" else "mat1" if name == "addmm" else "self"
        source, bias = given[first], given.get("bias") if name == "linear" else given.get("self")
        if source.dim() != 2 or len(source) != 1 or self.cell.place:
            return None
        weights = given["weight"][self.cell.unit] if name == "linear" else given["mat2"][:, self.cell.unit]
        added = None if name == "mm" or bias is None else float(bias.reshape(-1)[self.cell.unit])
        patch, kernel = (one.double().cpu().numpy() for one in (source[0], weights))
        products = patch * kernel
        said = {**self._reads(source), "patch": patch.astype(np.float32), "kernel": kernel.astype(np.float32),
                "sum": float(products.sum()), "bias": added}  # fmt: skip
        return Step("linear", value, said, float(products.sum()) + (added or 0.0), float(np.abs(products).sum()))

    def _norm(self, given: dict[str, Any], value: float) -> Step | None:
        if given.get("training") or given["running_mean"] is None:
            return None
        number, before = self._before(given["input"])
        eps = float(given["epsilon"] if "epsilon" in given else given["eps"])
        mean, variance = (float(given[name][self.cell.unit]) for name in ("running_mean", "running_var"))
        scale, shift = (
            float(given[name][self.cell.unit]) if given[name] is not None else default
            for name, default in (("weight", 1.0), ("bias", 0.0))
        )
        made = (number - mean) / math.sqrt(variance + eps) * scale + shift
        gain = abs(scale) / math.sqrt(variance + eps)
        size = gain * max(abs(number), abs(mean), before.size if before else 0.0) + abs(shift)
        said = {"number": number, "mean": mean, "variance": variance, "eps": eps, "scale": scale, "shift": shift,
                **({} if before else self._reads(given["input"]))}  # fmt: skip
        return Step("norm", value, said, made, size, before)

    def _activation(self, operation: Any, name: str, given: dict[str, Any], value: float) -> Step:
        source = given["input" if "input" in given else "self"]
        number, before = self._before(source)
        one = torch.tensor([number], dtype=torch.float64)
        rest = {key: part for key, part in given.items() if part is not source}
        made = float(operation(one, **rest)[0])
        options = {
            key: float(part) for key, part in rest.items() if isinstance(part, (int, float)) and part is not None
        }
        said = {"name": name, "number": number, "options": options, **({} if before else self._reads(source))}
        return Step("activation", value, said, made, max(abs(number), before.size if before else 0.0), before)

    def _pooling(self, name: str, given: dict[str, Any], value: float) -> Step | None:
        source = given["input" if "input" in given else "self"]
        if source.dim() != 4:
            return None
        largest = "max" in name
        rows, columns, count = _pooled(name, given, source, self.cell.place)
        window = source[0, self.cell.unit][rows][:, columns].double().cpu().numpy()
        made = float(window.max() if largest else window.sum() / (count or window.size))
        said = {**self._reads(source), "how": "max" if largest else "mean", "window": window.astype(np.float32),
                "rows": [rows.start, rows.stop], "columns": [columns.start, columns.stop],
                "divided": count or window.size}  # fmt: skip
        return Step("pooling", value, said, made, float(np.abs(window).max()))

    def _combined(self, name: str, given: dict[str, Any], value: float) -> Step:
        factor = float(given.get("alpha") or 1) * (-1 if name == "sub" else 1)
        terms = []
        for part in (given["self"], given["other"]):
            tensor = isinstance(part, Tensor) and part.dim() > 0
            number = self._before(part)[0] if tensor else float(part)
            terms.append({"value": number, **(self._reads(part) if tensor else {"reads": None, "constant": True})})
        first, second = (one["value"] for one in terms)
        made = first * second if name == "mul" else first + factor * second
        said = {"terms": terms, "factor": factor}
        return Step("product" if name == "mul" else "addition", value, said, made, abs(first) + abs(second))

    def _joined(self, given: dict[str, Any], value: float) -> Step | None:
        if given["dim"] not in (1, 1 - len(self.cell.shape)):
            return None
        unit = self.cell.unit
        for part in given["tensors"]:
            if unit < part.shape[1]:
                said = {**self._reads(part), "unit": unit, "parts": len(given["tensors"])}
                return Step("join", value, said, float(part[(0, unit, *self.cell.place)]))
            unit -= part.shape[1]
        return None


def _pooled(name: str, given: dict[str, Any], source: Tensor, place: tuple[int, ...]) -> tuple[slice, slice, int]:
    """(rows, columns, by how many a sum is divided; 0: by as many as there are)."""
    height, width = source.shape[-2:]
    if name in ("mean", "amax"):
        dims = {one % source.dim() for one in given["dim"]}
        if dims != {2, 3}:
            raise ValueError(dims)
        return slice(0, height), slice(0, width), 0
    if "adaptive" in name:
        spans = [
            (place[i] * n // out, -(-(place[i] + 1) * n // out))
            for i, (n, out) in enumerate(zip((height, width), _pair(given["output_size"]), strict=True))
        ]
        return slice(*spans[0]), slice(*spans[1]), 0
    kernel, padding = _pair(given["kernel_size"]), _pair(given["padding"])
    stride, dilation = _pair(given["stride"] or kernel), _pair(given.get("dilation", 1))
    starts = [place[i] * stride[i] - padding[i] for i in (0, 1)]
    stops = [min(starts[i] + kernel[i], n + padding[i]) for i, n in enumerate((height, width))]
    count = 0
    if given.get("count_include_pad"):
        count = (stops[0] - starts[0]) * (stops[1] - starts[1])
    if dilation != (1, 1):
        raise ValueError(dilation)
    rows, columns = (slice(max(starts[i], 0), min(stops[i], n)) for i, n in enumerate((height, width)))
    return rows, columns, int(given.get("divisor_override") or count)


def _pair(value: Any) -> tuple[int, int]:
    """A number for both axes, or one for each."""
    numbers = [value] if isinstance(value, int) else list(value)
    return int(numbers[0]), int(numbers[-1])
