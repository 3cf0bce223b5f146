"""Gradient flow: fifty layers with rectifiers, initialized in two ways, and the batch norm that mends one of them."""

import pellucid as pl
from pellucid.learning.initial import initialized
from pellucid.learning.networks import MLP
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

task = digits()
standard = Preprocess(mean=(0.3,), std=(0.37,), channels=1, crop=(8, 8))
deep = {name: initialized(MLP(64, 10, depth=50), name) for name in ("xavier", "he")}
nets = [pl.Net(module, name, standard) for name, module in deep.items()]

found = pl.training.gradient_flow(nets[0], task.data, checkpoints=nets[1:])
print("\n".join(found.findings))

normed = pl.Net(initialized(MLP(64, 10, depth=50, norm=True), "he"), "he + batch norm", standard)
print(pl.training.gradient_flow(normed, task.data, norms="batch").findings[0])

pl.draw(found).save("gradient_flow.png")
