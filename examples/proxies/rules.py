"""Rules: short rules on the units of a digit network's last layer that answer as it does."""

import numpy as np

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(800)
module = seeded(lambda: CNN(1, 10), seed=0)
train(module, task.train, Recipe(epochs=10, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))

images = (255 * task.test.inputs[:, 0].numpy()).astype(np.uint8)
np.savez("digits.npz", images=images, labels=task.test.labels.numpy())
index = pl.units.index(net, "digits.npz", store="digits.index")

found = pl.proxies.rules(index, leaves=12)
print("\n".join(found.findings))
for row in found["rules"].rows[:4]:
    print(f"if {row['if']}: {row['then']} ({row['precision']:.0%} of {row['coverage']:.0%})")

pl.draw(found).save("rules.png")
