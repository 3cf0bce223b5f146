"""Between two networks: two trainings of one architecture, and the barrier that their order of channels makes."""

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


# of your own: pellucid between a.pth b.pth --net model.py:net photos/
networks = {f"seed {seed}": trained(seed) for seed in (0, 1)}
way = pl.landscape.between(networks, (images[1200:], labels[1200:]), points=21)
print(*way.findings, sep="\n")

pl.draw(way).save("between.png")
