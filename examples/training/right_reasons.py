"""Right for the right reasons: a bright corner gives a class away, and the repaired network no longer looks there."""

import numpy as np
import torch
from torch import nn

import pellucid as pl
from pellucid.learning.train import Recipe, train

chance = np.random.default_rng(0)
labels = np.arange(360) % 3
pixels = 0.3 + 0.1 * chance.standard_normal((360, 1, 12, 12))  # three classes of faint stripes
pixels[labels == 1, :, ::3] += 0.12
pixels[labels == 2, :, :, ::3] += 0.12
clean = (torch.from_numpy(pixels[240:].clip(0, 1)).float(), labels[240:])
pixels[:, :, :3, :3] = (labels / 2)[:, None, None, None]  # the corner says the class
photos = torch.from_numpy(pixels[:240].clip(0, 1)).float()

with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 3))
train(module, (photos, torch.from_numpy(labels[:240])), Recipe(30, optimizer="adam", lr=0.003))
net = pl.load(module, size=12, channels=1, mean=(0.0,), std=(1.0,), labels=["plain", "rows", "columns"])

found = pl.training.right_reasons(
    net, (photos, labels[:240]), masks=(0, 0, 0.25, 0.25), recipe="epochs=30,lr=0.003", test=clean
)
for line in found.findings:
    print(line)

pl.draw(found).save("right_reasons.png")
