"""Intrinsic dimension: a network of thousands of weights learns in a few dozen random directions."""

import pellucid as pl
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

module = seeded(lambda: MLP(64, 10, depth=2, width=32), seed=0)
net = pl.Net(module, "an MLP", Preprocess(channels=1, crop=(8, 8)))

found = pl.training.intrinsic_dimension(
    net, digits(800).data, dimensions=(10, 40, 160, 320), epochs=20, lr=0.003, samples=400, repeats=1
)
print("\n".join(found.findings))

pl.draw(found).save("intrinsic_dimension.png")
