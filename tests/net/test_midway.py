"""A pass that is stopped before it is over: between two layers, forward, back, and back through a way back."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from pellucid.net import tap
from pellucid.progress import stoppable


class Stop(BaseException):
    """Nobody waits any more."""


class Counted(torch.autograd.Function):
    """x², counting how often it is computed and differentiated, once and twice."""

    passes: ClassVar[list[str]] = []

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        Counted.passes.append("forward")
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        Counted.passes.append("back")
        found: Tensor = 2 * ctx.saved_tensors[0] * gradients[0]
        return found


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = Counted.apply(x)
        return found


MODULE = nn.Sequential(*[nn.Sequential(nn.Conv2d(2, 2, 1), Square()) for _ in range(5)])
INPUTS = torch.rand(1, 2, 3, 3)


class Listener:
    """Ends the work at the first point after so many parts have been passed."""

    def __init__(self, after: int, what: str = "forward") -> None:
        self.after, self.what, self.asked = after, what, 0

    def __call__(self) -> None:
        self.asked += 1
        if Counted.passes.count(self.what) >= self.after:
            raise Stop


@pytest.fixture(autouse=True)
def none_yet() -> None:
    Counted.passes.clear()


def bare(module: nn.Module) -> bool:
    return not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_forward_it_ends_ahead_of_the_next_layer() -> None:
    with stoppable(Listener(2)), pytest.raises(Stop):
        tap.forward(MODULE, INPUTS)
    assert Counted.passes == ["forward"] * 2
    assert bare(MODULE)


def test_back_it_ends_ahead_of_the_next_layer() -> None:
    with stoppable(Listener(2, "back")):
        output, _, _ = tap.forward(MODULE, INPUTS.clone().requires_grad_(), grad=True)
        leaf = output.grad_fn
        assert leaf is not None
        with pytest.raises(Stop):
            output.sum().backward()
    assert Counted.passes.count("back") == 2
    assert bare(MODULE)


def test_a_gradient_of_a_gradient_ends_on_its_way() -> None:
    """Half of it at least is a way back through what the first way back computed, ahead of the layers themselves."""
    x = INPUTS.clone().requires_grad_()
    listener = Listener(10**9)
    with stoppable(listener):
        output, _, _ = tap.forward(MODULE, x, grad=True)
        (first,) = tap.gradients(MODULE, output.sum(), x, create_graph=True)
        listener.asked, listener.after = 0, 10**9
        tap.gradients(MODULE, first.sum(), x, retain_graph=True)
        whole = listener.asked
        assert whole > 15, "more often than there are layers"
        listener.asked, listener.after = 0, 0
        with pytest.raises(Stop):
            tap.gradients(MODULE, first.sum(), x)
        assert listener.asked == 1


def test_no_number_depends_on_it() -> None:
    def numbers() -> list[Tensor]:
        x = INPUTS.clone().requires_grad_()
        output, _, _ = tap.forward(MODULE, x, grad=True)
        (first,) = tap.gradients(MODULE, output.sum(), x, create_graph=True)
        return [output.detach(), first.detach(), *tap.gradients(MODULE, first.square().sum(), x)]

    alone = numbers()
    listener = Listener(10**9)
    with stoppable(listener):
        heard = numbers()
    assert listener.asked > 20
    assert all(torch.equal(a, b) for a, b in zip(alone, heard, strict=True))


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_what_would_run_another_way_is_left_alone() -> None:
    """Attention that runs in one go without hooks, and scripts."""
    module = nn.Sequential(nn.Linear(8, 8), nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)).eval()
    listener = Listener(10**9)
    with stoppable(listener):
        tap.forward(module, torch.rand(1, 4, 8))
    assert listener.asked == 2, "ahead of the pass, and of the linear layer"
    script = torch.jit.script(nn.Sequential(nn.Linear(8, 8)))
    with stoppable(listener):
        tap.forward(script, torch.rand(1, 8))
    assert listener.asked == 3
