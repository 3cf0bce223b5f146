"""Reconstructions: the gradient by finite differences, nothing outside the receptive field, cells at their bound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.net import Net, Preprocess
from tests.sweep.made import photos


def bounded() -> nn.Sequential:
    """Two convolutions, of which the second runs into the bound of its ReLU6."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        module = nn.Sequential(
            nn.Conv2d(3, 5, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 4, 3), nn.ReLU6(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
        )  # fmt: skip
    with torch.no_grad():
        module[3].weight[1] *= 60
        module[3].bias[0] = -99.0
    return module.double()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    net = Net(bounded(), "bounded", Preprocess(resize=24, crop=(24, 24)))
    source = Source.of(photos(tmp_path_factory.mktemp("photos"), 12))
    return pl.units.index(net, source, store=tmp_path_factory.mktemp("store") / "x.index", layers=["1", "4", "7"])


def test_gradient_is_what_finite_differences_give(index: Index) -> None:
    found = pl.units.reconstruction(index, "4:2", count=3, rule="gradient")
    top, net = index["4"].top(2, 3), index.net
    for i in range(3):
        pixels = net.prepare(index.source.read(int(top.images[i]))).pixels.double()
        row, column = divmod(int(top.places[i]), index.plan.units.places[1][1])
        rows, columns = found.window(i)
        for y, x in ((rows.start + 2, columns.start + 3), (rows.stop - 1, columns.stop - 4), (0, 0)):
            for channel in range(3):
                ends = []
                for step in (-1e-6, 1e-6):
                    moved = pixels.clone()
                    moved[0, channel, y, x] += step
                    with torch.no_grad():
                        ends.append(float(net.module[:5](net.preprocess.normalize(moved))[0, 2, row, column]))
                assert found.values[i, channel, y, x] == pytest.approx((ends[1] - ends[0]) / 2e-6, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("rule", ["deconvnet", "guided", "gradient"])
def test_outside_the_receptive_field_it_is_exactly_zero(index: Index, rule: str) -> None:
    for unit in ("1:0", "4:1", "4:3"):
        found = pl.units.reconstruction(index, unit, count=8, rule=rule)
        assert found.values.any()
        for i in range(len(found)):
            rows, columns = found.window(i)
            inside = np.zeros(found.values.shape[2:], bool)
            inside[rows, columns] = True
            assert not found.values[i][:, ~inside].any()
            top, left, bottom, right = found.patches.boxes[i]
            assert (rows.stop - rows.start) <= bottom - top
            assert (columns.stop - columns.start) <= right - left


def test_a_cell_at_its_bound_is_followed_too(index: Index) -> None:
    """Its own derivative is zero; behind the bound it is not. Below the bound nothing changes."""
    found = pl.units.reconstruction(index, "4:1", count=6, rule="gradient")
    assert found.patches.values[0] == 6
    assert all(found.values[i].any() for i in range(len(found)))
    net = index.net
    pixels = net.prepare(index.source.read(int(index["4"].top(1, 1).images[0]))).pixels.double().requires_grad_()
    cell = net.module[:4](net.preprocess.normalize(pixels))[0, 1].flatten()[int(index["4"].top(1, 1).places[0])]
    (expected,) = torch.autograd.grad(cell, [pixels])
    assert np.allclose(found.values[0], expected[0].numpy(), rtol=1e-6, atol=1e-9)


def test_deconvnet_is_the_transposed_network_with_rectifiers(index: Index) -> None:
    """Written out: the cell alone, back through the switches, rectified at every ReLU (Zeiler & Fergus, 2.1)."""
    found = pl.units.reconstruction(index, "4:2", count=2, rule="deconvnet")
    net, top = index.net, index["4"].top(2, 2)
    conv, last = net.module[0], net.module[3]
    for i in range(2):
        inputs = net.preprocess.normalize(net.prepare(index.source.read(int(top.images[i]))).pixels.double())
        with torch.no_grad():
            pooled, switches = nn.functional.max_pool2d(conv(inputs).relu(), 2, return_indices=True)
            signal = torch.zeros_like(last(pooled))
            signal[0, 2].view(-1)[int(top.places[i])] = 1.0
            signal = nn.functional.conv_transpose2d(signal, last.weight)
            signal = nn.functional.max_unpool2d(signal, switches, 2, output_size=conv(inputs).shape[2:]).relu()
            signal = nn.functional.conv_transpose2d(signal, conv.weight)[0]
            signal /= torch.tensor(net.preprocess.std).double().view(-1, 1, 1)
        assert np.allclose(found.values[i], signal.numpy(), rtol=1e-6, atol=1e-9)
    assert not found.meta.said


def test_what_it_says(index: Index) -> None:
    assert pl.units.reconstruction(index, "7:1", count=2).window(0) == (slice(0, 24), slice(0, 24))
    assert len(pl.units.reconstruction(index, "4:0", count=2)) == 0, "no image excites it"
    note = pl.units.reconstruction(index, "1:0", count=2, rule="deconvnet").meta.said[0]
    assert note.startswith("no max-pooling, whose switches tie a deconvnet to the image, lies before 1:0")
    with pytest.raises(PellucidError, match="count=101: the index keeps the 100 strongest"):
        pl.units.reconstruction(index, "4:2", count=101)
    with pytest.raises(PellucidError, match="no unit 9 in layer '4'"):
        pl.units.reconstruction(index, "4:9")


def test_the_picture_and_the_numbers(index: Index, tmp_path: Path) -> None:
    found = pl.units.reconstruction(index, "4:2", count=3)
    assert pl.draw(found).array.shape[0] > 100
    with np.load(found[1].save(tmp_path / "x.npz")) as saved:
        assert np.array_equal(saved["values"], found.values[1:2])
        assert saved["patches.values"] == found.patches.values[1]
