"""Preprocessing as people have it in code gives the network the numbers that their code gives it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from tests.net.test_clip import Sum

transforms = pytest.importorskip("torchvision.transforms")
v2 = pytest.importorskip("torchvision.transforms.v2")
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
CHAINS = {
    "first": [transforms.Resize(20), transforms.CenterCrop(16), transforms.ToTensor(), transforms.Normalize(MEAN, STD)],
    "second": [
        v2.Resize((18, 20), v2.InterpolationMode.BICUBIC), v2.CenterCrop(16), v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD),
    ],
    "bytes": [
        v2.Resize(16), v2.CenterCrop(16), v2.ToImage(), v2.ToDtype(torch.float32), v2.Normalize([99.0] * 3, [51.0] * 3),
    ],
    "gray": [
        transforms.Grayscale(), transforms.CenterCrop(16), transforms.ToTensor(), transforms.Normalize([0.5], [0.2]),
    ],
}  # fmt: skip


class Colors(nn.Module):
    """Two classes out of three channels."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.conv(x).mean((2, 3))
        return values


@pytest.mark.parametrize("name", CHAINS)
def test_chains_of_torchvision_are_read_as_values(name: str, tmp_path: Path) -> None:
    chain = transforms.Compose(CHAINS[name])
    rows = np.linspace(0, 255, 24 * 30 * 3).reshape(24, 30, 3).astype(np.uint8)
    Image.fromarray(rows).save(tmp_path / "x.png")
    net = pl.load(Colors(1 if name == "gray" else 3), preprocess=chain)
    (found,) = net.preprocess.normalize(net.prepare(pl.read(tmp_path / "x.png")).pixels)
    right = chain(Image.fromarray(rows))
    assert found.shape == right.shape
    assert (found - right).abs().max() < 0.05  # Pillow and torch resize 8-bit numbers by other roundings
    assert not net.preprocess.unstated


def test_z_scores_are_of_each_image_by_itself() -> None:
    module = Sum()
    net, pixels = pl.load(module, preprocess="zscore"), torch.rand(2, 1, 6, 6, dtype=torch.float64)
    whole = pixels.numpy()
    right = [(one - one.mean()) / one.std() for one in whole]
    with torch.no_grad():
        expected = module(torch.tensor(np.array(right)).float())
    assert torch.allclose(net.run(pixels.float()).output, expected, atol=1e-5)
    assert [name for name, _ in net.module.named_modules()] == [name for name, _ in module.named_modules()]
    assert type(module) is Sum
    even = torch.zeros(1, 1, 6, 6)
    assert torch.isfinite(net.run(even).output).all()
    assert np.isfinite(pl.attribution.gradient(net, even, "class 0").values).all()
    assert not any("mean" in str(note) for note in net.notes)
    assert "zscore" in net.name


def test_a_function_is_the_first_step_and_gradients_go_through_it() -> None:
    module = Sum()
    net = pl.load(module, preprocess=lambda pixels: pixels.square() * 3)
    pixels = torch.rand(1, 1, 6, 6)
    heat = pl.attribution.gradient(net, pixels, "class 0", reduce="signed")
    weight = module.conv.weight[0, 0, 0, 0].item()
    assert np.allclose(heat.values[0], 6 * pixels[0, 0].numpy() * weight / 36, atol=1e-5)


def test_what_cannot_be_read_is_refused_by_its_name() -> None:
    flip = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()])
    with pytest.raises(PellucidError, match="RandomHorizontalFlip is of training: give the transforms of validation"):
        pl.load(Colors(), preprocess=flip)
    odd = transforms.Compose([transforms.Lambda(lambda x: x), transforms.ToTensor()])
    with pytest.raises(PellucidError, match=r"Lambda cannot be read as values, .*give a function of pixels"):
        pl.load(Colors(), preprocess=odd)
    with pytest.raises(PellucidError, match="preprocess=3: torchvision transforms"):
        pl.load(Colors(), preprocess=3)  # type: ignore[call-overload]
    with pytest.raises(PellucidError, match=r"the preprocessing made \(1,\) of pixels"):
        pl.load(Sum(), preprocess=lambda pixels: pixels.mean((1, 2, 3))).predict(torch.rand(1, 1, 6, 6))
