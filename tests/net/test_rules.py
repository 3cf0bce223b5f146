"""Guided backpropagation and the deconvnet against a slow float64 reference, on every topology."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.errors import Refused
from pellucid.net import Net, Preprocess
from pellucid.net.rules import Rule
from pellucid.net.rules.rectifiers import Deconvnet, Guided, Redirected
from pellucid.result.coverage import in_words, uncovered
from tests.networks import TOPOLOGIES, seeded, truth

NETS = {name: seeded(make, seed=i) for i, (name, make) in enumerate(TOPOLOGIES.items())}
PIXELS = np.random.default_rng(7).random((3, 7, 8))


def ours(module: nn.Module, rule: Rule | None, unit: int) -> tuple[np.ndarray, dict[str, int]]:
    x = torch.from_numpy(PIXELS)[None].requires_grad_()
    with torch.enable_grad():
        run = Net(module, preprocess=Preprocess()).run(x, rule=rule, grad=True)
        (gradient,) = torch.autograd.grad(run.output[0, unit], x)
    return gradient[0].numpy(), dict(run.coverage)


@pytest.mark.parametrize("unit", [0, 3])
@pytest.mark.parametrize(("name", "rule"), [("gradient", None), ("guided", Guided()), ("deconvnet", Deconvnet())])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_against_the_tape(topology: str, name: str, rule: Rule | None, unit: int) -> None:
    expected = truth(NETS[topology], PIXELS, name, unit).gradient
    found, coverage = ours(NETS[topology], rule, unit)
    assert np.abs(found - expected).max() <= 1e-12
    assert np.abs(expected).max() > 1e-6
    if rule is not None:
        assert sum(coverage.values()) == 3 + (topology == "branches")
        assert not uncovered(coverage)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_rules_differ_so_that_the_comparison_can_fail(topology: str) -> None:
    plain, guided, deconv = (
        truth(NETS[topology], PIXELS, rule, 0).gradient for rule in ("gradient", "guided", "deconvnet")
    )
    assert np.abs(plain - guided).max() > 1e-4 * np.abs(plain).max()
    assert np.abs(guided - deconv).max() > 1e-4 * np.abs(guided).max()


def test_hook_on_the_input_tensor_would_be_wrong() -> None:
    """Trap T1: what tools do that filter the gradient of a rectifier's input tensor."""
    module = NETS["pre-activation"]
    x = torch.from_numpy(PIXELS)[None].requires_grad_()

    def naive(h: torch.Tensor) -> torch.Tensor:
        h.register_hook(lambda r: r.clamp(min=0))
        return F.relu(h)

    h = module.a(x)
    h = h + module.b(naive(h))
    out = module.head(F.relu(module.c(naive(h))).mean((2, 3)))
    (wrong,) = torch.autograd.grad(out[0, 0], x)
    right = truth(module, PIXELS, "guided", 0).gradient
    assert np.abs(wrong[0].numpy() - right).max() > 0.05 * np.abs(right).max()


class Only(nn.Module):
    """One convolution, one activation, one mean."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 5, 3), act

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.conv(x)).mean((2, 3)) @ torch.tensor([1.0, -1, 2, -2, 1]).double()[:, None]


SIGNAL = torch.tensor([1.0, -1, 2, -2, 1]).double()[None, :, None, None] / 30
ACTIVATIONS = [
    nn.SiLU(),
    nn.GELU(),
    nn.Hardswish(),
    nn.Mish(),
    nn.LeakyReLU(0.2),
    nn.PReLU(),
    nn.ELU(),
    nn.SiLU(inplace=True),
]


@pytest.mark.parametrize("act", ACTIVATIONS, ids=lambda act: repr(act))
@pytest.mark.parametrize("smooth", ["positive_product", "gate", "plain"])
def test_rule_for_other_activations(act: nn.Module, smooth: str) -> None:
    net = seeded(lambda: Only(act))
    found, coverage = ours(net, Guided(smooth), 0)  # type: ignore[arg-type]
    x = torch.from_numpy(PIXELS)[None]
    z = net.conv(x).detach().requires_grad_()
    (slope,) = torch.autograd.grad(act(z.clone()).sum(), z)
    signal = SIGNAL.expand_as(z)
    if isinstance(act, (nn.LeakyReLU, nn.PReLU, nn.ELU)):
        expected = signal.clamp(min=0) * slope
    else:
        expected = {
            "positive_product": (signal * slope).clamp(min=0),
            "gate": signal.clamp(min=0) * (z > 0),
            "plain": signal * slope,
        }[smooth]
    expected = torch.nn.grad.conv2d_input(x.shape, net.conv.weight.detach(), expected.detach())[0].numpy()
    assert np.abs(found - expected).max() <= 1e-12
    assert sum(coverage.values()) == 1


def test_sigmoid_keeps_its_gradient_and_is_reported() -> None:
    _, coverage = ours(seeded(lambda: Only(nn.Sigmoid())), Guided(), 0)
    assert coverage == {("sigmoid", "plain"): 1}


def test_custom_autograd_function_is_reported() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, signal):  # type: ignore[no-untyped-def]
            return 2 * ctx.saved_tensors[0] * signal

    class Own(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.relu(Square.apply(x)).flatten(1)

    _, coverage = ours(Own(), Guided(), 0)
    assert in_words(coverage) == {"relu: guided": 1, "Square (custom autograd function): plain": 1}


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_refused() -> None:
    script = torch.jit.trace(NETS["module"], torch.from_numpy(PIXELS)[None])
    with pytest.raises(Refused, match="TorchScript"):
        ours(script, Guided(), 0)


def test_forward_is_unchanged_by_a_rule() -> None:
    for name, module in NETS.items():
        x = torch.from_numpy(PIXELS)[None]
        for rule in (Guided(), Deconvnet(), Guided("gate")):
            assert torch.equal(Net(module).run(x, rule=rule).output, module(x)), (name, rule)


class Rectified(nn.Module):
    """One rectifier alone, so that its input is the picture."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x + 0).flatten(1)


RECTIFIED: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], float]] = {
    "functional": (F.relu, np.inf),
    "in place": (lambda x: F.relu_(x), np.inf),
    "module": (nn.ReLU(), np.inf),
    "method": (lambda x: x.relu(), np.inf),
    "clamp": (lambda x: x.clamp(min=0), np.inf),
    "relu6": (F.relu6, 6.0),
    "relu6 module": (nn.ReLU6(inplace=True), 6.0),
    "hardtanh": (lambda x: F.hardtanh(x, 0.0, 6.0), 6.0),
}


def redirected(x: np.ndarray, signal: np.ndarray, top: float) -> np.ndarray:
    """Olah et al. 2017, element by element: of a picture that nothing passes, what pushes towards 0..top passes."""
    found = np.zeros_like(x)
    for n in range(len(x)):
        inside = (x[n] > 0) & (x[n] < top)
        if (signal[n] * inside).any():
            found[n] = signal[n] * inside
            continue
        for place in np.ndindex(x[n].shape):
            value, push = x[n][place], signal[n][place]
            if (value < 0 and push > 0) or (value > top and push < 0):
                found[n][place] = push
    return found


@pytest.mark.parametrize("name", RECTIFIED)
def test_redirected_wakes_dead_pictures_alone(name: str) -> None:
    function, top = RECTIFIED[name]
    chance = np.random.default_rng(3)
    x = chance.uniform(-2, 9, (5, 2, 3, 4))
    x[1] = -np.abs(x[1]) - 0.1  # dead below
    if top < np.inf:
        x[2] = 6.1 + np.abs(x[2])  # dead above
        x[3, 0], x[3, 1] = -1.0 - chance.random((3, 4)), 7 + chance.random((3, 4))  # dead on both sides
    signal = chance.standard_normal(x.shape)
    signal[4] = 0  # nothing is asked of it
    net = Net(Rectified(function), preprocess=Preprocess(channels=2))
    leaf = torch.from_numpy(x).requires_grad_()
    with torch.enable_grad():
        run = net.run(leaf, rule=Redirected(), grad=True)
        (found,) = torch.autograd.grad(run.output, leaf, torch.from_numpy(signal).flatten(1))
    assert np.array_equal(found.numpy(), redirected(x, signal, top))
    assert found[1].any()
    assert not (found[1].numpy()[signal[1] < 0]).any()
    assert sum(run.coverage.values()) == 1
    assert torch.equal(run.output, net.run(torch.from_numpy(x)).output)


def test_redirected_is_the_gradient_of_a_network_that_lives() -> None:
    for name, module in NETS.items():
        found, _ = ours(module, Redirected(), 0)
        assert np.abs(found - truth(module, PIXELS, "gradient", 0).gradient).max() <= 1e-12, name
