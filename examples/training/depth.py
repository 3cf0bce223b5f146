"""Depth: what batch norm and skip connections do to a network of thirty layers."""

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(500)
module = seeded(lambda: CNN(1, 10), seed=0)
train(module, task.train, Recipe(epochs=10, lr=0.05))
net = pl.Net(module, "a small CNN", Preprocess(channels=1, crop=(8, 8)))

found = pl.training.depth(net, task.data, depths=(2, 30), rates=(0.01,), epochs=8, samples=375)
print("\n".join(found.findings))

pl.draw(found).save("depth.png")
