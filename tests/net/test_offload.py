"""What autograd keeps may lie on disk: the same bits come back."""

from __future__ import annotations

import pytest
import torch

from pellucid.errors import BadNetwork
from pellucid.net import Net, Preprocess
from pellucid.net.offload import _Shelved, offloading
from tests.networks import TOPOLOGIES, seeded


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_same_gradients(topology: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.net.offload._WORTH", 1)
    net = Net(seeded(TOPOLOGIES[topology]), preprocess=Preprocess())
    x = torch.rand(2, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradients = []
    for memory in (2**30, 0):
        with torch.enable_grad(), offloading(memory):
            run = net.run(x, grad="pixels")
        gradients.append(torch.autograd.grad(run.output[:, 1].sum(), run.pixels)[0])
    assert torch.equal(*gradients)


def test_a_large_picture_takes_the_way_over_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    shelved = []
    monkeypatch.setattr("pellucid.net.offload._WORTH", 1)
    read = _Shelved.read
    monkeypatch.setattr(_Shelved, "read", lambda self: shelved.append(1) or read(self))
    net, gradients = Net(seeded(TOPOLOGIES["shared"]), preprocess=Preprocess()), []
    x = torch.rand(1, 3, 9, 9, dtype=torch.float64)
    for memory in (2**30, 100):
        monkeypatch.setattr("pellucid.net.MEMORY", memory)
        assert not shelved
        run = net.run(x, grad="pixels")
        gradients.append(torch.autograd.grad(run.output[0, 0], run.pixels)[0])
    assert shelved
    assert torch.equal(*gradients)


def test_what_is_overwritten_in_place_is_refused() -> None:
    """Hooks on what autograd saves switch its own check off: the gradient would be silently wrong."""
    x = torch.rand(4, requires_grad=True)
    with offloading(2**30):
        z = x * 1
        y = z * z
        z.mul_(3)
    with pytest.raises(BadNetwork, match="overwrites in place"):
        torch.autograd.grad(y.sum(), x)
