"""Saliency as an input: two bars, of which the class is that of one; a map that marks it makes the task easy."""

import numpy as np
import torch
from torch import nn

import pellucid as pl
from pellucid.learning.train import Recipe, train

chance = np.random.default_rng(0)
labels = np.arange(240) % 2
pixels = 0.3 + 0.05 * chance.standard_normal((240, 1, 16, 16))
for image, label in zip(pixels, labels, strict=True):
    y, x = chance.integers(1, 12, 2)
    if label:
        image[0, y : y + 4, x] += 0.5  # an upright bar
    else:
        image[0, y, x : x + 4] += 0.5  # a lying one
photos = torch.from_numpy(pixels.clip(0, 1)).float()

with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 2))
train(module, (photos, torch.from_numpy(labels)), Recipe(6, optimizer="adam", lr=0.003))
net = pl.load(module, size=16, channels=1, mean=(0.0,), std=(1.0,), labels=["lying", "upright"])

found = pl.training.saliency_input(net, (photos, labels), of="gradient_times_input", recipe="epochs=8,lr=0.003")
for line in found.findings:
    print(line)

pl.draw(found).save("saliency_input.png")
