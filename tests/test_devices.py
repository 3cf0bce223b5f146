"""Every method on a device that is not the CPU: on a pretended one everywhere, on a real one where there is one."""

from __future__ import annotations

import copy
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.catalogue import Entry, entries
from pellucid.net import Net
from pellucid.net.nets import Nets
from pellucid.result import Table
from tests import pretended
from tests.test_every_method import QUICK, UNDECIDED, answer, fitting, nouns, numbers, photos, step, tiny
from tests.test_every_method import ask as asked

FAST = {"gradient", "grad_cam", "lrp", "full_grad", "score_cam", "rise", "inversion", "channels"}
"""A few of every kind; the slow lane asks all."""


def close(entry: Entry, here: np.ndarray, there: np.ndarray, tolerance: float) -> bool:
    most = max(float(np.nanmax(np.abs(here))), 1e-9)
    return bool(np.allclose(here, there, rtol=0, atol=tolerance * most + step(entry), equal_nan=entry.gives(Table)))


def on_the_pretended_device(entry: Entry) -> np.ndarray:
    net = tiny()
    given = nouns(entry, net, photos())
    with pretended.Device():
        networks = Nets.of(given[str(entry.argument(Nets))]) if entry.asks(Nets) else [net]
        for one in networks:
            pretended.moved(one.module)
        if entry.name in UNDECIDED:  # whose own weights are made where the network is
            given |= entry.placed({Net: fitting(entry, net)})
        return numbers(entry.function(**given, **QUICK.get(entry.name, {})))


@pytest.mark.parametrize("entry", [e for e in entries() if e.name in FAST], ids=lambda entry: entry.name)
def test_never_mixes_tensors_of_two_devices(entry: Entry) -> None:
    assert close(entry, numbers(answer(entry)), on_the_pretended_device(entry), 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [e for e in entries() if e.name not in FAST], ids=lambda entry: entry.name)
def test_never_mixes_tensors_of_two_devices_in_the_whole_catalogue(entry: Entry) -> None:
    assert close(entry, numbers(answer(entry)), on_the_pretended_device(entry), 1e-9)


@pytest.mark.parametrize("entry", entries() if torch.cuda.is_available() else [], ids=lambda entry: entry.name)
def test_answers_on_cuda_as_on_the_cpu(entry: Entry) -> None:
    cpu, other = tiny(), tiny()
    gpu = other.with_module(copy.deepcopy(other.module).cuda())
    assert close(entry, numbers(asked(entry, cpu, photos())), numbers(asked(entry, gpu, photos())), 1e-6)


def test_the_pretended_device_refuses_what_a_real_one_refuses() -> None:
    with pretended.Device():
        here, there = torch.rand(3), torch.rand(3).to(pretended.DEVICE)
        assert there.device == pretended.DEVICE
        assert here.device == torch.device("cpu")
        for mixed in (lambda: here + there, lambda: torch.cat([here, there]), lambda: there.mul_(here)):
            with pytest.raises(RuntimeError, match="same device"):
                mixed()
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        assert (there + torch.tensor(1.0)).device == pretended.DEVICE  # a single number may come from anywhere
        assert there.cpu().device == torch.device("cpu")
        assert torch.zeros(2, device=pretended.DEVICE).device == pretended.DEVICE
        leaf = torch.rand(3).to(pretended.DEVICE).requires_grad_()
        (slope,) = torch.autograd.grad((leaf * there).sum(), leaf)
        assert slope.device == pretended.DEVICE


def test_images_go_to_the_device_of_the_network() -> None:
    net = tiny()
    with pretended.Device():
        pretended.moved(net.module)
        seen = net.prepare(photos(2))
        assert seen.pixels.device == pretended.DEVICE
        assert all(picture.device == torch.device("cpu") for picture in seen.originals)
        assert net.prepare(seen) is seen


def test_equal_gradients_move_together_whatever_rounding_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guided integrated gradients rank pixels by gradients of which many are equal but for rounding, which is another
    on each device: 2 % of the map's range between a CPU and a GPU, in float64."""
    module = import_module("pellucid.methods.attribution.guided_integrated_gradients")
    plain, chance = module.backward, torch.Generator().manual_seed(0)
    asked = lambda: pl.attribution.guided_integrated_gradients(tiny(), photos(1), "dog", steps=6).values  # noqa: E731
    right = asked()

    def rounded(*args: Any) -> Any:
        signal = plain(*args)
        noise = 1 + 4e-16 * torch.randn(signal.gradient.shape, generator=chance, dtype=torch.float64)
        return type(signal)(signal.gradient * noise, signal.scores, signal.coverage)

    monkeypatch.setattr(module, "backward", rounded)
    for _ in range(3):
        assert np.abs(asked() - right).max() <= 1e-9 * np.abs(right).max()
