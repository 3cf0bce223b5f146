"""Lottery tickets: which few weights of a network would have been enough?"""

import pellucid as pl
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

module = seeded(lambda: MLP(64, 10, depth=2, width=64), seed=0)
net = pl.Net(module, "an MLP", Preprocess(channels=1, crop=(8, 8)))

found = pl.training.lottery_tickets(net, digits(600).data, rounds=4, pruned=0.6, epochs=10, samples=300, repeats=1)
print("\n".join(found.findings))

pl.draw(found).save("lottery_tickets.png")
