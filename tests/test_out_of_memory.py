"""Memory that runs out: half as many images at a time, down to one, and then one line."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from pellucid.catalogue import find
from pellucid.errors import OutOfMemory, is_out_of_memory
from tests.test_every_method import QUICK, Tiny, nouns, numbers, photos, state_of, tiny

METHODS = ("gradient", "lrp", "occlusion", "ablation_cam", "rise", "smooth_grad", "integrated_gradients", "maps")
OTHERS = ("activation_maximization", "selectivity")


def small(monkeypatch: pytest.MonkeyPatch, holds: int) -> list[int]:
    """The network's device holds so many images; how many were asked of it, pass by pass."""
    whole, asked = Tiny.forward, list[int]()

    def forward(self: Tiny, x: Tensor) -> Tensor:
        asked.append(len(x))
        if len(x) > holds:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.\nSee documentation")
        return whole(self, x)

    monkeypatch.setattr(Tiny, "forward", forward)
    return asked


@pytest.mark.parametrize("name", [*METHODS, *OTHERS])
def test_goes_on_with_half_as_many_images_at_a_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = find(name)
    right = numbers(entry.function(**nouns(entry, tiny(), photos(3)), **QUICK.get(name, {})))
    given = nouns(entry, tiny(), photos(3))
    asked = small(monkeypatch, 2 if name in METHODS else 4)
    found = numbers(entry.function(**given, **QUICK.get(name, {})))
    assert np.allclose(found, right, rtol=0, atol=1e-12 if name in METHODS else 1, equal_nan=True)
    tried = sum(number > 4 for number in asked)
    entry.function(**given, **QUICK.get(name, {}))
    assert sum(number > 4 for number in asked) == tried, "it should have learned"


def test_where_not_even_one_image_fits_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny()
    net.layers((32, 32))
    small(monkeypatch, 0)
    before = state_of(net.module)
    for name in METHODS:
        entry = find(name)
        with pytest.raises(OutOfMemory, match="not even one image at a time") as caught:
            entry.function(**nouns(entry, net, photos(3)), **QUICK.get(name, {}))
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)
    assert state_of(net.module) == before


def test_what_counts_as_out_of_memory() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
