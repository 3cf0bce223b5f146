"""Small networks of every topology that breaks tools which hook modules, and a slow float64 reference for them.

The reference is a tape in plain numpy: every operation is written out, forward and backward, with the rule of
the rectifier as its only freedom. It shares no code with the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

Array = NDArray[np.float64]
Rectifier = Callable[[Array, Array], Array]
"""rule(x, signal) -> signal, at a rectifier with input x"""

RULES: dict[str, Rectifier] = {
    "gradient": lambda x, r: r * (x > 0),
    "guided": lambda x, r: r * (x > 0) * (r > 0),
    "deconvnet": lambda x, r: r * (r > 0),
}
RULES6: dict[str, Rectifier] = {
    "gradient": lambda x, r: r * (x > 0) * (x < 6),
    "guided": lambda x, r: r * (x > 0) * (x < 6) * (r > 0),
    "deconvnet": lambda x, r: r * (r > 0),
}


class Value:
    """A number on the tape: its value, its signal, and what sends the signal on."""

    def __init__(self, tape: Tape, value: Array) -> None:
        self.value, self.signal, self.tape = value, np.zeros_like(value), tape


class Tape:
    """Records operations on (C, H, W) arrays and plays the signals back."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.back: list[Callable[[], None]] = []

    def _node(self, value: Array, send: Callable[[Array], None]) -> Value:
        node = Value(self, value)
        self.back.append(lambda: send(node.signal))
        return node

    def conv(self, x: Value, layer: nn.Conv2d) -> Value:
        w = layer.weight.detach().double().numpy()
        b = layer.bias.detach().double().numpy() if layer.bias is not None else np.zeros(len(w))
        p = layer.padding[0] if isinstance(layer.padding, tuple) else 0
        k = w.shape[2]
        padded = np.pad(x.value, ((0, 0), (p, p), (p, p)))
        h, v = padded.shape[1] - k + 1, padded.shape[2] - k + 1
        out = np.zeros((len(w), h, v))
        for i in range(h):
            for j in range(v):
                for o in range(len(w)):
                    out[o, i, j] = b[o] + (w[o] * padded[:, i : i + k, j : j + k]).sum()

        def send(signal: Array) -> None:
            back = np.zeros_like(padded)
            for i in range(h):
                for j in range(v):
                    for o in range(len(w)):
                        back[:, i : i + k, j : j + k] += w[o] * signal[o, i, j]
            x.signal += back[:, p : back.shape[1] - p, p : back.shape[2] - p]

        return self._node(out, send)

    def relu(self, x: Value, six: bool = False) -> Value:
        rule = (RULES6 if six else RULES)[self.rule]
        value = np.clip(x.value, 0, 6) if six else np.maximum(x.value, 0)

        def send(signal: Array) -> None:
            x.signal += rule(x.value, signal)

        return self._node(value, send)

    def scale(self, x: Value, factor: float) -> Value:
        def send(signal: Array) -> None:
            x.signal += factor * signal

        return self._node(factor * x.value, send)

    def add(self, x: Value, y: Value) -> Value:
        def send(signal: Array) -> None:
            x.signal += signal
            y.signal += signal

        return self._node(x.value + y.value, send)

    def cat(self, x: Value, y: Value) -> Value:
        n = len(x.value)

        def send(signal: Array) -> None:
            x.signal += signal[:n]
            y.signal += signal[n:]

        return self._node(np.concatenate([x.value, y.value]), send)

    def head(self, x: Value, layer: nn.Linear, unit: int) -> float:
        """The mean over places into a linear layer; then everything is played back from that one output."""
        w = layer.weight.detach().double().numpy()[unit]
        score = float(w @ x.value.mean((1, 2)) + layer.bias.detach().double().numpy()[unit])
        x.signal += w[:, None, None] / x.value[0].size
        for send in reversed(self.back):
            send()
        return score


class Base(nn.Module):
    """Three convolutions and a head; subclasses say how they are joined."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 6, 3, padding=1)
        self.b = nn.Conv2d(6, 6, 3, padding=1)
        self.c = nn.Conv2d(6, 6, 3, padding=1)
        self.act = nn.ReLU()
        self.head = nn.Linear(6, 4)

    def body(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(x).mean((2, 3)))
        return out

    def tape(self, t: Tape, x: Value) -> Value:
        """The same body on the tape; three rectified convolutions unless a subclass says otherwise."""
        return t.relu(t.conv(t.relu(t.conv(t.relu(t.conv(x, self.a)), self.b)), self.c))


class ModuleRelu(Base):
    def __init__(self) -> None:
        super().__init__()
        self.act2, self.act3 = nn.ReLU(), nn.ReLU()

    def body(self, x: Tensor) -> Tensor:
        out: Tensor = self.act3(self.c(self.act2(self.b(self.act(self.a(x))))))
        return out


class Functional(Base):
    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.c(torch.relu(self.b(F.relu(self.a(x))))))


class Method(Base):
    def body(self, x: Tensor) -> Tensor:
        out: Tensor = self.c(self.b(self.a(x).relu()).clamp(min=0)).clamp_min(0)
        return out


class InPlace(Base):
    def body(self, x: Tensor) -> Tensor:
        h = self.a(x)
        h.relu_()  # the return value is dropped: the change must be in h itself
        h = F.relu(self.b(h), inplace=True)
        return torch.relu_(self.c(h))


class Shared(Base):
    def body(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.c(self.act(self.b(self.act(self.a(x))))))
        return out


class PreActivation(Base):
    """The rectifier's input also goes past it: a hook on the tensor would rectify both."""

    def body(self, x: Tensor) -> Tensor:
        h = self.a(x)
        h = h + self.b(F.relu(h))
        return F.relu(self.c(F.relu(h)))

    def tape(self, t: Tape, x: Value) -> Value:
        h = t.conv(x, self.a)
        h = t.add(h, t.conv(t.relu(h), self.b))
        return t.relu(t.conv(t.relu(h), self.c))


class PostActivation(Base):
    def body(self, x: Tensor) -> Tensor:
        h = self.act(self.a(x))
        o = self.b(h)
        o += h  # in place, after o was saved by whoever tapped b
        h = self.act(o)
        return F.relu(self.c(h))

    def tape(self, t: Tape, x: Value) -> Value:
        h = t.relu(t.conv(x, self.a))
        h = t.relu(t.add(t.conv(h, self.b), h))
        return t.relu(t.conv(h, self.c))


class Branches(Base):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(12, 6, 3, padding=1)
        self.side = nn.Conv2d(6, 6, 1)

    def body(self, x: Tensor) -> Tensor:
        h = F.relu(self.a(x))
        return F.relu(self.c(torch.cat([self.act(self.b(h)), self.side(h).relu()], 1)))

    def tape(self, t: Tape, x: Value) -> Value:
        h = t.relu(t.conv(x, self.a))
        return t.relu(t.conv(t.cat(t.relu(t.conv(h, self.b)), t.relu(t.conv(h, self.side))), self.c))


class Relu6(Base):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU6()

    def body(self, x: Tensor) -> Tensor:
        return F.hardtanh(self.c(F.relu6(self.b(self.act(30 * self.a(x))))), 0.0, 6.0)

    def tape(self, t: Tape, x: Value) -> Value:
        h = t.relu(t.scale(t.conv(x, self.a), 30), six=True)
        return t.relu(t.conv(t.relu(t.conv(h, self.b), six=True), self.c), six=True)


TOPOLOGIES: dict[str, type[Base]] = {
    "module": ModuleRelu,
    "functional": Functional,
    "method": Method,
    "in-place": InPlace,
    "shared": Shared,
    "pre-activation": PreActivation,
    "post-activation": PostActivation,
    "branches": Branches,
    "relu6": Relu6,
}


@dataclass(frozen=True)
class Truth:
    """What the tape found: d score / d pixel under a rule (3, H, W), and the score."""

    gradient: Array
    score: float


def truth(net: Base, pixels: Array, rule: str, unit: int) -> Truth:
    """The reference: (3, H, W) float64 pixels through the tape."""
    tape = Tape(rule)
    x = Value(tape, pixels.astype(np.float64))
    score = tape.head(net.tape(tape, x), net.head, unit)
    return Truth(x.signal, score)


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A network with reproducible random weights, in float64 and evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().double().eval()
