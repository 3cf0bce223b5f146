"""Concept ablation: a class that reads the concept falls, one that does not stays; the questions that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.index import Index
from pellucid.net import Net
from tests.saliency.test_exchange import averaged


def red_reader() -> Net:
    """Channel 0 is the mean of red, 1 of green, 2 of blue; class 1 reads red, class 2 blue."""
    net = averaged(4)
    with torch.no_grad():
        net.module.conv.weight.zero_()
        net.module.conv.bias.zero_()
        net.module.head.weight.zero_()
        for channel in range(3):
            net.module.conv.weight[channel, channel] = 1 / 16
        net.module.conv.bias[:3] = 2.0  # above zero for all pixels
        net.module.head.weight[1, 0] = net.module.head.weight[2, 2] = 3.0
    return net


def colored(red: float, seed: int, size: int = 24) -> np.ndarray:
    chance = np.random.default_rng(seed)
    pixels = chance.uniform(40, 160, (1, 1, 3)) + chance.normal(0, 10, (size, size, 3))
    pixels[..., 0] += red
    return pixels.clip(0, 255).astype(np.uint8)


def setting(folder: Path) -> tuple[Index, list[np.ndarray]]:
    net = red_reader()
    np.savez(folder / "photos.npz", images=np.stack([colored(0, seed) for seed in range(40)]))
    pl.units.index(net, folder / "photos.npz", store=folder / "x.index", count=4, embed=("act",))
    photos = [colored(90, seed) for seed in range(100, 112)]
    return Index.of(folder / "x.index").with_net(net), photos


@pytest.mark.parametrize("units", [0, 1])
def test_the_class_that_reads_the_concept_falls(tmp_path: Path, units: int) -> None:
    index, photos = setting(tmp_path)
    found = pl.examples.concept_ablation(index, photos, units=units, count=40, layer="act", value="mean")
    rows = {row["class"]: row for row in found["classes"].rows}
    assert next(iter(rows)) == "dog"  # the most changed first
    assert rows["dog"]["beyond"]
    assert rows["dog"]["high"] < rows["dog"]["random low"]
    assert rows["cat"]["change"] == pytest.approx(0, abs=1e-6)
    assert abs(rows["wolf"]["change"]) < 0.3 * abs(rows["dog"]["change"])
    assert "AUROC" in found.findings[0]
    assert rows["dog"]["low"] == pytest.approx(rows["dog"]["change"] - 1.959964 * rows["dog"]["error"], abs=1e-6)


def test_bad_questions(tmp_path: Path) -> None:
    index, photos = setting(tmp_path)
    with pytest.raises(PellucidError, match="1 photo of the concept"):
        pl.examples.concept_ablation(index, photos[:1])
    with pytest.raises(UnknownName, match="'akt'"):
        pl.examples.concept_ablation(index, photos, layer="akt")
