"""Linear regions: at random weights a deeper network of as many units has no more pieces."""

import pellucid as pl
from pellucid.learning.initial import initialized
from pellucid.learning.networks import MLP
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

how = Preprocess(channels=1, crop=(8, 8))
shapes = [(1, 120), (4, 30), (12, 10)]
nets = [pl.Net(initialized(MLP(64, 10, depth=d, width=w), "he"), f"{d} × {w}", how) for d, w in shapes]

found = pl.training.linear_regions(nets, digits(100).data, segments=4)
print("\n".join(found.findings))

pl.draw(found).save("linear_regions.png")
