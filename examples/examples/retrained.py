"""Retrained: what it is worth to mend the labels of digits of which one in five is wrong."""

import numpy as np

import pellucid as pl
from pellucid.decisions import Decision
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(500)
pixels, truth = task.train.inputs, task.train.labels.numpy()
labels = truth.copy()
labels[::5] = (labels[::5] + 3) % 10

module = seeded(lambda: CNN(1, 10), seed=0)
train(module, (pixels, labels), Recipe(epochs=5, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))

data = pl.Data.of((pixels, labels))
fixed = [
    Decision(data.name(i), f"class {labels[i]}", "accept", f"class {truth[i]}")
    for i in np.flatnonzero(labels != truth)[:80].tolist()
]
found = pl.examples.retrained(net, data, decisions=fixed, test=task.test_data)
print("\n".join(found.findings))

pl.draw(found).save("retrained.png")
