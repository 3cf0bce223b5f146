"""Simulation to real: a network that has seen printed digits only reads handwritten ones."""

import pellucid as pl
from pellucid.data import Data
from pellucid.learning.font_digits import font_digits
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

printed, real = font_digits(1000), digits(1000).data
module = seeded(lambda: MLP(64, 10, depth=2, width=128, norm=True), seed=0)
train(module, printed, Recipe(epochs=12, batch=64, optimizer="adam", lr=1e-3))
net = pl.Net(module, "printed digits", Preprocess(channels=1, crop=(8, 8)))

simulated = Data.of((printed.inputs, printed.labels), pixels="0..1")
found = pl.training.sim_to_real(net, real, simulated=simulated, shots=(1, 2, 5, 10), repeats=2)
print("\n".join(found.findings))

pl.draw(found).save("sim_to_real.png")
