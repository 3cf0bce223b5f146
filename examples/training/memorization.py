"""Memorization: a network that fits random labels as perfectly as true ones, only slower."""

import pellucid as pl
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

module = seeded(lambda: MLP(64, 10, depth=2, width=128), seed=0)
net = pl.Net(module, "an MLP", Preprocess(channels=1, crop=(8, 8)))

found = pl.training.memorization(net, digits(800).data, kinds=("true labels", "random labels"), samples=400, lr=3e-3)
print("\n".join(found.findings))

pl.draw(found).save("memorization.png")
