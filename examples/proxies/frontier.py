"""Frontier: how faithful trees, rules and read-outs of a digit network are, by their size."""

import numpy as np

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(400)
module = seeded(lambda: CNN(1, 10), seed=0)
train(module, task.train, Recipe(epochs=10, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))

images = (255 * task.test.inputs[:, 0].numpy()).astype(np.uint8)
np.savez("digits.npz", images=images, labels=task.test.labels.numpy())
index = pl.units.index(net, "digits.npz", store="digits.index", embed=("features.1", "features.4", "relu"))

found = pl.proxies.frontier(index, queries=200)
print("\n".join(found.findings))

pl.draw(found).save("frontier.png")
