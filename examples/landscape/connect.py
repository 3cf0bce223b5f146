"""Connect: two trainings of one architecture, and a curve between them along which the loss stays low."""

import torch
from sklearn.datasets import load_digits
from torch import nn

import pellucid as pl

digits = load_digits()
images = torch.from_numpy(digits.images / 16).float()[:, None]
labels = torch.from_numpy(digits.target)


def trained(seed: int) -> pl.Net:
    """A small network, trained from another start and in another order."""
    torch.manual_seed(seed)
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(10):
        for some in torch.randperm(1200).split(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[some]), labels[some]).backward()
            optimizer.step()
    return pl.load(network, size=8)


# of your own: pellucid connect a.pth b.pth --net model.py:net photos/ --test others/
train, test = (images[:600], labels[:600]), (images[1200:], labels[1200:])
curve = pl.landscape.connect([trained(0), trained(1)], train, test=test, points=11)
print(*curve.findings, sep="\n")

pl.draw(curve).save("connect.png")
