"""Convexity: a surface that looks like a bowl may hide directions in which the loss bends downwards."""

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(300)
module = seeded(lambda: CNN(1, 10), seed=0)
train(module, task.train, Recipe(epochs=10, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))

# of your own: pl.landscape.convexity("model.py:net", "photos/"), or of two on one scale: convexity([net, other], …)
found = pl.landscape.convexity(net, task.data, points="5:reach=0.5", products=6)
print(*found.findings, sep="\n")

pl.draw(found).save("convexity.png")
