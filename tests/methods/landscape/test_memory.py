"""What a landscape holds in memory: a few copies of the weights, as many for a fine grid as for a coarse one."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import pellucid as pl
from pellucid.loss.directions import Direction
from pellucid.loss.grids import mapped
from pellucid.loss.ground import Ground
from pellucid.loss.weights import weights_of
from pellucid.net import Net
from tests.loss.networks import data, net_of


class Held(TorchDispatchMode):
    """Counts the bytes of tensors that operations have made and that are alive: now, and at most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, Tensor) and one.untyped_storage()._cdata not in self._known:
                storage = one.untyped_storage()
                self._known.add(storage._cdata)
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        return made

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def net() -> Net:
    """So wide that its weights outweigh all else."""
    return net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 500), nn.ReLU(), nn.Linear(500, 3)), double=False)


def copies(net: Net, act: Callable[[], object]) -> float:
    """The most that is held at once, in copies of the network's weights."""
    gc.collect()
    with Held() as held:
        act()
    return held.most / sum(one.numel() * one.element_size() for one in weights_of(net).values())


def plane(net: Net, points: int) -> None:
    pl.landscape.plane(net, data(3), points=points)


def trajectory(net: Net, points: int) -> None:
    values = weights_of(net)
    moved = [{key: one + 0.01 * torch.randn_like(one) for key, one in values.items()} for _ in range(3)]
    pl.landscape.trajectory([*map(net.with_weights, moved), net], data(3), points=points)


@pytest.mark.slow
@pytest.mark.parametrize("method", [plane, trajectory])
def test_a_plane_of_nine_times_the_places_takes_no_more_memory(method: Callable[[Net, int], None]) -> None:
    """A peer keeps the weights of every place: 81 copies here, 34 GB for ResNet-56 at 100 × 100 places."""
    wide = net()
    coarse, fine = (copies(wide, lambda points=points: method(wide, points)) for points in (3, 9))
    assert fine == pytest.approx(coarse, abs=0.1)
    assert fine < 30


@pytest.mark.slow
def test_places_are_visited_in_one_copy_of_the_weights() -> None:
    wide = net()
    ground = Ground.of(wide, data(3), None, "frozen")
    axes, axis = ground.directions(Direction(), 0, 2), np.linspace(-1, 1, 9)
    assert copies(wide, lambda: mapped(ground.at(axes), axis, axis, 0, "places")) < 2.5
