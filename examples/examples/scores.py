"""Scores: which score finds wrong labels among digits, measured on labels made wrong on purpose."""

import numpy as np

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(600)
np.savez("digits.npz", images=(255 * task.train.inputs[:, 0].numpy()).astype(np.uint8), labels=task.train.labels)

module = seeded(lambda: CNN(1, 10), seed=0)
train(module, task.test, Recipe(epochs=10, optimizer="adam", lr=3e-3))  # other digits: it has not seen these labels
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))
index = pl.units.index(net, "digits.npz", store="digits.index")

found = pl.examples.scores(index, repeats=1)
print("\n".join(found.findings))

pl.draw(found).save("scores.png")
