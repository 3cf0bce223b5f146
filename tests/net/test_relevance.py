"""The rules engine against slow float64 references: relevance, multipliers, biases and excitation of single operations.

The references are plain numpy: every linear operation becomes a dense matrix, read off its answers to unit inputs,
and the published formulas are written over that matrix. They share no code with the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.net import Net, Preprocess
from pellucid.net.rules import Biases, Excitation, Relevance, Rescale, Rule
from pellucid.net.rules import relevance as rules
from pellucid.result.coverage import in_words, uncovered
from tests.networks import TOPOLOGIES, Array, Base, seeded

EPS = 1e-6
TINY = 1e-12
LOW, HIGH = (-1.5, -2.0, -1.0), (2.0, 1.3, 1.5)
PIXELS = np.random.default_rng(7).random((3, 7, 8)) * 2 - 0.8  # of both signs


# ---- the references ----


@dataclass(frozen=True)
class Dense:
    """A linear operation as y = A x + b over flat arrays; `linked` says which inputs an output reads."""

    matrix: Array
    bias: Array
    linked: Array
    out: tuple[int, ...]
    fully: bool

    @classmethod
    def of(cls, operation: Callable[[Tensor], Tensor], ones: Callable[[Tensor], Tensor], shape: Any) -> Dense:
        """From f(0) and f(unit inputs); `ones` is the operation with every weight 1."""
        zero, units = torch.zeros(1, *shape).double(), torch.eye(int(np.prod(shape))).double().view(-1, *shape)
        with torch.no_grad():
            at_zero = operation(zero)
            matrix = (operation(units) - at_zero).flatten(1).T.numpy()
            linked = (ones(units) - ones(zero)).flatten(1).T.numpy()
        return cls(matrix, at_zero.flatten().numpy(), linked, tuple(at_zero.shape[1:]), len(shape) == 1)

    @classmethod
    def layer(cls, layer: nn.Module, shape: Any) -> Dense:
        key = (
            type(layer),
            _arguments(layer),
            tuple(shape),
            *(v.numpy().tobytes() for v in layer.state_dict().values()),
        )
        if key not in _DENSE:
            like = seeded(lambda: type(layer)(*_arguments(layer), bias=False))
            like.weight.data.fill_(1.0)
            _DENSE[key] = cls.of(layer, like, shape)
        return _DENSE[key]


_DENSE: dict[Any, Dense] = {}


def _arguments(layer: nn.Module) -> tuple[Any, ...]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    if isinstance(layer, nn.ConvTranspose2d):
        return (
            layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
            layer.output_padding, layer.groups,
        )  # fmt: skip
    return (
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
        layer.groups,
    )  # fmt: skip


Shared = Callable[[Dense, Array, Array], Array]
"""(operation, x, R of the outputs) -> R of the inputs, all flat."""


def _away(value: float, eps: float) -> float:
    return value - eps if value < 0 else value + eps


def epsilon(eps: float = EPS) -> Shared:
    """Bach et al. 2015, equation 58."""

    def share(of: Dense, x: Array, r: Array) -> Array:
        back = np.zeros_like(x)
        for a, b, rk in zip(of.matrix, of.bias, r, strict=True):
            z = x * a
            back += z / _away(z.sum() + b, eps) * rk
        return back

    return share


def gamma(strength: float) -> Shared:
    """Montavon et al. 2019, section 10.2.3, for any signs: what has the output's sign counts more."""

    def share(of: Dense, x: Array, r: Array) -> Array:
        back = np.zeros_like(x)
        for a, b, rk in zip(of.matrix, of.bias, r, strict=True):
            y = (x * a).sum() + b
            if y == 0:
                continue
            same = np.sign(y)
            z = x * a + strength * np.where(np.sign(x * a) == same, x * a, 0)
            bias = b + strength * (b if np.sign(b) == same else 0)
            back += z / _away(z.sum() + bias, EPS) * rk
        return back

    return share


def alpha_beta(alpha: float, beta: float) -> Shared:
    """Bach et al. 2015, equation 60: what speaks for and what speaks against, apart."""

    def share(of: Dense, x: Array, r: Array) -> Array:
        back = np.zeros_like(x)
        for a, b, rk in zip(of.matrix, of.bias, r, strict=True):
            up, down = np.maximum(x * a, 0), np.minimum(x * a, 0)
            back += alpha * up / _away(up.sum() + max(b, 0), EPS) * rk
            back -= beta * down / _away(down.sum() + min(b, 0), EPS) * rk
        return back

    return share


def w_square(of: Dense, x: Array, r: Array) -> Array:
    """Montavon et al. 2017, equation 12."""
    back = np.zeros_like(x)
    for a, rk in zip(of.matrix, r, strict=True):
        back += a**2 / ((a**2).sum() + EPS) * rk
    return back


def flat(of: Dense, x: Array, r: Array) -> Array:
    back = np.zeros_like(x)
    for linked, rk in zip(of.linked, r, strict=True):
        back += linked / (linked.sum() + EPS) * rk
    return back


def z_box(of: Dense, x: Array, r: Array) -> Array:
    """Montavon et al. 2017, equation 13."""
    low, high = (np.repeat(ends, len(x) // 3) for ends in (LOW, HIGH))
    back = np.zeros_like(x)
    for a, rk in zip(of.matrix, r, strict=True):
        z = x * a - low * np.maximum(a, 0) - high * np.minimum(a, 0)
        back += z / _away(z.sum(), EPS) * rk
    return back


RULES: dict[str, tuple[Any, Shared]] = {
    "epsilon": (rules.epsilon(), epsilon()),
    "epsilon 0.1": (rules.epsilon(0.1), epsilon(0.1)),
    "gamma 0.25": (rules.gamma(0.25), gamma(0.25)),
    "gamma 10": (rules.gamma(10.0), gamma(10.0)),
    "alpha 2 beta 1": (rules.alpha_beta(2.0, 1.0), alpha_beta(2.0, 1.0)),
    "alpha 1.5 beta 0.5": (rules.alpha_beta(1.5, 0.5), alpha_beta(1.5, 0.5)),
    "z plus": (rules.alpha_beta(1.0, 0.0), alpha_beta(1.0, 0.0)),
}
FIRST: dict[str, tuple[Any, Shared]] = {
    "flat": (rules.flat(), flat),
    "w square": (rules.w_square(), w_square),
    "z box": (rules.z_box(LOW, HIGH), z_box),
}


class Node:
    """A number on the tape, (C, H, W), and the relevance that reached it."""

    def __init__(self, value: Array, raw: bool = False) -> None:
        self.value, self.relevance, self.raw = value, np.zeros_like(value), raw


class Tape:
    """Relevance itself (not R / x), operation by operation; the networks of `tests.networks` write themselves on it."""

    def __init__(self, first: Shared | None, features: Shared, classifier: Shared) -> None:
        self.first, self.features, self.classifier = first or features, features, classifier
        self.back: list[Callable[[], None]] = []

    def linear(self, x: Node, of: Dense) -> Node:
        share = self.classifier if of.fully else self.first if x.raw else self.features
        flat_in = x.value.reshape(-1)
        out = Node((of.matrix @ flat_in + of.bias).reshape(of.out))

        def send() -> None:
            x.relevance += share(of, flat_in, out.relevance.reshape(-1)).reshape(x.value.shape)

        self.back.append(send)
        return out

    def conv(self, x: Node, layer: nn.Conv2d) -> Node:
        return self.linear(x, Dense.layer(layer, x.value.shape))

    def relu(self, x: Node, six: bool = False) -> Node:
        return self._passed(x, np.clip(x.value, 0, 6) if six else np.maximum(x.value, 0))

    def scale(self, x: Node, factor: float) -> Node:
        return self._passed(x, factor * x.value)

    def _passed(self, x: Node, value: Array) -> Node:
        out = Node(value, x.raw)

        def send() -> None:
            x.relevance += out.relevance

        self.back.append(send)
        return out

    def add(self, x: Node, y: Node) -> Node:
        out = Node(x.value + y.value)

        def send() -> None:
            whole = np.where(out.value == 0, 1, out.value)
            x.relevance += x.value / whole * out.relevance
            y.relevance += y.value / whole * out.relevance

        self.back.append(send)
        return out

    def cat(self, x: Node, y: Node) -> Node:
        out, n = Node(np.concatenate([x.value, y.value])), len(x.value)

        def send() -> None:
            x.relevance += out.relevance[:n]
            y.relevance += out.relevance[n:]

        self.back.append(send)
        return out

    def mean(self, x: Node) -> Node:
        out = Node(x.value.mean((1, 2)))

        def send() -> None:
            sums = x.value.sum((1, 2), keepdims=True)
            x.relevance += x.value / np.where(sums == 0, 1, sums) * out.relevance[:, None, None]

        self.back.append(send)
        return out

    def from_output(self, out: Node, unit: int) -> None:
        out.relevance[unit] = out.value[unit]
        for send in reversed(self.back):
            send()


def reference(
    net: Base, pixels: Array, unit: int, first: Shared | None, features: Shared, classifier: Shared
) -> tuple[Array, float]:
    """(R of every pixel (3, H, W), score)."""
    tape, x = Tape(first, features, classifier), Node(pixels.astype(np.float64), raw=True)
    body = net.tape(tape, x)  # type: ignore[arg-type]
    out = tape.linear(tape.mean(body), Dense.layer(net.head, (len(body.value),)))  # type: ignore[arg-type]
    tape.from_output(out, unit)
    return x.relevance, float(out.value[unit])


def relevance(module: nn.Module, pixels: Array, rule: Rule, m: Tensor | int = 0) -> tuple[Array, Array, dict[str, int]]:
    """(R of every pixel, the output, coverage) of the package; `m` is a unit or the R / y of the whole output."""
    x = torch.from_numpy(pixels)[None].requires_grad_()
    with torch.enable_grad():
        run = Net(module, preprocess=Preprocess()).run(x, rule=rule, grad=True)
        if isinstance(m, int):
            m = F.one_hot(torch.tensor([m]), run.output.shape[1]).double()
        (found,) = torch.autograd.grad(run.output, x, m)
    return (found * x).detach()[0].numpy(), run.output.detach()[0].numpy(), dict(run.coverage)


def named(features: Any, classifier: Any = None, first: Any = None) -> Relevance:
    return Relevance(first and ("first", first), ("features", features), ("classifier", classifier or features))


# ---- relevance ----

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: nn.Conv2d(3, 4, 3, padding=1),
    "conv without bias": lambda: nn.Conv2d(3, 4, 3, bias=False),
    "strided and dilated": lambda: nn.Conv2d(3, 4, 3, stride=2, padding=2, dilation=2),
    "grouped": lambda: nn.Conv2d(3, 6, (3, 2), groups=3),
    "transposed": lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1),
    "transposed and grouped": lambda: nn.ConvTranspose2d(3, 6, 3, stride=2, groups=3, output_padding=1),
}


@pytest.mark.parametrize("rule", [*RULES, *FIRST])
@pytest.mark.parametrize("layer", LAYERS)
def test_one_operation_with_signed_inputs(layer: str, rule: str) -> None:
    module = seeded(LAYERS[layer])
    share, plain = (RULES | FIRST)[rule]
    of = Dense.layer(module, PIXELS.shape)
    m = np.random.default_rng(3).standard_normal(len(of.matrix))
    r = m * (of.matrix @ PIXELS.reshape(-1) + of.bias)
    expected = plain(of, PIXELS.reshape(-1), r).reshape(PIXELS.shape)
    asked = named(share) if rule in RULES else named(rules.epsilon(), first=share)
    found, _, coverage = relevance(module, PIXELS, asked, torch.from_numpy(m).view(1, *of.out))
    assert np.abs(found - expected).max() <= 1e-9 * np.abs(expected).max()
    assert sum(coverage.values()) == 1


@pytest.mark.parametrize("rule", RULES)
def test_one_fully_connected_operation(rule: str) -> None:
    module = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(PIXELS.size, 5)))
    share, plain = RULES[rule]
    m = np.random.default_rng(3).standard_normal(5)
    of = Dense.layer(module[1], (PIXELS.size,))
    expected = plain(of, PIXELS.reshape(-1), m * (of.matrix @ PIXELS.reshape(-1) + of.bias)).reshape(PIXELS.shape)
    found, *_ = relevance(module, PIXELS, named(rules.flat(), share), torch.from_numpy(m)[None])
    assert np.abs(found - expected).max() <= 1e-9 * np.abs(expected).max()


NETS = {name: seeded(make, seed=i) for i, (name, make) in enumerate(TOPOLOGIES.items())}
COMPOSITES = {
    "epsilon": (None, "epsilon", "epsilon"),
    "epsilon plus": (None, "z plus", "epsilon"),
    "epsilon plus flat": ("flat", "z plus", "epsilon"),
    "alpha 2 beta 1 flat": ("flat", "alpha 2 beta 1", "epsilon"),
    "gamma box": ("z box", "gamma 0.25", "epsilon"),
    "w square": ("w square", "alpha 1.5 beta 0.5", "gamma 10"),
}


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_whole_networks_of_every_topology(topology: str, composite: str) -> None:
    first, features, classifier = COMPOSITES[composite]
    ours = named(RULES[features][0], RULES[classifier][0], FIRST[first][0] if first else None)
    plain = (FIRST[first][1] if first else None, RULES[features][1], RULES[classifier][1])
    expected, score = reference(NETS[topology], PIXELS, 1, *plain)  # type: ignore[arg-type]
    found, output, coverage = relevance(NETS[topology], PIXELS, ours, 1)
    assert output[1] == pytest.approx(score, abs=1e-12)
    assert np.abs(found - expected).max() <= 1e-7 * np.abs(expected).max()
    assert not uncovered(coverage)


def test_gamma_without_end_is_z_plus() -> None:
    """Where the output is positive, in every operation of the network (oracle 7)."""
    net = seeded(lambda: nn.Conv2d(3, 4, 3))
    net.bias.data += 50
    great, _, _ = relevance(net, PIXELS, named(rules.gamma(1e12)), torch.ones(1, 4, 5, 6).double())
    plus, _, _ = relevance(net, PIXELS, named(rules.alpha_beta(1.0, 0.0)), torch.ones(1, 4, 5, 6).double())
    assert np.abs(great - plus).max() <= 1e-6 * np.abs(plus).max()


def test_z_plus_of_inputs_that_are_not_negative_uses_positive_weights_alone() -> None:
    net = seeded(lambda: nn.Conv2d(3, 4, 3, bias=False))
    clamped = seeded(lambda: nn.Conv2d(3, 4, 3, bias=False))
    clamped.weight.data = net.weight.data.clamp(min=0)
    x = np.abs(PIXELS)
    r = torch.rand(1, 4, 5, 6).double()
    out = [part(torch.from_numpy(x)[None]).detach() for part in (net, clamped)]
    found, _, _ = relevance(net, x, named(rules.alpha_beta(1.0, 0.0)), r / out[0])
    expected, _, _ = relevance(clamped, x, named(rules.epsilon()), r / out[1])
    assert np.abs(found - expected).max() <= 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("topology", [name for name in TOPOLOGIES if name != "relu6"])
def test_without_biases_epsilon_is_gradient_times_input_and_conserves(topology: str) -> None:
    net = seeded(TOPOLOGIES[topology])
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.bias.data.zero_()
    found, output, _ = relevance(net, PIXELS, named(rules.epsilon(TINY)), 2)
    x = torch.from_numpy(PIXELS)[None].requires_grad_()
    (gradient,) = torch.autograd.grad(net(x)[0, 2], x)
    assert np.abs(found - (gradient * x).detach()[0].numpy()).max() <= 1e-8 * np.abs(found).max()
    assert found.sum() == pytest.approx(output[2], rel=1e-9)


def test_biases_keep_their_share() -> None:
    """Trap T5: relevance lost on the way is what the biases got, to the digit; nothing else."""
    net = NETS["module"]
    tape, x = Tape(None, epsilon(), epsilon()), Node(PIXELS, raw=True)
    body = net.tape(tape, x)  # type: ignore[arg-type]
    before = len(tape.back)
    out = tape.linear(tape.mean(body), Dense.layer(net.head, (6,)))
    tape.from_output(out, 1)
    found, output, _ = relevance(net, PIXELS, named(rules.epsilon()), 1)
    assert before == 6
    assert found.sum() == pytest.approx(x.relevance.sum(), rel=1e-9)
    assert abs(found.sum() - output[1]) > 0.1 * abs(output[1])


# ---- batch norms ----


class Normed(nn.Module):
    """An operation, its batch norm spelled in some way, a rectifier, a mean, a head."""

    def __init__(self, layer: nn.Module, way: str, outs: int) -> None:
        super().__init__()
        self.layer, self.way, self.norm = layer, way, nn.BatchNorm2d(outs)
        self.norm.running_mean.uniform_(-0.5, 0.5)
        self.norm.running_var.uniform_(0.5, 2)
        self.norm.weight.data.uniform_(-1.5, 1.5)
        self.norm.bias.data.uniform_(-0.5, 0.5)
        self.head = nn.Linear(outs, 2)

    def normed(self, z: Tensor) -> Tensor:
        n = self.norm
        if self.way == "functional":
            return F.batch_norm(z, n.running_mean, n.running_var, n.weight, n.bias, False, 0.1, n.eps)
        if self.way == "by name":
            return F.batch_norm(
                input=z, running_mean=n.running_mean, running_var=n.running_var, bias=n.bias, weight=n.weight, eps=n.eps
            )
        if self.way == "torch":
            return torch.batch_norm(z, n.weight, n.bias, n.running_mean, n.running_var, False, 0.1, n.eps, False)
        return self.norm(z)

    def forward(self, x: Tensor) -> Tensor:
        z = self.layer(x)
        h = F.relu(self.normed(z), inplace=True)
        if self.way == "used elsewhere":
            h = h + z
        return self.head(h.mean((2, 3)))

    def folded(self) -> nn.Module:
        """The operation with its norm worked into the weights, by hand."""
        n, layer = self.norm, self.layer
        scale = (n.weight / (n.running_var + n.eps).sqrt()).detach()
        with torch.random.fork_rng(devices=[]):
            merged = type(layer)(*_arguments(layer)).double()
        merged.bias.data = (layer.bias.detach() if layer.bias is not None else 0) * scale
        merged.bias.data = merged.bias + n.bias.detach() - n.running_mean * scale
        merged.weight.data = layer.weight.detach().clone()
        for out in range(len(scale)):
            if isinstance(layer, nn.ConvTranspose2d):
                each, ins = len(scale) // layer.groups, layer.in_channels // layer.groups
                group = out // each
                merged.weight.data[group * ins : (group + 1) * ins, out % each] *= scale[out]
            else:
                merged.weight.data[out] *= scale[out]
        return merged


@pytest.mark.parametrize("rule", ["epsilon", "gamma 0.25", "alpha 2 beta 1", "z plus"])
@pytest.mark.parametrize("way", ["module", "functional", "by name", "torch", "used elsewhere"])
@pytest.mark.parametrize("layer", ["conv", "conv without bias", "grouped", "transposed", "transposed and grouped"])
def test_batch_norm_is_merged_into_what_is_before_it(layer: str, way: str, rule: str) -> None:
    outs = 6 if "grouped" in layer else 4
    net = seeded(lambda: Normed(LAYERS[layer](), way, outs))
    share, plain = RULES[rule]
    tape, x = Tape(None, plain, epsilon()), Node(PIXELS, raw=True)
    h = tape.relu(tape.conv(x, net.folded()))
    if way == "used elsewhere":
        h = tape.add(h, tape.conv(x, net.layer))
    out = tape.linear(tape.mean(h), Dense.layer(net.head, (outs,)))
    tape.from_output(out, 0)
    found, output, coverage = relevance(net, PIXELS, named(share, rules.epsilon()), 0)
    assert output[0] == pytest.approx(out.value[0], abs=1e-12)
    assert np.abs(found - x.relevance).max() <= 1e-8 * np.abs(x.relevance).max()
    assert coverage["batch_norm", f"features (merged into {'conv_transpose2d' if 'trans' in layer else 'conv2d'})"] == 1


def test_batch_norm_after_a_fully_connected_operation() -> None:
    """Merged where its channels are the operation's outputs; (N, L, C) is normalized over L, which is not merged."""

    class Tokens(nn.Module):
        def __init__(self, flat: bool) -> None:
            super().__init__()
            self.flat, self.linear, self.norm, self.head = flat, nn.Linear(8, 7), nn.BatchNorm1d(7), nn.Linear(7, 2)
            self.norm.running_mean.uniform_(-1, 1)
            self.norm.weight.data.uniform_(-1, 1)

        def forward(self, x: Tensor) -> Tensor:
            h = x.mean(1)
            h = self.norm(self.linear(h.mean(1) if self.flat else h))
            return self.head(h if self.flat else h.mean(1))

    for flat_ in (True, False):
        net = seeded(lambda flat_=flat_: Tokens(flat_))
        _, output, coverage = relevance(net, PIXELS, named(rules.epsilon()), 1)
        assert np.allclose(output, net(torch.from_numpy(PIXELS)[None]).detach().numpy(), atol=1e-12)
        merged = [met for met in in_words(coverage) if "merged" in met]
        assert merged == (["batch_norm: classifier (merged into linear)"] if flat_ else [])


def test_batch_norm_ahead_of_a_convolution_is_an_operation_of_its_own() -> None:
    """Not merged: the epsilon rule over x · weight + bias."""
    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)))
    net[2].running_mean.copy_(torch.tensor([0.2, -0.1, 0.4]))
    net[2].bias.data += 0.3
    tape, x = Tape(None, gamma(0.25), epsilon()), Node(PIXELS)
    rectified = tape.relu(tape.conv(x, net[0]))
    scale = Dense.of(net[2], net[2], PIXELS.shape)
    flat_in = rectified.value.reshape(-1)
    normed = Node((scale.matrix @ flat_in + scale.bias).reshape(PIXELS.shape))
    out = tape.conv(normed, net[3])
    out.relevance[:] = out.value
    tape.back.pop()()
    rectified.relevance += epsilon()(scale, flat_in, normed.relevance.reshape(-1)).reshape(PIXELS.shape)
    for send in reversed(tape.back):
        send()
    found, _, coverage = relevance(net, PIXELS, named(rules.gamma(0.25)), torch.ones(1, 4, 5, 6).double())
    assert np.abs(found - x.relevance).max() <= 1e-8 * np.abs(found).max()
    assert in_words(coverage) == {"conv2d: features": 2, "relu: handed on": 1, "batch_norm: epsilon": 1}


def test_batch_norm_of_an_operation_whose_output_was_changed_is_not_merged() -> None:
    class Changed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            z = self.conv(x)
            z += 1
            return self.norm(z).mean((2, 3))

    _, _, coverage = relevance(seeded(Changed), PIXELS, named(rules.epsilon()))
    assert in_words(coverage) == {"conv2d: features": 1, "batch_norm: epsilon": 1}


# ---- sums, gates, what is written in place ----


class Skip(nn.Module):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.a, self.b = way, nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.a(x), self.b(x)
        if self.way == "in place":
            a += b
            return a
        if self.way == "method":
            return a.add_(b)
        if self.way == "torch.add":
            return torch.add(a, b)
        return a + b


@pytest.mark.parametrize("way", ["in place", "method", "torch.add", "+"])
def test_a_sum_is_split_by_what_each_term_contributed(way: str) -> None:
    """x / (x + y) (oracle 7), also where the sum overwrites a term that was saved (trap T6)."""
    net = seeded(lambda: Skip(way))
    terms = [Dense.layer(part, PIXELS.shape) for part in (net.a, net.b)]
    x, values = PIXELS.reshape(-1), []
    values = [of.matrix @ x + of.bias for of in terms]
    m = np.random.default_rng(1).standard_normal(len(values[0]))
    expected = sum(
        epsilon()(of, x, y / (values[0] + values[1]) * m * (values[0] + values[1]))
        for of, y in zip(terms, values, strict=True)
    )
    found, *_ = relevance(net, PIXELS, named(rules.epsilon()), torch.from_numpy(m).view(1, 4, 7, 8))
    assert np.abs(found.reshape(-1) - expected).max() <= 1e-9 * np.abs(expected).max()


class Overwritten(nn.Module):
    """The convolution's input is rewritten after the convolution read it."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.inplace, self.a, self.b, self.c = (
            inplace, nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3),
        )  # fmt: skip
        self.norm, self.head = nn.BatchNorm2d(4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        o = self.norm(self.b(h))
        if self.inplace:
            h.relu_()
            o += h
            o.sigmoid_()
        else:
            o = torch.sigmoid(o + torch.relu(h))
        return self.head(self.c(o).mean((2, 3)))


def every_rule() -> dict[str, Rule]:
    return {
        "epsilon": named(rules.epsilon()),
        "gamma": named(rules.gamma(0.25)),
        "alpha beta": named(rules.alpha_beta()),
        "biases": Biases(),
        "excitation": Excitation(),
        "rescale": Rescale(1),
    }


@pytest.mark.parametrize("name", every_rule())
def test_writing_in_place_changes_nothing(name: str) -> None:
    """Trap T6, for every rule: what was saved is a copy."""
    found = []
    x = torch.from_numpy(np.stack([PIXELS, PIXELS[::-1] * 0.5])).requires_grad_()
    for inplace in (True, False):
        rule = every_rule()[name]
        net = seeded(lambda inplace=inplace: Overwritten(inplace))
        with torch.enable_grad():
            run = Net(net, preprocess=Preprocess()).run(x, rule=rule, grad=True)
            (gradient,) = torch.autograd.grad(run.output[:1, 1].sum(), x)
        terms = [float(term.sum()) for _, term in rule.terms] if isinstance(rule, Biases) else []
        found.append((gradient.numpy(), run.output.detach().numpy(), sum(terms)))
    assert np.allclose(found[0][1], found[1][1], atol=1e-14)
    assert np.allclose(found[0][0], found[1][0], rtol=0, atol=1e-12 * np.abs(found[1][0]).max())
    assert found[0][2] == pytest.approx(found[1][2], abs=1e-12)


@pytest.mark.parametrize("way", ["sigmoid", "expanded", "broadcast", "hardsigmoid", "softmax", "quotient"])
def test_what_only_scales_receives_nothing(way: str) -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            a, b = self.a(x[:, :, :4]), self.b(x[:, :, 4:])
            small = b.mean((2, 3), keepdim=True)
            if way == "sigmoid":
                return a * torch.sigmoid(small)
            if way == "hardsigmoid":
                return F.hardsigmoid(small) * a
            if way == "softmax":
                return a.mul_(small.softmax(1))
            if way == "quotient":
                return a / small
            return a * small.expand_as(a) if way == "expanded" else small * a

    found, output, _ = relevance(seeded(Gated), PIXELS, named(rules.epsilon(TINY)), torch.ones(1, 4, 4, 8).double())
    assert np.abs(found[:, 4:]).max() == 0
    assert np.abs(found[:, :4]).max() > 0.01
    assert np.isfinite(output).all()


def test_two_factors_of_equal_standing_share_half_and_half() -> None:
    class Times(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = (nn.Conv2d(3, 4, 1, bias=False) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            return self.a(x[:, :, :3]) * self.b(x[:, :, 4:])

    found, output, coverage = relevance(
        seeded(Times), PIXELS, named(rules.epsilon(TINY)), torch.ones(1, 4, 3, 8).double()
    )
    assert found[:, :3].sum() == pytest.approx(output.sum() / 2, rel=1e-9)
    assert found[:, 4:].sum() == pytest.approx(output.sum() / 2, rel=1e-9)
    assert coverage["mul", "halves"] == 1
