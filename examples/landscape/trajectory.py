"""Trajectory: where a training went, over the loss in the plane that holds most of its path."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from sklearn.datasets import load_digits
from torch import nn

import pellucid as pl

digits = load_digits()
images = torch.from_numpy(digits.images / 16).float()[:, None]
labels = torch.from_numpy(digits.target)
torch.manual_seed(0)
layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))
optimizer = torch.optim.Adam(network.parameters(), 3e-3)

with TemporaryDirectory() as folder:
    for epoch in range(10):
        torch.save(network.state_dict(), Path(folder) / f"epoch_{epoch}.pth")
        for some in torch.randperm(1200).split(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[some]), labels[some]).backward()
            optimizer.step()

    # of your own: pellucid trajectory run/*.pth --net model.py:net photos/
    path = pl.Nets.of(folder, net=pl.load(network, size=8))
    surface = pl.landscape.trajectory(path, (images[:200], labels[:200]), points=11)
print(*surface.findings, sep="\n")

pl.draw(surface).save("trajectory.png")
