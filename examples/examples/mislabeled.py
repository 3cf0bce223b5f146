"""Mislabeled: digits of which one in twenty has a wrong label, sorted for a person to decide about."""

import numpy as np

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(800).train
labels = task.labels.numpy().copy()
labels[::20] = (labels[::20] + 3) % 10
np.savez("digits.npz", images=(255 * task.inputs[:, 0].numpy()).astype(np.uint8), labels=labels)

module = seeded(lambda: CNN(1, 10), seed=0)
train(module, (task.inputs, labels), Recipe(epochs=10, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))
index = pl.units.index(net, "digits.npz", store="digits.index")

suspects = pl.examples.mislabeled(index)
print("\n".join(suspects.findings))
print(f"{sum(i % 20 == 0 for i in suspects.images)} of the 40 most suspect are wrong")

fixed = suspects.decide("decisions.csv", dict.fromkeys(suspects.names[:30], "accept"))
print(fixed.counts)

pl.draw(suspects).save("mislabeled.png")
pl.draw(suspects).save("mislabeled.html")
