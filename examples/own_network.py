"""Your own network: any nn.Module, with what it wants to be shown and what its outputs are called."""

import torch
from torch import nn

import pellucid as pl

torch.manual_seed(0)
module = nn.Sequential(
    nn.Conv2d(1, 8, 3, stride=2, padding=1),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3, stride=2, padding=1),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, 1),
)
net = pl.load(module, size=64, mean=[0.5], std=[0.25], labels=["benign", "malignant"])

photo = pl.read("sample:rocket")  # gray, because the network takes one channel
heat = pl.attribution.grad_cam(net, photo, "malignant", layer="3")
pl.draw(heat, over=photo).save("own_network.png")

for layer in net.layers().rows:
    where = layer.placement
    print(f"{layer.name:>2} {layer.kind:<18} {layer.shape!s:<14}", where and f"sees {where.field[0]:.0f} pixels")
