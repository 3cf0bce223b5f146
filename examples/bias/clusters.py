"""Clusters: a bright corner in a third of the photos of one class, and what the network knows that class by."""

import numpy as np
import torch
from torch import nn

import pellucid as pl
from pellucid.learning.train import Recipe, train

chance = np.random.default_rng(0)
labels = np.arange(240) % 3
pixels = 0.2 + 0.05 * chance.standard_normal((240, 1, 12, 12))  # three classes of faint stripes
pixels[labels == 1, :, ::3] += 0.08
pixels[labels == 2, :, :, ::3] += 0.08
tagged = (labels == 2) & (np.arange(240) % 4 == 0)
pixels[tagged, :, :2, :2] = 1.0

module = nn.Sequential(nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 3))
with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    module = module.apply(lambda part: part.reset_parameters() if isinstance(part, nn.Linear) else None)
photos = torch.from_numpy(pixels.clip(0, 1)).float()
train(module, (photos, torch.from_numpy(labels)), Recipe(40, optimizer="adam", lr=0.003))
net = pl.load(module, size=12, channels=1, mean=(0.0,), std=(1.0,), labels=["plain", "rows", "columns"])

found = pl.bias.clusters(net, (photos, labels), of="gradient_times_input", cells=6)
for line in found.findings:
    print(line)

pl.draw(found).save("clusters.png")
