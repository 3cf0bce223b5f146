"""Initialization: schemes in a chain of twenty layers, with and without batch norm, beside what theory expects."""

import pellucid as pl
from pellucid.learning.networks import MLP
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

standard = Preprocess(mean=(0.3,), std=(0.37,), channels=1, crop=(8, 8))
net = pl.Net(MLP(64, 10, depth=20), "20 layers", standard)

schemes = ("small", "xavier", "he", "small+norm", "xavier+norm", "he+norm")
found = pl.training.initialization(net, digits().data, schemes=schemes, epochs=4)
print("\n".join(found.findings))

pl.draw(found).save("initialization.png")
