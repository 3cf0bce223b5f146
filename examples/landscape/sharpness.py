"""Sharpness: the published measures side by side, and which of them survive that filters are rescaled."""

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(600)
module = seeded(lambda: CNN(1, 10), seed=0)
train(module, task.train, Recipe(epochs=10, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))

# of your own: pl.landscape.sharpness("model.py:net", "photos/", test="test/")
table = pl.landscape.sharpness(net, task.data)
for row in table.rows:
    print(
        f"{row['measure']}: {row['value']:.4g} {row['unit']}", "" if row["scale_free"] else "(changes with the scale)"
    )

pl.draw(table).save("sharpness.png")
