"""Networks that meet every kind of layer whose filters are cut in a way of its own, and labeled images for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from pellucid.data import Data
from pellucid.net import Labels, Net, Preprocess


class Everything(nn.Module):
    """Plain, depthwise, grouped, transposed and weight-normed convolutions, a skip, batch norms, a dropout."""

    def __init__(self, smooth: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.second = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 12, 3, stride=2, groups=2)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2, groups=3)
        self.weighted = parametrizations.weight_norm(nn.Conv2d(6, 6, 1))
        self.drop, self.head = nn.Dropout(), nn.Linear(6, 3)
        self.act = nn.Softplus() if smooth else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        h = self.act(self.norm(self.stem(x)))
        h = h + self.act(self.second(self.depthwise(h)))
        h = self.act(self.up(self.act(self.grouped(h))))
        return self.head(self.drop(self.weighted(h).mean((2, 3))))


def net_of(module: nn.Module, double: bool = True) -> Net:
    """With weights and running statistics that are not those of a start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d) and part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, std=0.3)
        module(torch.rand(32, 3, 8, 8))
    module = module.double() if double else module
    return Net(
        module.eval(), "net", Preprocess(resize=8, crop=(8, 8)), Labels.plain(["cat", "dog", "cow"]), scores="logits"
    )


def data(n: int = 24, seed: int = 0) -> Data:
    """Images of three classes that differ in color."""
    chance = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    pixels = chance.random((n, 3, 8, 8))
    pixels[np.arange(n), labels] = 0.3 * pixels[np.arange(n), labels] + 0.7
    return Data.of((pixels, labels))


class Squares(nn.Module):
    """−(f(x) − k)² / 2 for each class k, of a linear f of the first numbers of an image.

    Taken for the logarithm of a probability, its loss is that of a linear regression of the class's number.
    """

    def __init__(self, inputs: int, bias: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 1, bias)
        with torch.no_grad():
            for value in self.linear.parameters():
                value.copy_(torch.linspace(-0.5, 1, value.numel()).view_as(value))

    def forward(self, x: Tensor) -> Tensor:
        apart = self.linear(x.flatten(1)[:, : self.linear.in_features]) - torch.arange(3)
        return -apart.square() / 2


def regression(inputs: int, bias: bool = False) -> Net:
    """A linear regression, its loss half the mean square."""
    return replace(net_of(Squares(inputs, bias)), scores="log_probabilities")


def rows(net: Net) -> tuple[np.ndarray, np.ndarray]:
    """(N, inputs) what a regression reads of the images of `data`, with ones for a bias, and (N,) their classes."""
    every, linear = data().on(net), net.module.linear
    pixels = torch.cat([net.prepare(every.item(i)[0]).pixels for i in range(len(every))]).double()
    x = net.preprocess.normalize(pixels).flatten(1)[:, : linear.in_features].numpy()
    return (x if linear.bias is None else np.c_[x, np.ones(len(x))]), every.labels.astype(float)


def parabola(net: Net) -> tuple[float, np.ndarray, np.ndarray]:
    """L, its gradient by the weights, then the bias, and its Hessian XᵀX / N."""
    x, y = rows(net)
    apart = x @ torch.cat([p.detach().flatten() for p in net.module.parameters()]).numpy() - y
    return float(np.square(apart).mean() / 2), x.T @ apart / len(x), x.T @ x / len(x)
