"""Curves between weights: their ends, their length, and what is trained of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.loss.bends import Bend, Bent, Form, share


def places(form: Form, ts: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """As the formula says."""
    if form == "bezier":
        return np.stack([(1 - t) ** 2 * a + 2 * t * (1 - t) * c + t**2 * b for t in ts])
    return np.stack([(1 - 2 * t) * a + 2 * t * c if t < 0.5 else (2 - 2 * t) * c + (2 * t - 1) * b for t in ts])


@pytest.mark.parametrize("form", ["bezier", "polychain"])
def test_a_curve_is_the_formula_and_as_long_as_it_is(form: Form) -> None:
    a, b, c = np.random.default_rng(0).standard_normal((3, 7))
    ts = np.linspace(0, 1, 9)
    first, second = share(form, ts)
    found = a + np.outer(first, c - a) + np.outer(second, b - a)
    assert found == pytest.approx(places(form, ts, a, b, c))
    bend = Bend(*({"w": torch.from_numpy(one)} for one in (a, b, c)), form)
    fine = places(form, np.linspace(0, 1, 4001), a, b, c)
    assert bend.length() == pytest.approx(np.linalg.norm(np.diff(fine, axis=0), axis=1).sum(), rel=1e-4)


def test_the_third_place_alone_is_trained_and_halfway_at_the_start() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2, dtype=torch.float32))
    other = [one.detach() + 1 for one in module.parameters()]
    a = {name: one.detach().clone() for name, one in module.named_parameters()}
    b = dict(zip(a, other, strict=True))
    bent = Bent(module, a, b, "bezier")
    assert [one.shape for one in bent.parameters()] == [one.shape for one in a.values()]
    assert all(torch.allclose(one, a[name] + 0.5) for name, one in bent.found(a).items())
    bent.train()
    x = torch.rand(5, 4)
    torch.manual_seed(3)
    t = torch.rand(()).item()
    torch.manual_seed(3)
    found = bent(x)
    there = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    there.load_state_dict({name: one + t for name, one in a.items()}, strict=False)  # halfway: the curve is the line
    assert torch.allclose(found, there(x), atol=1e-5)
    found.sum().backward()
    assert all(one.grad is not None for one in bent.parameters())
    assert all(one.grad is None for one in module.parameters())
    bent.eval()
    assert not module.training
    assert torch.equal(bent(x), bent(x))
